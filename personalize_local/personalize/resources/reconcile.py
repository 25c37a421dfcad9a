"""What the passing of time brings about, caught up with before every call: finished timelines, followers, schedules."""

from collections.abc import Iterator
from contextlib import contextmanager

from personalize_local.personalize.operations.campaigns import follow_latest
from personalize_local.personalize.operations.solution_versions import finish
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.automatic_training import train_what_is_due


@contextmanager
def reconciled(account: Account) -> Iterator[None]:
    """Hold the account's lock, with everything as it has to be at this moment."""
    with account.lock:
        changed = account.apply_due_changes()
        nouns = {record.type.noun for record in changed}
        for version in (record for record in changed if record.type.noun == "solution_version"):
            finish(account, version)
        if nouns & {"solution_version", "campaign"}:
            for campaign in account.all("campaign"):
                follow_latest(account, campaign)
        train_what_is_due(account)
        yield
