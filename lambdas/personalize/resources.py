"""Describe each resource type of Amazon Personalize by a row that says where it departs from the service's rule.

The rule: a noun such as ``dataset_group`` is created by ``CreateDatasetGroup``, described by ``DescribeDatasetGroup``
under the key ``datasetGroup``, listed by ``ListDatasetGroups``, named by ``name``, and has the ARN
``…:dataset-group/<name>``. tests/contract/test_resources.py compares every row with the installed botocore model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
OWNER_KEY: Final = "made-by"  # of the tag that a stage gives to what it makes; a request says nothing about it


@dataclass(frozen=True)
class Cadence:
    """How long a change of one type takes, before there is any history to learn from, and how long we look at it."""

    typical_seconds: int
    longest_wait_seconds: int  # between two looks
    patience_seconds: int  # after that the run ends red; the job itself goes on
    follows_data: bool = False  # small data is done long before the typical duration


QUICK: Final = Cadence(typical_seconds=40, longest_wait_seconds=2 * MINUTE, patience_seconds=3 * HOUR)


@dataclass(frozen=True)
class ResourceType:
    """One type of resource: what the service calls it, and where it departs from the rule."""

    noun: str
    name_key: str = "name"
    arn_path: str = "{kebab}/{name}"  # filled from the create request; empty when the service invents the id
    invented_path: str = ""  # then, what its ARNs look like: `{name}` is the parent's, * the service's own
    parent: str | None = None  # the noun whose ARN narrows List; where an invented id is found
    has_status: bool = True
    updates: tuple[str, ...] = ()  # what its Update operation can change
    deletable: bool = True
    replaceable: bool = False  # can be deleted and made anew without losing data or a model
    stoppable: bool = False  # has a Start and a Stop operation
    taggable: bool = True
    sole: bool = False  # its parent has one at most: whatever its name, it is the one
    tells_update: bool = True  # Describe tells about the latest update, where the type has any
    listed_part: str | None = None  # what Describe leaves out: ListMetricAttributionMetrics tells the `metrics`
    list_key: str | None = None  # where List answers, when not the plural in lower camel case
    cadence: Cadence = field(default=QUICK)

    @property
    def pascal(self) -> str:
        """The noun as it appears in operation names: ``DatasetGroup``."""
        return "".join(word.capitalize() for word in self.noun.split("_"))

    @property
    def camel(self) -> str:
        """The noun as it appears in answers: ``datasetGroup``."""
        return self.pascal[0].lower() + self.pascal[1:]

    @property
    def arn_key(self) -> str:
        """The parameter that identifies the resource: ``datasetGroupArn``."""
        return f"{self.camel}Arn"

    @property
    def arn_shape(self) -> str:
        """What follows the account in its ARNs: `{name}` is a name that a stage gives, * is not ours."""
        path = self.arn_path or self.invented_path
        return path.format(kebab=self.noun.replace("_", "-"), name="{name}", group="{name}", type="*")

    @property
    def updatable(self) -> bool:
        """Whether the service can change it in place."""
        return bool(self.updates)

    @property
    def update_key(self) -> str:
        """Where Describe tells about the latest update: ``latestCampaignUpdate``."""
        return f"latest{self.pascal}Update"

    @property
    def summaries_key(self) -> str:
        """Where List answers: ``campaigns``."""
        return self.list_key or f"{self.camel}s"

    @property
    def parent_key(self) -> str | None:
        """The parameter by which List is narrowed to one parent: ``solutionArn``."""
        return RESOURCES[self.parent].arn_key if self.parent else None

    def arn(self, prefix: str, request: Mapping[str, Any]) -> str | None:
        """Return the ARN of what `request` creates or names, or None when it takes the service to know it.

        `prefix` is ``arn:<partition>:personalize:<region>:<account>``.
        """
        if self.arn_key in request:
            return str(request[self.arn_key])
        parts = self._parts(request)
        if not self.arn_path or not all(value for key, value in parts.items() if f"{{{key}}}" in self.arn_path):
            return None
        return f"{prefix}:{self.arn_path.format(kebab=self.noun.replace('_', '-'), **parts)}"

    def _parts(self, request: Mapping[str, Any]) -> dict[str, str]:
        """Return what an ARN path may mention. A dataset has no name of its own: it is its group's, of one type."""
        return {
            "name": str(request.get(self.name_key, "")),
            "group": str(request.get("datasetGroupArn", "")).rpartition("/")[2],
            "type": str(request.get("datasetType", "")).upper(),
        }


def _job(noun: str, parent: str, cadence: Cadence) -> ResourceType:
    """Return the row of a job: named by ``jobName`` for ever, neither changed nor deleted."""
    return ResourceType(noun, name_key="jobName", parent=parent, deletable=False, cadence=cadence)


_IMPORT: Final = Cadence(20 * MINUTE, 30 * MINUTE, 12 * HOUR, follows_data=True)
_TRAINING: Final = Cadence(90 * MINUTE, 2 * HOUR, 72 * HOUR, follows_data=True)
_DEPLOYMENT: Final = Cadence(15 * MINUTE, 20 * MINUTE, 6 * HOUR)
_BATCH: Final = Cadence(40 * MINUTE, HOUR, 24 * HOUR)

_ROWS: Final = (
    ResourceType("schema", has_status=False, taggable=False),
    ResourceType("dataset_group"),
    ResourceType("dataset", arn_path="dataset/{group}/{type}", parent="dataset_group", updates=("schemaArn",)),
    _job("dataset_import_job", "dataset", _IMPORT),
    _job("dataset_export_job", "dataset", _IMPORT),
    _job("data_deletion_job", "dataset_group", replace(_IMPORT, patience_seconds=72 * HOUR)),
    ResourceType(
        "event_tracker",
        arn_path="",
        invented_path="event-tracker/*",
        parent="dataset_group",
        replaceable=True,
        sole=True,
    ),
    ResourceType("filter", parent="dataset_group", list_key="Filters", replaceable=True),
    ResourceType(
        "metric_attribution",
        parent="dataset_group",
        updates=("addMetrics", "removeMetrics"),  # its output hands over a role, which only a create may
        replaceable=True,
        taggable=False,
        sole=True,
        tells_update=False,
        listed_part="metrics",
    ),
    ResourceType(
        "solution",
        parent="dataset_group",
        updates=("performAutoTraining", "performIncrementalUpdate", "solutionUpdateConfig"),
    ),
    ResourceType(
        "solution_version",
        arn_path="",
        invented_path="solution/{name}/*",
        parent="solution",
        deletable=False,
        cadence=_TRAINING,
    ),
    ResourceType(
        "campaign",
        parent="solution",
        updates=("solutionVersionArn", "minProvisionedTPS", "campaignConfig"),
        cadence=_DEPLOYMENT,
    ),
    ResourceType(
        "recommender", parent="dataset_group", updates=("recommenderConfig",), stoppable=True, cadence=_TRAINING
    ),
    _job("batch_inference_job", "solution_version", _BATCH),
    _job("batch_segment_job", "solution_version", _BATCH),
)

RESOURCES: Final[Mapping[str, ResourceType]] = {row.noun: row for row in _ROWS}


def children(noun: str) -> tuple[ResourceType, ...]:
    """Return the types whose resources keep one of `noun` from being deleted: those that belong to it and can go."""
    return tuple(row for row in _ROWS if row.parent == noun and row.deletable)
