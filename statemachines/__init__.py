"""The state machines (*.asl.json) and the only reader of their files.

A ``${token}`` in a definition is the name of a file: of a handler (``lambdas/<token>.py``) or of another machine. Only
``${run_machine}`` is not: it is the service integration that runs another machine to its end.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

RUN_MACHINE: Final = "run_machine"
INTEGRATION: Final = "states:::states:startExecution.sync:2"  # what it is, behind the partition

_DIRECTORY: Final = Path(__file__).parent
_SUFFIX: Final = ".asl.json"
_TOKEN: Final = re.compile(r"\$\{([^}]*)\}")


def names() -> tuple[str, ...]:
    """Return the name of every state machine, in alphabetical order."""
    return tuple(sorted(path.name.removesuffix(_SUFFIX) for path in _DIRECTORY.glob(f"*{_SUFFIX}")))


def text(name: str) -> str:
    """Return the definition of `name` as it is on disk, tokens unresolved."""
    return (_DIRECTORY / f"{name}{_SUFFIX}").read_text(encoding="utf-8")


def definition(name: str) -> dict[str, Any]:
    """Return the definition of `name`, parsed, tokens unresolved."""
    parsed: dict[str, Any] = json.loads(text(name))
    return parsed


def tokens(name: str) -> frozenset[str]:
    """Return what the definition of `name` calls: names of handlers and of other machines."""
    return frozenset(_TOKEN.findall(text(name))) - {RUN_MACHINE}
