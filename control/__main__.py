"""Run the command line: `python -m control`."""

import sys

from control.program import main

if __name__ == "__main__":
    sys.exit(main())
