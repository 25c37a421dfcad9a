"""Why something failed, in the words of whatever failed first."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Failure(NamedTuple):
    """The name of an error and what it says."""

    error: str
    cause: str


def innermost(caught: Mapping[str, Any]) -> Failure:
    """Return the failure at the bottom of what a ``Catch`` hands on: ``{"Error", "Cause"}``.

    A Lambda's cause is JSON with ``errorType`` and ``errorMessage``; that of a child execution started with
    ``startExecution.sync:2`` is the child's description, with an ``Error`` and a ``Cause`` of its own.
    """
    error, cause = str(caught.get("Error") or "Unknown"), str(caught.get("Cause") or "")
    inner = _json_object(cause)
    if "errorMessage" in inner:
        return Failure(str(inner.get("errorType") or error), str(inner["errorMessage"]))
    if "ExecutionArn" in inner:
        if inner.get("Error") or inner.get("Cause"):
            return innermost(inner)
        return Failure(error, f"{inner['ExecutionArn']} ended as {inner.get('Status', 'unknown')}")
    return Failure(error, cause or error)


def summary(failures: Sequence[Mapping[str, Any]]) -> Failure:
    """Return one failure for several, each ``{"what", "Error", "Cause"}``, naming them all.

    A single one keeps its own name and words.
    """
    found = [(str(failure.get("what", "")), innermost(failure)) for failure in failures]
    if len(found) == 1:
        return found[0][1]
    lines = [f"{what}: {failure.error}: {failure.cause}" for what, failure in found]
    return Failure(found[0][1].error, f"{len(found)} failed. " + " | ".join(lines))


def _json_object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, Mapping) else {}
