"""Turn what Step Functions tells of executions into the stage's events: a run's, or a resource's that it changed."""

from collections.abc import Mapping
from typing import Any, Final

from lambdas.gateways.step_functions import ExecutionInputs
from lambdas.names import shown
from lambdas.notices.run_outcome import LONGEST_REASON, UNKNOWN, RunOutcome, group_of, json_object
from lambdas.notices.stage_events import ResourceChange, RunStatusChange, StageEvent
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.resources import RESOURCES

RESOURCE_MACHINES: Final = ("ensure_resource", "remove_resource")
_NO_CHANGE: Final = "NONE"


class StatusChanges:
    """What executions of one stage mean."""

    def __init__(self, stage: str, personalize: Personalize, executions: ExecutionInputs) -> None:
        self._stage = stage
        self._personalize = personalize
        self._executions = executions

    def meaning(self, run: RunOutcome) -> StageEvent | None:
        """Return the stage's event; None where a resource was found as it should be, and nothing changed."""
        if run.machine in RESOURCE_MACHINES:
            return self._resource_change(run)
        return RunStatusChange(
            dataset_group=_known(run.group),
            stage=self._stage,
            machine=run.machine,
            subject=run.resource,
            status=run.status,
            error=run.error or None,
            reason=shown(run.reason, LONGEST_REASON) or None,
            outputs=list(run.outputs),
            execution_arn=run.execution_arn,
            started_by=run.started_by,
        )

    def _resource_change(self, run: RunOutcome) -> ResourceChange | None:
        given, output = run.given, run.output
        change = "FAILED" if run.error else output.get("change", _NO_CHANGE)
        if change == _NO_CHANGE:
            return None
        return ResourceChange(
            dataset_group=self._group(run),
            stage=self._stage,
            resource_type=str(given.get("type", "")),
            name=_name(given, output),
            arn=output.get("arn") or self._arn(given),
            change=change,
            status=output.get("status"),
            error=run.error or None,
            reason=shown(run.reason, LONGEST_REASON) if run.error else None,
            execution_arn=run.execution_arn,
            started_by=run.started_by,
        )

    def _group(self, run: RunOutcome) -> str | None:
        """Return the group that the run is for: whoever started it knows; else as far as its own request tells."""
        starter = json_object(self._executions.input_of(run.started_by)) if run.started_by else {}
        if starter:
            return _known(group_of(starter))
        return _known(self._personalize.names.requested(run.group, run.group))

    def _arn(self, given: Mapping[str, Any]) -> str | None:
        row, request = RESOURCES.get(str(given.get("type"))), given.get("request")
        return row.arn(self._personalize.arn_prefix, request) if row and isinstance(request, Mapping) else None


def _known(group: str) -> str | None:
    return None if group == UNKNOWN else group


def _name(given: Mapping[str, Any], output: Mapping[str, Any]) -> str | None:
    request = given.get("request")
    for described in (output.get("resource"), request):
        if isinstance(described, Mapping) and (name := described.get("name") or described.get("jobName")):
            return str(name)
    return None
