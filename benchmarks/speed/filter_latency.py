"""Milliseconds of the first question with a filter, on 10,000 items with several columns, beside later questions.

`python -m benchmarks.speed.filter_latency [--items 10000] [--interactions 200000] [--rounds 5]`. Each round is a
process of its own, which has answered one question without a filter: what follows is the first use of any filter there,
then the first after an event was put, and the median of twenty more. The least of all rounds counts: others who use
the machine only add.
"""

import argparse
import json
import multiprocessing
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from benchmarks.instruments.bars import NOW, Bar, report, seconds
from benchmarks.instruments.synthetic import tastes
from personalize_local.engine.api import DatasetRef, DatasetType, FilterUse, Query, TrainingSpec
from personalize_local.engine.engine import Engine

_MOST_MS: Final = 10.0
_LATER: Final = 20
_USERS: Final = 4_000
_GENRES: Final = ("drama", "comedy", "horror", "action", "romance", "war", "western", "family")
_VERSION: Final = "films/1"
_FIELDS: Final[Mapping[DatasetType, Mapping[str, str]]] = {
    "INTERACTIONS": {"USER_ID": "string", "ITEM_ID": "string", "EVENT_TYPE": "string", "TIMESTAMP": "long"},
    "ITEMS": {"ITEM_ID": "string", "GENRES": "categorical", "PRICE": "float", "TITLE": "string", "YEAR": "int"},
    "USERS": {"USER_ID": "string", "AGE": "int"},
}
_FILTERS: Final[Mapping[str, FilterUse]] = {
    "genres and price": FilterUse('INCLUDE ItemID WHERE Items.GENRES IN ("drama", "war") AND Items.PRICE < 10'),
    "a value given": FilterUse("EXCLUDE ItemID WHERE Items.GENRES IN ($G)", {"G": '"horror"'}),
    "watched": FilterUse('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'),
    "young users": FilterUse("INCLUDE ItemID WHERE Items.PRICE < 10 IF CurrentUser.AGE < 40"),
}


class Latency(NamedTuple):
    """Milliseconds of questions with one filter in one process."""

    unfiltered: float
    first: float
    after_event: float
    later: float


def main() -> int:
    """Measure, print, and return how many bars were missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--items", type=int, default=10_000)
    arguments.add_argument("--interactions", type=int, default=200_000)
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _train(folder, given.items, given.interactions)
        bars = [bar for name in _FILTERS for bar in _bars(name, folder, given.rounds)]
    return report(f"filters on {given.items:,} items and {given.interactions:,} interactions, milliseconds", bars)


def _bars(name: str, folder: Path, rounds: int) -> Iterator[Bar]:
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, fresh, max_tasks_per_child=1) as processes:
        measured = list(processes.map(measure, [folder] * rounds, [name] * rounds))
    latency = Latency(*(min(column) for column in zip(*measured, strict=True)))
    detail = f"later {latency.later:.2f}, unfiltered {latency.unfiltered:.2f}"
    yield Bar(f"{name}: the first question", latency.first, _MOST_MS, at_most=True, detail=detail)
    yield Bar(f"{name}: the first after an event", latency.after_event, _MOST_MS, at_most=True)


def measure(folder: Path, name: str) -> Latency:
    """Return what questions with the filter take in this process, in milliseconds."""
    with closing(Engine(folder / "data")) as engine:
        plain, filtered = (partial(_ask, engine, use) for use in (None, _FILTERS[name]))
        plain()
        unfiltered, first = statistics.median(map(seconds, [plain] * _LATER)), seconds(filtered)
        event = {"USER_ID": "u2", "ITEM_ID": "i2", "EVENT_TYPE": "watch", "TIMESTAMP": int(NOW)}
        engine.put_rows(_ref("INTERACTIONS"), [event])
        after_event = seconds(filtered)
        later = statistics.median(map(seconds, [filtered] * _LATER))
    return Latency(*(1000 * each for each in (unfiltered, first, after_event, later)))


def _ask(engine: Engine, use: FilterUse | None) -> None:
    if not engine.recommend(_VERSION, Query(NOW, user_id="u1", num_results=10, filter=use)):
        raise RuntimeError(f"nothing passes {use}")


def _train(folder: Path, items: int, interactions: int) -> None:
    generator = np.random.default_rng(3)
    events = tastes(_USERS, items, interactions).frame()
    tables = {
        "INTERACTIONS": events.with_columns(EVENT_TYPE=pl.lit("watch")),
        "ITEMS": pl.DataFrame(
            {
                "ITEM_ID": [f"i{number}" for number in range(items)],
                "GENRES": ["|".join(generator.choice(_GENRES, 2, replace=False)) for _ in range(items)],
                "PRICE": generator.uniform(1, 30, items).round(2),
                "TITLE": [f"Title {number}" for number in range(items)],
                "YEAR": generator.integers(1950, 2025, items),
            }
        ),
        "USERS": pl.DataFrame({"USER_ID": [f"u{n}" for n in range(_USERS)], "AGE": generator.integers(12, 39, _USERS)}),
    }
    with closing(Engine(folder / "data")) as engine:
        for kind in _FIELDS:
            tables[kind].write_csv(folder / f"{kind}.csv")
            engine.import_files(_ref(kind), [folder / f"{kind}.csv"], "FULL").result()
        engine.train(TrainingSpec(_VERSION, "aws-user-personalization", [*map(_ref, _FIELDS)], {}, NOW)).result()


def _ref(kind: DatasetType) -> DatasetRef:
    fields = [
        {
            "name": name,
            "type": "string" if meaning == "categorical" else meaning,
            "categorical": meaning == "categorical",
        }
        for name, meaning in _FIELDS[kind].items()
    ]
    schema = {"type": "record", "name": kind.title(), "namespace": "films", "version": "1.0", "fields": fields}
    return DatasetRef(f"films/{kind}", kind, json.dumps(schema))


if __name__ == "__main__":
    raise SystemExit(main())
