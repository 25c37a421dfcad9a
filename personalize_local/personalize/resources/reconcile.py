"""Apply state changes whose simulated time has come: ended timelines, campaigns that follow, automatic trainings."""

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
        checked_changes, holds_until = account.trainings_checked
        if changed or checked_changes != account.changes or account.now() >= holds_until:
            holds_until = train_what_is_due(account)
            account.trainings_checked = (account.changes, holds_until)
        yield
