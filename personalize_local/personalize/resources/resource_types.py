"""Say how each resource type lives; the project's resource table says what it is called."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lambdas.personalize.resources import RESOURCES
from lambdas.personalize.resources import ResourceType as Naming
from personalize_local.personalize.resources.status_timeline import CREATE, DELETION_JOB, UPDATE, StatusWords


@dataclass(frozen=True)
class ResourceLifecycle:
    """A row of the resource table with its lifecycle."""

    naming: Naming
    words: StatusWords | None  # None: no status at all
    update_words: StatusWords
    taggable: bool

    @property
    def noun(self) -> str:
        """The type, in snake case."""
        return self.naming.noun

    @property
    def camel(self) -> str:
        """The type as a member's name."""
        return self.naming.camel

    @property
    def arn_key(self) -> str:
        """The member that holds the type's ARN."""
        return self.naming.arn_key

    @property
    def named(self) -> str:
        """The member that holds the name."""
        return self.naming.name_key

    @property
    def path(self) -> str:
        """The first part of the resource in an ARN."""
        return "solution" if self.noun == "solution_version" else self.noun.replace("_", "-")


# The words of an update that are shown in the resource's own status, not in a member of their own.
_UPDATED_IN_PLACE: Final = frozenset({"dataset", "metric_attribution"})
_NEVER_TAGGED: Final = frozenset({"schema", "metric_attribution"})


def _type(row: Naming) -> ResourceLifecycle:
    words = DELETION_JOB if row.noun == "data_deletion_job" else CREATE
    return ResourceLifecycle(
        naming=row,
        words=words if row.has_status else None,
        update_words=UPDATE if row.noun in _UPDATED_IN_PLACE else CREATE,
        taggable=row.noun not in _NEVER_TAGGED,
    )


TYPES: Final[Mapping[str, ResourceLifecycle]] = {row.noun: _type(row) for row in RESOURCES.values()}
