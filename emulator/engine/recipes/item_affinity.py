"""User segments: who is closest to an item, or to items with an attribute, by an unweighted history."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from emulator.engine.api import EngineError
from emulator.engine.interactions.histories import Floats, Histories
from emulator.engine.interactions.parallel_rows import in_parallel
from emulator.engine.interactions.sparse_matrices import Sparse, from_cells
from emulator.engine.interactions.training_data import Catalogue

_USERS_AT_ONCE = 4096
_TEST = re.compile(r'\s*(?:ITEMS\.)?([A-Za-z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*', re.IGNORECASE)


@dataclass(frozen=True)
class Affinity:
    """Item-to-item weights; a user is as close to an item as the items of the history are."""

    weights: Sparse

    def users_by_question(self, histories: Histories, questions: Sparse) -> Floats:
        """Return users x questions: the closeness to the items each question (a column) consists of."""
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
    """Return a question for each item, which consists of that item; -1 asks for nothing."""
    known = np.flatnonzero(items >= 0)
    return from_cells(np.ones(len(known)), items[known], known, (n_items, len(items)))


def parse_attributes(text: str) -> list[tuple[str, str]]:
    """Return (column, value) of each test in `ITEMS.genres = "Comedy" AND ITEMS.genres = "Action"`."""
    tests, place = [], 0
    while True:
        found = _TEST.match(text, place)
        if found is None:
            raise EngineError(f"Invalid itemAttributes: only = and AND between ITEMS columns are allowed, not {text!r}")
        tests.append((found[1], found[2]))
        place = found.end()
        if place == len(text):
            return tests
        if text[place : place + 3].upper() != "AND":
            raise EngineError(f"Invalid itemAttributes: expected AND after {text[:place]!r}")
        place += 3


def items_with(catalogue: Catalogue, tests: Sequence[tuple[str, str]]) -> Sparse:
    """Return a question for each test: the items whose column holds the value, which may be one of several in it."""
    if catalogue.metadata is None:
        raise EngineError("The recipe needs an Items dataset")
    by_name = {name.upper(): name for name in catalogue.metadata.columns}
    rows, columns = [], []
    for place, (column, value) in enumerate(tests):
        if column.upper() not in by_name:
            raise EngineError(f"The Items dataset has no column {column}")
        held = catalogue.metadata[by_name[column.upper()]].cast(pl.String).str.split("|").list.contains(value)
        carrying = np.flatnonzero(held.fill_null(value=False).to_numpy())
        rows.append(carrying)
        columns.append(np.full(len(carrying), place))
    where = np.concatenate(rows)
    return from_cells(np.ones(len(where)), where, np.concatenate(columns), (len(catalogue), len(tests)))


def closest(scores: Floats, count: int, allowed: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.int64]:
    """Return the users with the highest scores, best first; users the score says nothing about come last."""
    users = np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed)
    values = scores[users]
    if count < len(users):
        kept = np.argpartition(-values, count)[:count]
        users, values = users[kept], values[kept]
    return np.asarray(users[np.lexsort((users, -values))])
