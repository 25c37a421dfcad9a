"""Remember what concerns later events: sessions of people not signed in yet, and ids already seen."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

_SESSIONS_AT_MOST: Final = 10_000
_EVENTS_AT_MOST: Final = 100_000


class Sessions:
    """Rows by tracker and session; the oldest sessions are forgotten first."""

    def __init__(self) -> None:
        self._rows: OrderedDict[tuple[str, str], list[dict[str, Any]]] = OrderedDict()

    def keep(self, tracker: str, session: str, rows: Sequence[dict[str, Any]]) -> None:
        """Remember rows of an anonymous session."""
        self._rows.setdefault((tracker, session), []).extend(rows)
        while len(self._rows) > _SESSIONS_AT_MOST:
            self._rows.popitem(last=False)

    def take(self, tracker: str, session: str) -> list[dict[str, Any]]:
        """Return and forget what a session did before its user was known."""
        return self._rows.pop((tracker, session), [])


class SeenEvents:
    """The event ids of each tracker; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._ids: OrderedDict[tuple[str, str], None] = OrderedDict()

    def is_new(self, tracker: str, event_id: str | None) -> bool:
        """Tell whether an event has not come before; one without an id is always new."""
        if event_id is None:
            return True
        key = (tracker, event_id)
        is_new = key not in self._ids
        self._ids[key] = None
        if len(self._ids) > _EVENTS_AT_MOST:
            self._ids.popitem(last=False)
        return is_new
