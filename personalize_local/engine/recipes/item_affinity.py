"""Fit Item-Affinity and Item-Attribute-Affinity: who is closest to an item, or to items with an attribute."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from personalize_local.engine.api import EngineError
from personalize_local.engine.datasets.snapshot import Snapshot
from personalize_local.engine.evaluation.metrics import rounded, segment_metrics
from personalize_local.engine.evaluation.ranked_lists import Scorer
from personalize_local.engine.interactions.held_out import UserSplit, segments_held_out
from personalize_local.engine.interactions.histories import Floats, Histories
from personalize_local.engine.interactions.model_files import load_arrays, save_arrays
from personalize_local.engine.interactions.sparse_matrices import Sparse, from_cells, from_rows, widened
from personalize_local.engine.interactions.training_data import Catalogue, TrainingData, load_training_data
from personalize_local.engine.interactions.training_options import TrainingOptions
from personalize_local.engine.linear_models.cooccurrence import CooccurrenceCounts
from personalize_local.engine.linear_models.item_weights import ACTIVITY, base_weights
from personalize_local.engine.linear_models.weights import blend
from personalize_local.engine.processes.parallel_rows import in_parallel
from personalize_local.engine.serving.served_models import Segments

_USERS_AT_ONCE = 4096
_TEST = re.compile(r'\s*(?:ITEMS\.)?([A-Za-z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*', re.IGNORECASE)
_MOST_QUESTIONS = 200


@dataclass(frozen=True)
class Affinity:
    """Item-to-item weights; a user is as close to an item as the items of the history are."""

    weights: Sparse

    def users_by_question(self, histories: Histories, questions: Sparse) -> Floats:
        """Return users x questions: the closeness to the items each question (a column) consists of.

        `questions` is float32 of shape (items, questions), the answer float32 of shape (users, questions).
        """
        toward = (self.weights @ questions).tocsr()
        n_items = self.weights.shape[0]
        scores = np.empty((len(histories), questions.shape[1]), dtype=np.float32)

        def band(first: int, last: int) -> None:
            for start in range(first, last, _USERS_AT_ONCE):
                stop = min(start + _USERS_AT_ONCE, last)
                part = histories.slice(start, stop)
                (part.matrix(n_items, np.ones(len(part.items), dtype=np.float32)) @ toward).toarray(
                    out=scores[start:stop]
                )

        in_parallel(band, len(histories), _USERS_AT_ONCE)
        return scores


def one_per_item(items: npt.NDArray[np.integer], n_items: int) -> Sparse:
    """Return a question for each item, which consists of that item; -1 asks for nothing.

    Returns float32 of shape (n_items, len(items)).
    """
    known = np.flatnonzero(items >= 0)
    return from_cells(np.ones(len(known)), items[known], known, (n_items, len(items)))


def parse_attributes(text: str) -> list[tuple[str, str]]:
    """Return (column, value) of each test in `ITEMS.genres = "Comedy" AND ITEMS.genres = "Action"`.

    Raises EngineError when the text has anything else.
    """
    tests, position = [], 0
    while True:
        test = _TEST.match(text, position)
        if test is None:
            raise EngineError(f"Invalid itemAttributes: only = and AND between ITEMS columns are allowed, not {text!r}")
        tests.append((test[1], test[2]))
        position = test.end()
        if position == len(text):
            return tests
        if text[position : position + 3].upper() != "AND":
            raise EngineError(f"Invalid itemAttributes: expected AND after {text[:position]!r}")
        position += 3


def items_with(catalogue: Catalogue, tests: Sequence[tuple[str, str]]) -> Sparse:
    """Return a question for each test: the items whose column holds the value, which may be one of several in it.

    Returns float32 of shape (items, tests).

    Raises EngineError without an Items dataset, or without the column.
    """
    if catalogue.metadata is None:
        raise EngineError("The recipe needs an Items dataset")
    by_name = {name.upper(): name for name in catalogue.metadata.columns}
    rows, columns = [], []
    for position, (column, value) in enumerate(tests):
        if column.upper() not in by_name:
            raise EngineError(f"The Items dataset has no column {column}")
        held = catalogue.metadata[by_name[column.upper()]].cast(pl.String).str.split("|").list.contains(value)
        carrying = np.flatnonzero(held.fill_null(value=False).to_numpy())
        rows.append(carrying)
        columns.append(np.full(len(carrying), position))
    where = np.concatenate(rows)
    return from_cells(np.ones(len(where)), where, np.concatenate(columns), (len(catalogue), len(tests)))


def fit_affinity(data: TrainingData, options: TrainingOptions, histories: Histories) -> Affinity:
    """Fit the order-blind item-to-item weights."""
    counted = CooccurrenceCounts(data.catalogue.warm, 0, ACTIVITY)
    counted.add(histories)
    keep = 2 * int(options.number("hidden_dimension"))
    return Affinity(widened(blend(base_weights(counted), None, 0.0, keep), len(data.catalogue)))


class SegmentEstimator(ABC):
    """Segments of users: everybody's newest fifth is what they should have foreseen."""

    served_by = Segments
    cold_user_metadata = False
    lists_are_drawn = False
    record_field: ClassVar[str]
    settings: Mapping[str, Any] = {}
    fitted: Affinity

    def __init__(self, options: TrainingOptions) -> None:
        self.options = options

    @abstractmethod
    def scores(self, data: TrainingData, keys: Sequence[str]) -> Floats:
        """Return float32 users x keys: how close each user is to each key; a key that makes no sense is an error."""

    @abstractmethod
    def sample_questions(self, data: TrainingData, truth: Histories) -> Sparse:
        """Return items x questions to measure with: at most a few hundred.

        Returns float32 of shape (items, questions).
        """

    @classmethod
    def read(cls, snapshot: Snapshot, options: TrainingOptions) -> TrainingData:
        """Return the events that count, and the items."""
        return load_training_data(snapshot, options)

    def trial(self, data: TrainingData, split: UserSplit) -> tuple[float, Mapping[str, Any]]:  # noqa: ARG002
        """Return nothing to compare by: there is nothing to tune."""
        return 0.0, {}

    def fit(self, data: TrainingData, split: UserSplit, settings: Mapping[str, Any] | None = None) -> Self:  # noqa: ARG002 - segments hold out events, not users
        """Fit to the older four fifths of every history."""
        self.fitted = fit_affinity(data, self.options, segments_held_out(data.histories).past)
        return self

    def measure(self, data: TrainingData, split: UserSplit) -> dict[str, float]:  # noqa: ARG002 - see `fit`
        """Return hits and recall in the top percent of users, over questions that gained users."""
        held_out = segments_held_out(data.histories)
        questions = self.sample_questions(data, held_out.truth)
        actual = held_out.truth.unique(len(data.catalogue)) @ questions
        scores = self.fitted.users_by_question(held_out.past, questions)
        return rounded(segment_metrics(scores, np.asarray(actual.toarray() > 0)))

    def refit(self, data: TrainingData, split: UserSplit) -> Self:  # noqa: ARG002 - see `fit`
        """Fit to whole histories."""
        self.fitted = fit_affinity(data, self.options, data.histories)
        return self

    def score(self, queries: Histories, start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        """Fill `out`, float32 of shape (stop - start, items), with how close the users are to every item."""
        everything = one_per_item(np.arange(out.shape[1]), out.shape[1])
        out[:] = self.fitted.users_by_question(queries.slice(start, stop), everything)

    def influenced(self, config: Mapping[str, Any]) -> Scorer:  # noqa: ARG002 - segments take no configuration
        """Return itself."""
        return self

    def save(self, directory: Path) -> None:
        """Write the weights."""
        weights = self.fitted.weights
        save_arrays(directory / "fitted", {"data": weights.data, "indices": weights.indices, "indptr": weights.indptr})

    @classmethod
    def load(cls, directory: Path, options: TrainingOptions, settings: Mapping[str, Any]) -> Self:  # noqa: ARG003
        """Return the estimator that `save` wrote."""
        arrays = load_arrays(directory / "fitted")
        estimator = cls(options)
        size = len(arrays["indptr"]) - 1
        estimator.fitted = Affinity(from_rows(arrays["data"], arrays["indices"], arrays["indptr"], size))
        return estimator


class ItemAffinity(SegmentEstimator):
    """Finds the users closest to an item."""

    record_field = "itemId"

    def scores(self, data: TrainingData, keys: Sequence[str]) -> Floats:
        """Return the closeness to each item; an unknown item is far from everybody.

        Returns float32 of shape (users, keys).
        """
        questions = one_per_item(data.catalogue.find(keys), len(data.catalogue))
        return self.fitted.users_by_question(data.histories, questions)

    def sample_questions(self, data: TrainingData, truth: Histories) -> Sparse:
        """Return items that gained users.

        Returns float32 of shape (items, questions).
        """
        gained = np.unique(truth.items)
        chosen = np.random.default_rng(self.options.seed).permutation(gained)[:_MOST_QUESTIONS]
        return one_per_item(chosen, len(data.catalogue))


class ItemAttributeAffinity(SegmentEstimator):
    """Finds the users closest to the items with an attribute."""

    record_field = "itemAttributes"

    def scores(self, data: TrainingData, keys: Sequence[str]) -> Floats:
        """Return the closeness; a key of several attributes is as close as the farthest of them.

        Returns float32 of shape (users, keys).
        """
        columns = [
            self.fitted.users_by_question(data.histories, items_with(data.catalogue, parse_attributes(key))).min(axis=1)
            for key in keys
        ]
        return np.stack(columns, axis=1)

    def sample_questions(self, data: TrainingData, truth: Histories) -> Sparse:  # noqa: ARG002 - columns tell
        """Return values of the items' string columns.

        Returns float32 of shape (items, questions).

        Raises EngineError when the Items dataset has no string column.
        """
        metadata = data.catalogue.metadata
        if metadata is None:
            raise EngineError(f"The recipe {self.options.recipe_name} needs an Items dataset")
        usable = [name for name, kind in metadata.schema.items() if kind == pl.String and name != "ITEM_ID"]
        tests = [
            (name, value)
            for name in self.options.columns("ITEMS", usable)
            for value in metadata[name].str.split("|").explode().drop_nulls().unique().sort().to_list()
        ]
        if not tests:
            raise EngineError(f"The recipe {self.options.recipe_name} needs a string column in the Items dataset")
        return items_with(data.catalogue, tests[:_MOST_QUESTIONS])
