"""Whoever makes an ARN from a name of a request, makes it from the name that the stage gives it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
STAGE_NAMED: Final = ("names.group(", "names.asked(", "_asked(")


def is_stage_named(node: ast.AST) -> bool:
    return any(call in ast.unparse(node) for call in STAGE_NAMED)


def bound_to_stage_names(function: ast.FunctionDef) -> set[str]:
    """Return the variables of a function whose values are the stage's names."""
    bound = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and is_stage_named(node.value):
            targets, values = node.targets[0], node.value
            pairs = (
                zip(targets.elts, values.elts, strict=True)
                if isinstance(targets, ast.Tuple) and isinstance(values, ast.Tuple)
                else [(targets, values)]
            )
            bound |= {ast.unparse(target) for target, value in pairs if is_stage_named(value)}
        elif isinstance(node, ast.For) and is_stage_named(node.iter):
            bound.add(ast.unparse(node.target))
    return bound


def plain_names(source: str) -> Iterator[str]:
    """Yield the expressions that name a resource in a function that makes ARNs, and are not of the stage's names."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        nodes = list(ast.walk(function))
        if not any(isinstance(one, ast.Call) and ast.unparse(one.func).endswith(("].arn", "row.arn")) for one in nodes):
            continue
        bound = bound_to_stage_names(function)
        for node in nodes:
            if not isinstance(node, ast.Dict) or [ast.unparse(key) for key in node.keys if key] != ["'name'"]:
                continue
            (value,) = node.values
            if not is_stage_named(value) and ast.unparse(value) not in bound:
                yield ast.unparse(value)


def test_no_arn_is_made_from_the_name_that_a_request_has() -> None:
    found = {
        f"{path.relative_to(REPOSITORY)}: {name}"
        for folder in ("lambdas", "control")
        for path in (REPOSITORY / folder).rglob("*.py")
        for name in plain_names(path.read_text(encoding="utf-8"))
    }
    assert not found, f"take the name from StageNames: {found}"


def test_a_plain_name_is_found() -> None:
    plain = 'def f(p, group):\n    return RESOURCES["dataset_group"].arn(p.arn_prefix, {"name": group})\n'
    assert list(plain_names(plain)) == ["group"]
    assert not list(plain_names(plain.replace("group})", "p.names.group(group)})")))
