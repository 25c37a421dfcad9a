"""Let time pass to where something changes, waiting for real work that has to end first."""

import time
from collections.abc import Iterator
from typing import Final

from personalize_local.clock import CLOCK
from personalize_local.personalize.protocol.models import accounts
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.job_runner import RunningJob
from personalize_local.personalize.resources.reconcile import reconciled
from personalize_local.personalize.resources.status_timeline import StatusTimeline

WAIT_SECONDS: Final = 1.0  # real, for work, before a question is answered: so that polling does not become spinning


def skip_to_next_change(account: Account, wait_seconds: float = WAIT_SECONDS) -> bool:
    """Let time pass to the next change of an account; return whether anything is under way.

    Where nothing is left but real work, wait for its end instead, for at most so many seconds.
    """
    with account.lock:
        under_way = list(_transitions(account))
    ends = [end for each in under_way if (end := each.end) is not None]
    if ends:
        CLOCK.go_on_from(min(ends))
    elif under_way:
        _wait(under_way[0], wait_seconds)
    return bool(under_way)


def _transitions(account: Account) -> Iterator[StatusTimeline]:
    """Yield what is not over at this moment of the clock: timelines of resources and of their updates."""
    now = CLOCK.time()
    for record in account.everything():
        for each in (record.timeline, record.update and record.update.timeline):
            if each and not each.at(now).over:
                yield each


def _wait(transition: StatusTimeline, seconds: float) -> None:
    if isinstance(transition.job, RunningJob):
        transition.job.wait(seconds)


def settle(timeout_seconds: float) -> None:
    """Let time pass until nothing is under way in any account. Raises TimeoutError after so many real seconds."""
    deadline = time.monotonic() + timeout_seconds
    while any(_passed(account) for account in accounts()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"work is still under way after {timeout_seconds:g} s")


def _passed(account: Account) -> bool:
    with reconciled(account):
        pass
    return skip_to_next_change(account)
