"""Make lists for many records at once: the same scores, filters and exploration as one question gets."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from personalize_local.engine.api import BatchSpec, EngineError
from personalize_local.engine.datasets.snapshot import Snapshot
from personalize_local.engine.evaluation.ranked_lists import ranked
from personalize_local.engine.evaluation.top_k import Score, TopK
from personalize_local.engine.filters.filter_masks import bind_filter
from personalize_local.engine.interactions.histories import Floats, Histories, find
from personalize_local.engine.interactions.training_data import load_histories
from personalize_local.engine.serving.batch_records import BatchRecords
from personalize_local.engine.serving.exploration import Lists, exploration_of, keys_for
from personalize_local.engine.serving.questions import LoadedModel, Question

Mask = npt.NDArray[np.bool_]

_MOST_AT_ONCE = 50_000
_MASK_BYTES = 128 << 20


class BatchLists:
    """One job's model, the histories of today, and its filter."""

    def __init__(self, spec: BatchSpec, model: LoadedModel, question: Question, live: Snapshot) -> None:
        self.model, self._question = model, question
        self.catalogue = model.data.catalogue
        self.count = spec.num_results
        self.filter = bind_filter(spec.filter, live) if spec.filter else None
        self._given = spec.filter.values if spec.filter else {}
        self.user_ids, self._histories = model.data.user_ids, model.data.histories
        if question.reads_histories:
            self.user_ids, self._histories = load_histories(live, model.events, self.catalogue)
        self.scorer = model.scorer.influenced(spec.config)
        self.items_schema = live.schemas.get("ITEMS")
        self._explore = exploration_of(model.exploration_weight, spec.config, self.catalogue, model.newest_event)

    @property
    def chunk_size(self) -> int:
        """How many records to answer in one go."""
        per_record = self.count * self.count  # listed items are compared with drawn ones
        if self.filter is not None:
            per_record += len(self.catalogue)
        return max(1, min(_MOST_AT_ONCE, _MASK_BYTES // max(1, per_record)))

    def histories(self, users: pl.Series) -> Histories:
        """Return the users' histories; unknown users have none."""
        return self._histories.of(find(self.user_ids, users))

    def answer(self, records: BatchRecords) -> pl.Series:
        """Return the output of each record as JSON text."""
        queries = self._question.of_keys(self.model, records.keys, self.histories(records.keys))
        masks = self._masks(records)
        best, items, scores = self._best(queries, records, masks)
        if not self._question.scored or best.log_totals is None:
            return listed(self.catalogue.ids, items, None)
        return listed(self.catalogue.ids, items, np.exp(scores - best.log_totals[:, None]))

    def mask_for(self, row: int, records: BatchRecords) -> Mask | None:
        """Return which items one record's filter lets through; a record with bad values is refused.

        Returns bool of shape (items,).
        """
        if self.filter is None:
            return None
        key = records.keys[row]
        values = {**self._given, **records.values(row)}
        try:
            bound = self.filter.for_query(*self._question.subject(key), values)
            return np.asarray(bound.mask(self.catalogue.ids))
        except EngineError as error:
            records.refuse(row, str(error))
            return np.zeros(len(self.catalogue), dtype=np.bool_)

    def _masks(self, records: BatchRecords) -> Mask | None:
        if self.filter is None:
            return None
        masks = np.zeros((len(records), len(self.catalogue)), dtype=np.bool_)
        known: dict[tuple[tuple[str, str], ...], Mask | None] = {}
        for row in records.errors.is_null().arg_true().to_list():
            values = tuple(sorted(records.values(row).items()))
            if self.filter.per_user or values not in known:
                known[values] = self.mask_for(row, records)
            masks[row] = known[values]
        return masks

    def _best(self, queries: Histories, records: BatchRecords, masks: Mask | None) -> tuple[TopK, Lists, Floats]:
        explore, size = self._explore, len(self.catalogue)
        keys = keys_for(self.model.seed, records.keys) if explore else np.zeros(0, dtype=np.uint64)
        drawn = _Drawn(len(records), self.count)

        def restrict(start: int, stop: int, block: npt.NDArray[np.float32]) -> None:
            if masks is not None:
                block[~masks[start:stop]] = -np.inf
            if explore:
                places = explore.draw(block, keys[start:stop], self.count)
                drawn.keep(start, places, np.take_along_axis(block, np.maximum(places, 0).astype(np.int64), axis=1))

        cold = self._cold_rows(queries, records)
        best = ranked(
            self.scorer, queries, size, self.count, restrict=restrict, adjust=cold, totals=self._question.scored
        )
        if explore is None:
            return best, best.items, best.scores
        swap = explore.plan(best.items, drawn.items, keys)
        return best, swap.apply(best.items, drawn.items), swap.apply(best.scores, drawn.scores)

    def _cold_rows(self, queries: Histories, records: BatchRecords) -> Score | None:
        """Return what adds the metadata of users without history."""
        known, empty = self.model.cold_users, queries.lengths == 0
        if known is None or not empty.any():
            return None

        def add(start: int, stop: int, block: npt.NDArray[np.float32]) -> None:
            for row in np.flatnonzero(empty[start:stop]):
                known.add([records.keys[start + int(row)] or ""], block[row : row + 1])

        return add


class _Drawn:
    """New items drawn for each record, and their scores."""

    def __init__(self, rows: int, count: int) -> None:
        self.items = np.full((rows, count), -1, dtype=np.int32)
        self.scores = np.zeros((rows, count), dtype=np.float32)

    def keep(self, start: int, items: Lists, scores: Floats) -> None:
        """Remember the draws of a block."""
        rows, columns = items.shape
        self.items[start : start + rows, :columns] = items
        self.scores[start : start + rows, :columns] = scores


def listed(ids: pl.Series, items: Lists, scores: npt.NDArray[np.float32] | None) -> pl.Series:
    """Return lists of items, and their scores when there are any, as JSON text.

    `items` is int32, -1 for none, and `scores` float32, both of shape (lists, places).
    """
    rows, length = items.shape
    flat = items.ravel()
    known = pl.Series(flat >= 0)
    names = ids.gather(pl.Series(np.maximum(flat, 0)))
    columns: Mapping[str, pl.Series] = {"recommendedItems": names}
    if scores is not None:
        columns = {**columns, "scores": pl.Series(scores.ravel())}
    frame = pl.DataFrame(
        {
            name: pl.select(pl.when(known).then(values)).to_series().reshape((rows, length)).arr.to_list()
            for name, values in columns.items()
        }
    )
    if not known.all():
        frame = frame.with_columns(pl.all().list.drop_nulls())
    return frame.select(pl.struct(pl.all()).struct.json_encode()).to_series()
