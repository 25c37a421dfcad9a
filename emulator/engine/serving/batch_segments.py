"""Batch segment jobs: for an item or an attribute, the users closest to it."""

import json

import numpy as np
import numpy.typing as npt
import polars as pl

from emulator.engine.api import BatchSpec, EngineError
from emulator.engine.datasets.snapshot import Snapshot
from emulator.engine.filters.filter_masks import bind_filter
from emulator.engine.recipes.item_affinity import closest
from emulator.engine.serving.batch_records import BatchRecords
from emulator.engine.serving.segment_model import SegmentModel

SEGMENTS_PER_CHUNK = 64
FIELDS = {"item_affinity": "itemId", "attribute_affinity": "itemAttributes"}


class BatchSegments:
    """One batch segment job."""

    def __init__(self, spec: BatchSpec, model: SegmentModel, live: Snapshot) -> None:
        self._spec, self._model = spec, model
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
        scores = self._model.scores([records.keys[row]])[:, 0]
        users = closest(scores, self._spec.num_results, self._allowed(row, records))
        return json.dumps({"usersList": self._model.data.user_ids.gather(users).to_list()})

    def _allowed(self, row: int, records: BatchRecords) -> npt.NDArray[np.bool_] | None:
        if self._filter is None or self._spec.filter is None:
            return None
        values = {**self._spec.filter.values, **records.values(row)}
        return np.asarray(self._filter.user_mask(self._model.data.user_ids, values))
