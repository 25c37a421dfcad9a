"""Read a moment as people write it, as seconds since 1970."""

import re
from datetime import UTC, datetime
from typing import Final

from lambdas.file_checks.columns import FIRST_MILLISECONDS

_THOUSAND: Final = 1_000
_NUMBER: Final = re.compile(r"-?\d{1,19}(\.\d*)?")


def seconds_of(text: str) -> int | None:
    """Return whole seconds since 1970, of seconds, milli-, micro- or nanoseconds or an ISO date; None for other text.

    A date without a zone is UTC.
    """
    if _NUMBER.fullmatch(text):
        seconds = int(text.partition(".")[0])
        while abs(seconds) >= FIRST_MILLISECONDS:
            seconds //= _THOUSAND
        return seconds
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
