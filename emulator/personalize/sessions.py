"""Events of people not signed in yet, kept until somebody signs in during the same session."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

_SESSIONS_AT_MOST: Final = 10_000


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
