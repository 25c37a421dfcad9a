"""Say of each resource type what the service calls it, and how it lives.

tests/contract compares the names with botocore's model and with the table of the control plane, which is not installed
with this package.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from personalize_local.personalize.resources.status_timeline import CREATE, DELETION_JOB, UPDATE, StatusWords


@dataclass(frozen=True)
class ResourceLifecycle:
    """A type of resource: its names, where they depart from the service's rule, and its status words."""

    noun: str  # in snake case
    parent: str | None = None  # the noun whose ARN narrows List
    named: str = "name"  # the member that holds the name
    words: StatusWords | None = CREATE  # None: no status at all
    update_words: StatusWords = CREATE
    updatable: bool = False  # in a member of its own that tells of the latest update
    taggable: bool = True
    list_key: str | None = None  # where List answers, when not the plural

    @property
    def pascal(self) -> str:
        """The type as in the names of operations."""
        return "".join(word.capitalize() for word in self.noun.split("_"))

    @property
    def camel(self) -> str:
        """The type as a member's name."""
        return self.pascal[0].lower() + self.pascal[1:]

    @property
    def arn_key(self) -> str:
        """The member that holds the type's ARN."""
        return f"{self.camel}Arn"

    @property
    def path(self) -> str:
        """The first part of the resource in an ARN."""
        return "solution" if self.noun == "solution_version" else self.noun.replace("_", "-")

    @property
    def parent_key(self) -> str | None:
        """The parameter by which List is narrowed to one parent."""
        return TYPES[self.parent].arn_key if self.parent else None

    @property
    def summaries_key(self) -> str:
        """The member in which List answers."""
        return self.list_key or f"{self.camel}s"

    @property
    def update_key(self) -> str:
        """The member in which Describe tells about the latest update."""
        return f"latest{self.pascal}Update"


def _job(noun: str, parent: str, words: StatusWords = CREATE) -> ResourceLifecycle:
    return ResourceLifecycle(noun, parent, named="jobName", words=words)


# An update of a dataset or a metric attribution shows in its own status.
_ROWS: Final = (
    ResourceLifecycle("schema", words=None, taggable=False),
    ResourceLifecycle("dataset_group"),
    ResourceLifecycle("dataset", "dataset_group", update_words=UPDATE, updatable=True),
    _job("dataset_import_job", "dataset"),
    _job("dataset_export_job", "dataset"),
    _job("data_deletion_job", "dataset_group", DELETION_JOB),
    ResourceLifecycle("event_tracker", "dataset_group"),
    ResourceLifecycle("filter", "dataset_group", list_key="Filters"),
    ResourceLifecycle("metric_attribution", "dataset_group", update_words=UPDATE, taggable=False),
    ResourceLifecycle("solution", "dataset_group", updatable=True),
    ResourceLifecycle("solution_version", "solution"),
    ResourceLifecycle("campaign", "solution", updatable=True),
    ResourceLifecycle("recommender", "dataset_group", updatable=True),
    _job("batch_inference_job", "solution_version"),
    _job("batch_segment_job", "solution_version"),
)

TYPES: Final[Mapping[str, ResourceLifecycle]] = {row.noun: row for row in _ROWS}
