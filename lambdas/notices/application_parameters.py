"""Keep the parameters by which applications find what they call: campaigns, recommenders, filters and event trackers.

What a parameter should say is read from Amazon Personalize each time, never from an event: events come twice, late and
in any order. So a change is worked out, told, then made; if that is interrupted, the next try tells it again.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lambdas.gateways.parameter_store import Parameters
from lambdas.notices.stage_events import ApplicationParameterChange
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.resources import RESOURCES, ResourceType

HANDED_OVER: Final = ("campaign", "event_tracker", "filter", "recommender")
_TRACKING_ID: Final = "tracking-id"  # what PutEvents asks for; the ARN of a tracker does not contain it


def parameters_path(stage: str) -> str:
    """Return what the names of all parameters of the stage `<name>-<stage>` begin with."""
    # Not with the application's own name: Parameter Store refuses what begins with `aws` or `ssm`.
    return f"/personalize/{stage}/"


class ApplicationParameters:
    """The parameters of one stage: `/personalize/<stage>/<dataset group>/<kind>/<name as its request has it>`."""

    def __init__(self, personalize: Personalize, parameters: Parameters, stage: str) -> None:
        self._personalize = personalize
        self._parameters = parameters
        self._stage = stage

    def changes(self, noun: str, arn: str | None) -> list[ApplicationParameterChange]:
        """Return what has to change, now that a resource of this type has; `arn` is None where it is not known."""
        row = RESOURCES[noun]
        described = self._personalize.describe(row, arn) if arn else None
        wanted = self._wanted(row, described) if described else {}
        written = [self._change(name, value, self._parameters.get(name)) for name, value in wanted.items()]
        changed = [one for one in written if one.value != one.previous]
        # What is as it was leaves nothing behind; all else may have taken another's place.
        return [*changed, *self._left_behind(row, wanted)] if changed or not described else []

    def apply(self, change: ApplicationParameterChange) -> None:
        """Make a change."""
        if change.value is None:
            self._parameters.delete(change.parameter)
        else:
            self._parameters.put(change.parameter, change.value)

    def _wanted(self, row: ResourceType, described: Mapping[str, Any]) -> dict[str, str]:
        """Return the parameters of a resource, and their values."""
        owner = self._group_arn(described).rpartition("/")[2]
        names = self._personalize.names
        folder, name = names.requested(owner, owner), names.requested(described["name"], owner)
        values = {_kind(row): described[row.arn_key], _TRACKING_ID: described.get("trackingId")}
        base = f"{parameters_path(self._stage)}{folder}"
        return {f"{base}/{kind}/{name}": value for kind, value in values.items() if value}

    def _group_arn(self, described: Mapping[str, Any]) -> str:
        if "datasetGroupArn" in described:
            return str(described["datasetGroupArn"])
        arn = str(described["solutionVersionArn"]).rpartition("/")[0]
        solution = self._personalize.describe(RESOURCES["solution"], arn) or {}
        return str(solution.get("datasetGroupArn", ""))

    def _left_behind(self, row: ResourceType, wanted: Mapping[str, str]) -> Iterator[ApplicationParameterChange]:
        """Yield what has to go: the parameters of resources of this type that are there no more."""
        there = dict(self._parameters.below(parameters_path(self._stage)))
        for name, value in there.items():
            if f"/{_kind(row)}/" in name and name not in wanted and self._is_gone(row, value):
                tracking_id = name.replace(f"/{_kind(row)}/", f"/{_TRACKING_ID}/")
                for gone in (name, tracking_id) if row.noun == "event_tracker" else (name,):
                    if gone in there and gone not in wanted:
                        yield self._change(gone, None, there[gone])

    def _is_gone(self, row: ResourceType, arn: str) -> bool:
        # Of what others write below our path the service would refuse to tell anything.
        is_ours = arn.startswith(f"{self._personalize.arn_prefix}:{_kind(row)}/")
        return is_ours and self._personalize.describe(row, arn) is None

    def _change(self, name: str, value: str | None, previous: str | None) -> ApplicationParameterChange:
        return ApplicationParameterChange(
            dataset_group=name.removeprefix(parameters_path(self._stage)).partition("/")[0],
            stage=self._stage,
            parameter=name,
            value=value,
            previous=previous,
        )


def _kind(row: ResourceType) -> str:
    return row.noun.replace("_", "-")
