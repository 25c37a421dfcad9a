"""Hold everything that works on a dataset group for one execution, and let it go again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambdas.bucket_layout import DATASETS, dataset_key_of
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.lifecycle import Phase, phase_of
from lambdas.personalize.resources import RESOURCES
from lambdas.uploads.import_starter import ImportStarter
from lambdas.uploads.import_state import Batch
from lambdas.uploads.lease import Leases
from lambdas.uploads.ledger import Ledger


class GroupBusyError(Exception):
    """A run of the group is under way: it might train on what is about to be forgotten."""


@dataclass(frozen=True)
class GroupLeases:
    """The leases of a group: one of its runs, one of each dataset."""

    leases: Leases

    def take(self, group: str, execution: str, personalize: Personalize, now: datetime) -> list[dict[str, Any]]:
        """Take them all; return the import jobs that have to end before the rest can be taken.

        An execution that has not committed to an import job loses its lease, and finds that out with its next write.
        Raises GroupBusyError.
        """
        holder = self.leases.take(dataset_key_of(group, "pipeline"), execution).holder
        if holder != execution:
            raise GroupBusyError(f"{holder} is under way for {group}: wait for its end, or stop it, and start again")
        held = [self.leases.take(dataset_key_of(group, name), execution, urgent=True) for name in DATASETS]
        jobs = [(lease, Batch.model_validate_json(lease.batch).request) for lease in held if lease.batch is not None]
        return [job for lease, job in jobs if lease.holder != execution or _is_running(personalize, job, now)]

    def let_go(self, group: str, execution: str, ledger: Ledger, starter: ImportStarter) -> list[str]:
        """Give them back; return the datasets for which an import of what came meanwhile was started."""
        self.leases.give_up(dataset_key_of(group, "pipeline"), execution)
        woken = []
        for dataset_key in (dataset_key_of(group, name) for name in DATASETS):
            self.leases.give_up(dataset_key, execution)
            if ledger.has_unsettled(dataset_key):
                starter.announce(dataset_key)
                woken.append(dataset_key)
        return woken


def _is_running(personalize: Personalize, job: dict[str, Any], now: datetime) -> bool:
    """Say whether a job that a dead execution has left is under way; its files are settled by the next import."""
    described = personalize.find(RESOURCES["dataset_import_job"], job, now)
    return described is not None and phase_of(described["status"]) is Phase.CHANGING
