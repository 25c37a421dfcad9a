"""What handlers write to the log, in the process that runs them."""

import ast
import logging
from pathlib import Path

import pytest

import lambdas

OF_A_RECORD = {*vars(logging.makeLogRecord({})), "message", "asctime"}
FILES = sorted(Path(lambdas.__file__).parent.rglob("*.py"))


def extras() -> list[tuple[str, ast.expr]]:
    calls = [(file, node) for file in FILES for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    return [
        (file.name, keyword.value)
        for file, node in calls
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "extra" and isinstance(node.func, ast.Attribute) and "logger" in ast.unparse(node.func)
    ]


@pytest.mark.parametrize(("name", "extra"), extras(), ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_logged_has_keys_of_its_own(name: str, extra: ast.expr) -> None:
    """Python's logging raises a KeyError for a key that a record has already, such as `message` or `name`."""
    assert isinstance(extra, ast.Dict), f"{name}: name the keys, so that this test sees them"
    keys = {key.value for key in extra.keys if isinstance(key, ast.Constant)}
    assert len(keys) == len(extra.keys), f"{name}: spread into the record"
    assert not keys & OF_A_RECORD
