"""The service's quotas, and the two kinds of being full: some free themselves, others wait for a deletion."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from personalize_local.personalize.controls.faults import FAULTS
from personalize_local.personalize.controls.switches import SWITCHES
from personalize_local.personalize.protocol.service_errors import limit_exceeded
from personalize_local.personalize.resources.account import Account


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

# The types without a quota of their own can be declared full by an injected fault all the same.
UNCOUNTED: Final = Quota(0, "present", "region")


@dataclass
class Quotas:
    """The limits in force; change `table` to ask for more, as one does with Service Quotas."""

    table: dict[str, Quota] = field(default_factory=lambda: dict(DEFAULTS))

    def reset(self) -> None:
        """Go back to the service's defaults."""
        self.table = dict(DEFAULTS)

    def check(self, account: Account, noun: str, group_arn: str | None = None) -> None:
        """Raise LimitExceededException when one more resource of the type would be too many."""
        quota = self.table.get(noun, UNCOUNTED)
        is_full = quota is not UNCOUNTED and SWITCHES.quotas and _count(account, noun, quota, group_arn) >= quota.limit
        if is_full or FAULTS.is_quota_full(noun):
            raise limit_exceeded(_message(noun, quota))


def _count(account: Account, noun: str, quota: Quota, group_arn: str | None) -> int:
    counted = account.under_way(noun) if quota.counts == "busy" else account.all(noun)
    return sum(1 for record in counted if quota.per == "region" or record.group_arn == group_arn)


def _message(noun: str, quota: Quota) -> str:
    if quota.counts == "busy":
        return f"More than {quota.limit} resources with PENDING or IN_PROGRESS status"
    name = noun.replace("_", " ")
    return (
        f"Cannot create a {name}. More than {quota.limit} resources in ACTIVE state. Please delete some and try again"
    )


QUOTAS = Quotas()
