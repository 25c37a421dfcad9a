"""Compute how long to wait before the next look at a resource that is changing.

The best moments to look follow from how long the change will take. Where the service's own history tells, that is how
long earlier ones took; otherwise the typical duration of the type, which may be far off. Between the earliest and the
latest end that is expected, looks are evenly spaced; a spacing that grows with the square root of that window spends a
given number of looks on many different jobs with the least total delay (docs/decisions/0006-when-to-look.md).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from lambdas.personalize.resources import Cadence

_SHARE_WITHOUT_HISTORY: Final = 0.2  # of the typical duration: half the window in which the end is expected
_SHARE_WITH_HISTORY: Final = 0.02
_EARLY_LOOK: Final = 0.4  # of the typical duration: one look for those whose data is small
_SPACING_WITHOUT_HISTORY: Final = 6.5  # seconds between looks per square root of the window's seconds
_SPACING_WITH_HISTORY: Final = 2.5  # a narrow window affords closer looks
_SHORTEST_SECONDS: Final = 5
_GROWTH: Final = 0.1  # beyond the window, a look's delay is at most this share of the age
_REMEMBERED: Final = 5  # how many earlier durations count


@dataclass(frozen=True)
class Expectation:
    """When a change is expected to end, counted from its beginning: `seconds` ± `spread_seconds`."""

    seconds: float
    spread_seconds: float
    guessed: bool = False


def expect(cadence: Cadence, durations: Sequence[float]) -> Expectation:
    """Return what `durations` (seconds, newest first) of earlier changes of the same kind let us expect."""
    remembered = durations[:_REMEMBERED]
    if not remembered:
        typical = float(cadence.typical_seconds)
        return Expectation(typical, typical * _SHARE_WITHOUT_HISTORY, guessed=True)
    middle = median(remembered)
    seen = (max(remembered) - min(remembered)) / 2
    return Expectation(middle, max(seen, middle * _SHARE_WITH_HISTORY))


def wait_seconds(age_seconds: float, expectation: Expectation, cadence: Cadence) -> int:
    """Return how long to wait before looking again at a change that began `age_seconds` ago; at least a second."""
    next_look = next(look for look in _looks(expectation, cadence) if look >= age_seconds + _SHORTEST_SECONDS)
    return max(1, min(math.ceil(next_look - age_seconds), cadence.longest_wait_seconds))


def _looks(expectation: Expectation, cadence: Cadence) -> Iterator[float]:
    """Yield the ages at which to look, in order, without end."""
    if expectation.guessed and cadence.follows_data:
        yield expectation.seconds * _EARLY_LOOK
    per_root = _SPACING_WITHOUT_HISTORY if expectation.guessed else _SPACING_WITH_HISTORY
    spacing = max(_SHORTEST_SECONDS, per_root * math.sqrt(2 * expectation.spread_seconds))
    latest = expectation.seconds + expectation.spread_seconds
    look = max(0.0, expectation.seconds - expectation.spread_seconds)
    while True:  # at the very beginning of the window nothing is done yet
        look += spacing if look < latest else max(spacing, look * _GROWTH)
        yield look
