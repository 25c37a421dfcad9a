"""Compute what a rule's target receives: the event, a part of it, a constant, or a filled-in template."""

import json
import re
from collections.abc import Mapping
from typing import Any

from personalize_local.clock import CLOCK

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_VARIABLE = re.compile(r"<([^<>\s]+)>")
_MISSING = object()


def render(target: Mapping[str, Any], event: Mapping[str, Any], rule_name: str, rule_arn: str) -> str:
    """Return the text that a target gets for an event."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        value = at_path(event, target["InputPath"])
        return json.dumps(None if value is _MISSING else value)
    if "InputTransformer" not in target:
        return json.dumps(event)
    transformer = target["InputTransformer"]
    values = {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_name,
        "aws.events.event": event,
        "aws.events.event.json": event,
        "aws.events.event.ingestion-time": CLOCK.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    values |= {name: at_path(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    return fill(transformer["InputTemplate"], values)


def at_path(event: Any, path: str) -> Any:
    """Return what is at a path such as `$.detail.object.key` or `$.resources[0]`."""
    for name, index in _STEP.findall(path.removeprefix("$")):
        try:
            event = event[int(index)] if index else event[name]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return event


def fill(template: str, values: Mapping[str, Any]) -> str:
    """Fill in a template: inside quotes a variable is text, outside it is JSON, and a missing one is empty."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in values:
            return match.group(0)
        value = values[name]
        is_quoted = len(re.findall(r'(?<!\\)"', template[: match.start()])) % 2 == 1
        if value is _MISSING:
            return "" if is_quoted else '""'
        if is_quoted:
            text = value if isinstance(value, str) else json.dumps(value)
            return json.dumps(text)[1:-1]
        return json.dumps(value)

    return _VARIABLE.sub(value, template)
