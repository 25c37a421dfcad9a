"""Remember which outcomes were told, so that an event that comes twice is told once."""

from typing import Final

from lambdas.gateways.table import ABSENT, Table
from lambdas.notices.run_outcome import RunOutcome

ENTRY: Final = "notice"
_SECONDS_KEPT: Final = 14 * 86_400  # events are redelivered for a day at most


class NoticeLog:
    """The notices in the ledger's table: a row per outcome, with the request that tells it."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def begin(self, outcome: RunOutcome, request_id: str, now_seconds: int) -> bool:
        """Say whether this request is to tell the outcome: nobody began to, or it did itself and died.

        Lambda tries an asynchronous invocation again under its request id; a duplicate of the event has another.
        """
        return self._table.change(
            _name(outcome),
            ENTRY,
            put={"teller": request_id, "expires_at": now_seconds + _SECONDS_KEPT},
            when={"teller": (ABSENT, request_id), "told": ABSENT},
        )

    def end(self, outcome: RunOutcome) -> None:
        """Write down that the outcome was told."""
        self._table.change(_name(outcome), ENTRY, put={"told": True})


def _name(outcome: RunOutcome) -> str:
    # A redriven execution may end a second time, which is another outcome.
    return f"{outcome.execution_arn}#{outcome.redrives}"
