"""Read how a run began or ended out of Step Functions' status event."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from lambdas.bucket_layout import REQUESTS, RUNS
from lambdas.personalize.failures import innermost

RUNNING: Final = "RUNNING"
SUCCEEDED: Final = "SUCCEEDED"
_STARTED_BY: Final = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"
LONGEST_REASON: Final = 4_000  # five texts of a notice, twice escaped, stay far below SNS's 256 KiB
UNKNOWN: Final = "unknown"  # a group of which an input says nothing
# Of inputs, in the order of how much they say.
_SUBJECTS: Final = ("dataset", "solution", "template", "users")


@dataclass(frozen=True)
class RunOutcome:
    """How one execution stands: under way, or how it ended."""

    execution_arn: str
    machine: str
    status: str
    redrives: int
    group: str
    resource: str
    error: str
    reason: str
    outputs: tuple[str, ...] = ()
    started_by: str | None = None  # the execution that waits for this one
    given: Mapping[str, Any] = field(default_factory=dict)  # its input
    output: Mapping[str, Any] = field(default_factory=dict)

    @property
    def region(self) -> str:
        """Return where it ran."""
        return self.execution_arn.split(":")[3]

    @property
    def partition(self) -> str:
        """Return which of AWS's partitions that is in."""
        return self.execution_arn.split(":")[1]


def read_outcome(event: Mapping[str, Any], stage: str) -> RunOutcome:
    """Return how a run of the stage `<name>-<stage>` stands; the reason of one that is under way is empty."""
    detail = event["detail"]
    given, output = json_object(detail.get("input")), json_object(detail.get("output"))
    error, reason = _error_and_reason(detail, output)
    return RunOutcome(
        execution_arn=detail["executionArn"],
        machine=detail["stateMachineArn"].rpartition(":")[2].removeprefix(f"{stage}-").replace("-", "_"),
        status=detail["status"],
        redrives=int(detail.get("redriveCount") or 0),
        group=group_of(given),
        resource=_resource(given),
        error=error,
        reason=reason,
        outputs=tuple(dict.fromkeys(_written_to(output))),
        started_by=given.get(_STARTED_BY),
        given=given,
        output=output,
    )


def group_of(given: Mapping[str, Any]) -> str:
    """Return the dataset group that an execution's input is about, as far as it says."""
    about = given.get("request", given)
    if isinstance(about, str):
        folder, _, rest = about.partition("/")
        return rest.partition("/")[0].removesuffix(".json") if f"{folder}/" in {REQUESTS, RUNS} else UNKNOWN
    group = about.get("datasetGroup", given.get("datasetGroup"))
    if isinstance(group, Mapping):
        return str(group.get("name", UNKNOWN))
    if given.get("type") == "dataset_group":
        return str(about.get("name", UNKNOWN))
    return str(group or str(about.get("datasetGroupArn", "")).rpartition("/")[2] or UNKNOWN)


def _resource(given: Mapping[str, Any]) -> str:
    if "type" in given:
        about = given.get("request")
        names = about if isinstance(about, Mapping) else {}
        name = next((value for key, value in names.items() if key in {"name", "jobName"}), None)
        name = name or next((value for key, value in names.items() if key.endswith("Arn")), "")
        return f"{str(given['type']).replace('_', ' ')} {name}".strip()
    subject = next((key for key in _SUBJECTS if key in given), None)
    return f"{subject} {given[subject]}" if subject else f"dataset group {group_of(given)}"


def _error_and_reason(detail: Mapping[str, Any], output: Mapping[str, Any]) -> tuple[str, str]:
    if detail["status"] == RUNNING:
        return "", ""
    return ("", _summary(output)) if detail["status"] == SUCCEEDED else _failure(detail)


def _failure(detail: Mapping[str, Any]) -> tuple[str, str]:
    """Return the error and its reason: the innermost of what the event tells, else how long the run took."""
    status = str(detail["status"])
    error, cause = detail.get("error"), detail.get("cause")
    if cause:
        inner = innermost({"Error": error or status, "Cause": cause})
        return inner.error, inner.cause
    took = timedelta(milliseconds=int(detail["stopDate"]) - int(detail["startDate"])) if detail.get("stopDate") else "?"
    told = {
        "TIMED_OUT": f"it was not done when its time was up, {took} after its start",
        "ABORTED": f"somebody stopped it {took} after its start, and gave no reason",
    }
    names = {"TIMED_OUT": "States.Timeout", "ABORTED": "Aborted"}
    return str(error or names.get(status, status)), told.get(status, f"Step Functions gives no cause; it took {took}")


def _summary(output: Mapping[str, Any]) -> str:
    return str(output.get("summary") or output.get("message") or output.get("outcome") or "done")


def _written_to(value: Any) -> Iterator[str]:
    """Yield where batch jobs wrote, anywhere in an output."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            if key == "jobOutput":
                yield from _paths(member)
            else:
                yield from _written_to(member)
    elif isinstance(value, list):
        for member in value:
            yield from _written_to(member)


def _paths(job_output: Any) -> Iterator[str]:
    if isinstance(job_output, Mapping):
        for destination in job_output.values():
            if isinstance(destination, Mapping) and "path" in destination:
                yield str(destination["path"])


def json_object(text: str | None) -> Mapping[str, Any]:
    """Return the object that a text of JSON is; an empty one for what is missing or none."""
    value = json.loads(text or "{}")
    return value if isinstance(value, Mapping) else {}
