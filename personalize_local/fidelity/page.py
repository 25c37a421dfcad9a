"""Write docs/fidelity.md from the tables in the code: `python -m personalize_local.fidelity.page`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

from personalize_local.engine.recipes.recipe_table import accepted_without_effect
from personalize_local.fidelity.engine_rules import ENGINE_RULES, NOT_DONE
from personalize_local.fidelity.service_rules import NEVER_RAISED, RULES
from personalize_local.personalize.controls.quotas import DEFAULTS
from personalize_local.personalize.controls.switches import Switches
from personalize_local.personalize.protocol.dispatch import CONTROL_PLANE, DATA_PLANE
from personalize_local.personalize.protocol.wire import SERVICES, service_model

PAGE: Final = Path(__file__).parents[2] / "docs" / "fidelity.md"
_INTRODUCTION: Final = """# How faithful the local Personalize is

Made from the tables in the code by `python -m personalize_local.fidelity.page`; do not edit.

`python -m pytest tests/conformance --aws` asks a real account what these tables say it answers.

*As documented*: the API reference, the developer guide or the botocore model say so. *As observed*: real answers of
the service, published by AWS, say so. *Our choice*: nobody says; a switch, where there is one, turns it (`python -m
personalize_local fault --endpoint URL switch NAME VALUE`, or `cloud.personalize.switches` in Python).
*Not done*: it is missing here."""


def page() -> str:
    """Return the whole page."""
    parts = [_INTRODUCTION, *_operations(), *_rules(), *_engine(), *_switches(), *_quotas()]
    return "\n\n".join(parts) + "\n"


def _table(*header: str, rows: Iterator[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _operations() -> Iterator[str]:
    answered = {**CONTROL_PLANE, **DATA_PLANE}
    for service in SERVICES:
        model = service_model(service)
        done = sum(name in answered for name in model.operation_names)
        yield f"## {service}: {done} of {len(model.operation_names)} operations"
        yield _table(
            "operation",
            "answered",
            "errors it can raise",
            "declared, never raised",
            rows=(
                (f"`{name}`", "yes" if name in answered else "**no**", *_errors(service, name))
                for name in sorted(model.operation_names)
            ),
        )


def _errors(service: str, operation: str) -> tuple[str, str]:
    declared = sorted(shape.name for shape in service_model(service).operation_model(operation).error_shapes)
    raised = [code.removesuffix("Exception") for code in declared if (operation, code) not in NEVER_RAISED]
    never = [code.removesuffix("Exception") for code in declared if (operation, code) in NEVER_RAISED]
    return ", ".join(raised), ", ".join(never)


def _rules() -> Iterator[str]:
    yield "## Rules of the service"
    yield _table(
        "area",
        "rule",
        "standing",
        "source",
        "switch",
        "test",
        rows=(
            (each.area, each.rule, each.standing, each.source, _code(each.switch), _code(each.test)) for each in RULES
        ),
    )


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _engine() -> Iterator[str]:
    yield "## Choices of the engine"
    choices = ((each.area, each.rule, each.standing, each.source, each.test) for each in ENGINE_RULES)
    missing = ((each.area, each.rule, "not done", "", each.test) for each in NOT_DONE)
    header = ("area", "rule", "standing", "source", "test")
    yield _table(*header, rows=(row for rows in (choices, missing) for row in rows))
    yield "Hyperparameters that are accepted and change nothing:"
    yield _table(
        "recipe", "hyperparameter", rows=((f"`{recipe}`", f"`{name}`") for recipe, name in accepted_without_effect())
    )


def _switches() -> Iterator[str]:
    yield "## Switches"
    defaults = Switches()
    meanings = {each.switch: each.rule for each in RULES if each.switch}
    yield _table(
        "name",
        "default",
        "values",
        "decides",
        rows=(
            (f"`{name}`", f"`{_shown(getattr(defaults, name))}`", _values(hint), meanings[name])
            for name, hint in get_type_hints(Switches).items()
        ),
    )


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(hint: Any) -> str:
    if hint is int:
        return "a number"
    return ", ".join(f"`{value}`" for value in (("true", "false") if hint is bool else get_args(hint)))


def _quotas() -> Iterator[str]:
    yield "## Quotas"
    yield _table(
        "resources",
        "limit",
        "counts",
        "per",
        "adjustable on AWS",
        rows=(
            (noun.replace("_", " "), str(quota.limit), quota.counts, quota.per, "yes" if quota.adjustable else "no")
            for noun, quota in DEFAULTS.items()
        ),
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
