"""Find the users closest to an item or an attribute, in a batch."""

import json
from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from personalize_local.engine.api import BatchSpec, EngineError
from personalize_local.engine.datasets.snapshot import Snapshot
from personalize_local.engine.filters.filter_masks import bind_filter
from personalize_local.engine.interactions.histories import Floats
from personalize_local.engine.interactions.training_data import TrainingData
from personalize_local.engine.serving.batch_records import BatchRecords

SEGMENTS_PER_CHUNK = 64


class SegmentScorer(Protocol):
    """A fitted segment algorithm."""

    record_field: ClassVar[str]

    def scores(self, data: TrainingData, keys: Sequence[str]) -> Floats:
        """Return float32 users x keys: how close each user is to each key."""


class BatchSegments:
    """One batch segment job."""

    def __init__(self, spec: BatchSpec, scorer: SegmentScorer, data: TrainingData, live: Snapshot) -> None:
        self._spec, self._scorer, self._data = spec, scorer, data
        self._filter = bind_filter(spec.filter, live) if spec.filter else None

    def answer(self, records: BatchRecords) -> pl.Series:
        """Return the users of each record as JSON text; an error is noted in the records."""
        outputs: list[str | None] = [None] * len(records)
        for row in records.errors.is_null().arg_true().to_list():
            try:
                outputs[row] = self._segment(row, records)
            except EngineError as error:
                records.refuse(row, str(error))
        return pl.Series(outputs, dtype=pl.String)

    def _segment(self, row: int, records: BatchRecords) -> str:
        scores = self._scorer.scores(self._data, [records.keys[row]])[:, 0]
        users = closest(scores, self._spec.num_results, self._allowed(row, records))
        return json.dumps({"usersList": self._data.user_ids.gather(users).to_list()})

    def _allowed(self, row: int, records: BatchRecords) -> npt.NDArray[np.bool_] | None:
        if self._filter is None or self._spec.filter is None:
            return None
        values = {**self._spec.filter.values, **records.values(row)}
        return np.asarray(self._filter.user_mask(self._data.user_ids, values))


def closest(scores: Floats, count: int, allowed: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.int64]:
    """Return the users with the highest scores, best first; users the score says nothing about come last.

    `scores` is float32 and `allowed` bool of shape (users,), the answer int64 positions.
    """
    users = np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed)
    values = scores[users]
    if count < len(users):
        kept = np.argpartition(-values, count)[:count]
        users, values = users[kept], values[kept]
    return np.asarray(users[np.lexsort((users, -values))])
