"""Find why something failed, in the words of what failed first."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class ErrorAndCause(NamedTuple):
    """The name of an error and what it says."""

    error: str
    cause: str


def innermost(caught: Mapping[str, Any]) -> ErrorAndCause:
    """Return the failure at the bottom of what a ``Catch`` hands on: ``{"Error", "Cause"}``.

    A Lambda's cause is JSON with ``errorType`` and ``errorMessage``; that of a child execution started with
    ``startExecution.sync:2`` is the child's description, with an ``Error`` and a ``Cause`` of its own.
    """
    error, cause = str(caught.get("Error") or "Unknown"), str(caught.get("Cause") or "")
    inner = _json_object(cause)
    if "errorMessage" in inner:
        return ErrorAndCause(str(inner.get("errorType") or error), str(inner["errorMessage"]))
    if "ExecutionArn" in inner:
        if inner.get("Error") or inner.get("Cause"):
            return innermost(inner)
        return ErrorAndCause(error, f"{inner['ExecutionArn']} ended as {inner.get('Status', 'unknown')}")
    return ErrorAndCause(error, cause or error)


def explain(state: Mapping[str, Any]) -> ErrorAndCause:
    """Return why a run failed, given its state: what its ``Catch`` caught, how its resource failed, or all noted."""
    if "failure" in state:
        return innermost(state["failure"])
    if "found" in state:
        return ErrorAndCause("ResourceFailed", str(state["found"]["reason"]))
    failures = [_named(noted) for noted in _noted(state)]
    if len(failures) == 1:
        return failures[0]
    lines = [f"{failure.error}: {failure.cause}" for failure in failures]
    return ErrorAndCause(failures[0].error if failures else "Unknown", f"{len(lines)} failed. " + " | ".join(lines))


def _named(noted: Mapping[str, Any]) -> ErrorAndCause:
    failure = innermost(noted)
    return ErrorAndCause(failure.error, f"{noted['what']}: {failure.cause}") if "what" in noted else failure


def _noted(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every ``{"Error", "Cause"}`` anywhere below, as the Maps note them for items that failed."""
    if isinstance(value, Mapping):
        if {"Error", "Cause"} <= set(value):
            yield value
        else:
            yield from _noted(list(value.values()))
    elif isinstance(value, list):
        for part in value:
            yield from _noted(part)


def _json_object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, Mapping) else {}
