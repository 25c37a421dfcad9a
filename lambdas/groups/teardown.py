"""Plan the removal of a dataset group, or of one resource, with everything that depends on it.

Nothing is removed here. The levels of a plan are removed one after the other, each resource of a level by
`remove_resource`; what is gone already is in no level, so that a plan made anew goes on where the last one ended.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lambdas.bucket_layout import DATASETS
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.group_arn import group_arn_of
from lambdas.personalize.lifecycle import Phase, phase_of
from lambdas.personalize.resources import RESOURCES, ResourceType, children

# In the order that the service demands: what serves, what was trained and what reads datasets, then the data.
_LEVELS: Final = (
    ("campaign", "recommender"),
    ("solution", "event_tracker", "filter", "metric_attribution"),
    ("dataset",),
    ("dataset_group",),
    ("schema",),
)
_MOST_NAMED: Final = 10
_DIGEST: Final = re.compile(r"[0-9a-f]{8}")


class UnfinishedTrainingError(Exception):
    """A training is under way: the service deletes no solution then, and a training that is stopped is paid for."""


class NotOursError(Exception):
    """The stage did not make all that would be removed, and was not told to remove the rest."""


@dataclass(frozen=True)
class Removal:
    """One resource that is to go: how `remove_resource` finds it, whether the stage made it, and what bills for it."""

    noun: str
    name: str
    arn: str
    ours: bool
    bills: Mapping[str, Any] = field(default_factory=dict)  # the parameters that its price depends on

    def told(self) -> dict[str, Any]:
        """Return the removal as the state machine hands it on, and as a person reads it."""
        spec = {"type": self.noun, "request": {RESOURCES[self.noun].arn_key: self.arn}}
        return {**spec, "name": self.name, "ours": self.ours, "bills": dict(self.bills)}


class TeardownPlanner:
    """Finds what goes with a resource. `owner` is the tag of everything that the stage makes."""

    def __init__(self, personalize: Personalize, owner: Mapping[str, str]) -> None:
        self._personalize = personalize
        self._owner = owner

    def group(self, name: str) -> list[list[Removal]]:
        """Return the levels of a dataset group and the schemas that only it uses; empty when nothing is left."""
        row = RESOURCES["dataset_group"]
        arn = group_arn_of(self._personalize, name)
        there = self._personalize.describe(row, arn) is not None
        removals = list(self._tree(row, arn, self._personalize.names.group(name))) if there else []
        schemas = list(self._schemas(name, [one.arn for one in removals if one.noun == "dataset"]))
        return _leveled([*removals, *schemas])

    def resource(self, noun: str, request: Mapping[str, Any], now: Any) -> list[list[Removal]]:
        """Return the levels of one resource and its dependants."""
        row = RESOURCES[noun]
        described = self._personalize.find(row, request, now)
        if described is None:
            return []
        arn = str(described[row.arn_key])
        return _leveled(list(self._tree(row, arn, str(described.get(row.name_key, arn)))))

    def _tree(self, row: ResourceType, arn: str, name: str) -> Iterator[Removal]:
        for child in children(row.noun):
            for summary in self._personalize.summaries(child, arn):
                yield from self._tree(child, str(summary[child.arn_key]), str(summary.get("name", child.noun)))
        if row.noun == "solution":
            self._refuse_training(arn)
        yield Removal(row.noun, name, arn, self._is_ours(row, arn), self._bills(row, arn))

    def _refuse_training(self, solution_arn: str) -> None:
        versions = self._personalize.summaries(RESOURCES["solution_version"], solution_arn)
        under_way = [one["solutionVersionArn"] for one in versions if phase_of(one["status"]) is Phase.CHANGING]
        if under_way:
            raise UnfinishedTrainingError(f"{', '.join(under_way)}: wait for its end, or stop it, and start again")

    def _is_ours(self, row: ResourceType, arn: str) -> bool:
        """Say whether the stage made it. A type without tags is its group's, which has one."""
        return not row.taggable or dict(self._owner) in self._personalize.tags(arn)

    def _bills(self, row: ResourceType, arn: str) -> dict[str, Any]:
        if row.noun not in ("campaign", "recommender"):
            return {}
        described = self._personalize.describe(row, arn) or {}
        config = described.get("recommenderConfig", described)
        keys = ("minProvisionedTPS", "minRecommendationRequestsPerSecond")
        bills = {key: config[key] for key in keys if key in config}
        return {} if described.get("status") == "INACTIVE" else bills

    def _schemas(self, group: str, dataset_arns: list[str]) -> Iterator[Removal]:
        """Yield the schemas that were made for the group; those of its datasets that others use, or made, stay."""
        used = {self._schema_of(str(one["datasetArn"])) for one in self._personalize.summaries(RESOURCES["dataset"])
                if one["datasetArn"] not in dataset_arns}  # fmt: skip
        beginnings = tuple(self._personalize.names.made(group, dataset, "") for dataset in DATASETS)
        for summary in self._personalize.summaries(RESOURCES["schema"]):
            name, arn = str(summary["name"]), str(summary["schemaArn"])
            is_made = any(_DIGEST.fullmatch(name.removeprefix(beginning)) for beginning in beginnings)
            if is_made and arn not in used:
                yield Removal("schema", name, arn, ours=True)

    def _schema_of(self, dataset_arn: str) -> str:
        described = self._personalize.describe(RESOURCES["dataset"], dataset_arn) or {}
        return str(described.get("schemaArn", ""))


def _leveled(removals: list[Removal]) -> list[list[Removal]]:
    levels = [[one for one in removals if one.noun in nouns] for nouns in _LEVELS]
    return [level for level in levels if level]


def refuse_what_is_not_ours(levels: list[list[Removal]]) -> None:
    """Raise NotOursError if the stage did not make everything."""
    others = [f"{one.noun} {one.name}" for level in levels for one in level if not one.ours]
    if others:
        more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
        text = f"the stage did not make {', '.join(others[:_MOST_NAMED])}{more}"
        raise NotOursError(f'{text}; say "alsoNotOurs": true to remove everything')
