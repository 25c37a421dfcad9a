"""Find the handlers: the modules of lambdas/ that define a function called `handler`."""

import ast
from pathlib import Path
from typing import Final

_DIRECTORY: Final = Path(__file__).parents[1] / "lambdas"


def _defines_handler(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == "handler" for node in tree.body)


def handlers() -> tuple[str, ...]:
    """Return the name of every handler module, in alphabetical order. They are read, not imported."""
    return tuple(sorted(path.stem for path in _DIRECTORY.glob("*.py") if _defines_handler(path)))
