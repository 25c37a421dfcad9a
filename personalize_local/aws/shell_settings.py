"""Keep the AWS settings of the shell out of this process: it may have exported another cloud's endpoint."""

import contextlib
import os
from collections.abc import Iterator
from typing import Final

IGNORE_ENDPOINTS: Final = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"


@contextlib.contextmanager
def without_shell_settings() -> Iterator[None]:
    """Run a block in which neither a profile nor an exported endpoint counts."""
    theirs = {name: os.environ.pop(name) for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE") if name in os.environ}
    theirs |= {IGNORE_ENDPOINTS: os.environ[IGNORE_ENDPOINTS]} if IGNORE_ENDPOINTS in os.environ else {}
    os.environ[IGNORE_ENDPOINTS] = "true"
    try:
        yield
    finally:
        del os.environ[IGNORE_ENDPOINTS]
        os.environ.update(theirs)
