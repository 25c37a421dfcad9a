"""Draw how long things take on AWS: typical simulated seconds with a seeded jitter.

The figures are those seen in the executed notebooks of aws-samples/amazon-personalize-samples and in
aws-samples/retail-demo-store, and the developer guide's own hints.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from personalize_local.clock import CLOCK

_MINUTE: Final = 60.0
_TYPICAL: Final[Mapping[str, float]] = {
    "create dataset_group": 30.0,
    "create dataset": 20.0,
    "create dataset_import_job": 4 * _MINUTE,
    "create dataset_export_job": 4 * _MINUTE,
    "create data_deletion_job": 30 * _MINUTE,
    "create event_tracker": 20.0,
    "create filter": 15.0,
    "create filter with CurrentItem": 4 * _MINUTE,
    "create solution": 4.0,  # AWS's own deployed code waits 5 s for it, or not at all
    "create solution_version": 20 * _MINUTE,
    "create campaign": 10 * _MINUTE,
    "create recommender": 40 * _MINUTE,
    "create batch_inference_job": 18 * _MINUTE,
    "create batch_segment_job": 30 * _MINUTE,
    "create metric_attribution": 60.0,
    "update dataset": 2 * _MINUTE,
    "update solution": 30.0,
    "update campaign": 8 * _MINUTE,
    "update recommender": 10 * _MINUTE,
    "update metric_attribution": 30.0,
    "start recommender": 10 * _MINUTE,
    "stop recommender": 5 * _MINUTE,
    "stop solution_version": 2 * _MINUTE,
    "delete dataset_group": 30.0,
    "delete dataset": 60.0,
    "delete event_tracker": 20.0,
    "delete filter": 20.0,
    "delete solution": 60.0,
    "delete campaign": 2 * _MINUTE,
    "delete recommender": 2 * _MINUTE,
    "delete metric_attribution": 30.0,
}
# 100,000 interactions train in about 20 minutes and 25 million in about 6 hours (AWS's own cheat sheet, 2024).
TRAINING_SECONDS_PER_ROW: Final = (6 * 60 - 20) * _MINUTE / 25_000_000
QUICK_SECONDS: Final = 60.0  # what takes no longer is waited for in real seconds, by sleeping or not at all
HPO_FACTOR: Final = 2.0
IMPORT_SECONDS_PER_MEBIBYTE: Final = 0.6


@dataclass
class Durations:
    """The table in use. Change `seconds`, `jitter` (0.2 is ±20 %) or `seed` at any time; what runs keeps its own."""

    seconds: dict[str, float] = field(default_factory=lambda: dict(_TYPICAL))
    jitter: float = 0.1
    seed: int = 0

    def draw(self, what: str, key: str, extra_seconds: float = 0.0, slowness: float = 1.0) -> float:
        """Return the simulated seconds of one case; the same seed and key give the same answer.

        What is quick takes at most as many real seconds, however slow the clock: its callers sleep in those.
        """
        seconds = (self.seconds[what] + extra_seconds) * (1 + self.jitter * self._swing(f"{what} {key}")) * slowness
        return seconds * min(1.0, CLOCK.speed) if self.seconds[what] * slowness <= QUICK_SECONDS else seconds

    def _swing(self, key: str) -> float:
        digest = hashlib.sha256(f"{self.seed} {key}".encode()).digest()
        return int.from_bytes(digest[:4]) / 2**31 - 1

    def set_seconds(self, what: str, seconds: float) -> None:
        """Change one typical duration. Raises ValueError for one that is not in the table."""
        if what not in self.seconds:
            raise ValueError(f"no duration {what!r}; there are {', '.join(self.seconds)}")
        self.seconds[what] = seconds
