"""List the service's quotas, of two kinds: those of busy resources free themselves, the others need a deletion."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal


@dataclass(frozen=True)
class Quota:
    """How many resources of a type there may be: busy ones, or any; in a region, or in one dataset group."""

    limit: int
    counts: Literal["busy", "present"]
    per: Literal["region", "dataset group"]
    adjustable: bool = False


DEFAULTS: Final[Mapping[str, Quota]] = {
    "schema": Quota(500, "present", "region"),
    "dataset_group": Quota(5, "present", "region", adjustable=True),
    "dataset_import_job": Quota(5, "busy", "region"),
    "solution_version": Quota(20, "busy", "region", adjustable=True),
    "batch_inference_job": Quota(5, "busy", "region", adjustable=True),
    "batch_segment_job": Quota(5, "busy", "region"),
    "data_deletion_job": Quota(5, "busy", "dataset group", adjustable=True),
    "solution": Quota(10, "present", "dataset group", adjustable=True),
    "campaign": Quota(5, "present", "dataset group", adjustable=True),
    "recommender": Quota(5, "present", "dataset group"),
    "filter": Quota(30, "present", "dataset group", adjustable=True),
}


@dataclass
class Quotas:
    """The limits in force; change `table` to ask for more, as one does with Service Quotas."""

    table: dict[str, Quota] = field(default_factory=lambda: dict(DEFAULTS))

    def set_limit(self, noun: str, limit: int) -> None:
        """Change one limit. Raises KeyError for a type without a quota."""
        self.table[noun] = replace(self.table[noun], limit=limit)


def refusal(noun: str, quota: Quota | None) -> str:
    """Return the service's words for a full quota; a type without one can be declared full by an injected fault."""
    limit = quota.limit if quota else 0
    if quota is not None and quota.counts == "busy":
        return f"More than {limit} resources with PENDING or IN_PROGRESS status"
    name = noun.replace("_", " ")
    return f"Cannot create a {name}. More than {limit} resources in ACTIVE state. Please delete some and try again"
