"""Turn a question, live or from a batch file, into the history that a model scores."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Protocol

import numpy as np
import polars as pl

from personalize_local.engine.api import EngineError, Query
from personalize_local.engine.evaluation.ranked_lists import Scorer
from personalize_local.engine.interactions.cold_users import ColdUsers
from personalize_local.engine.interactions.histories import Histories, append, find, one_item_each
from personalize_local.engine.interactions.training_data import TrainingData, histories_of_one
from personalize_local.engine.interactions.training_options import EventRule


class ConfigurableScorer(Scorer, Protocol):
    """A fitted algorithm, which campaigns and batch jobs may configure."""

    def influenced(self, config: Mapping[str, Any]) -> Scorer:
        """Return the scorer under a configuration."""


_KEPT_HISTORIES: Final = 256


class ComputedOnce:
    """What was computed from objects that never change; those computed first are forgotten first."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[object, Histories]] = {}
        self._lock = threading.Lock()

    def get(self, source: object, compute: Callable[[], Histories]) -> Histories:
        """Return what was computed from this very object before, or compute it."""
        kept = self._kept.get(id(source))
        if kept is None or kept[0] is not source:
            kept = source, compute()
            with self._lock:
                self._kept[id(source)] = kept
                if len(self._kept) > _KEPT_HISTORIES:
                    del self._kept[next(iter(self._kept))]
        return kept[1]


@dataclass(frozen=True)
class LoadedModel:
    """A trained model in memory: read-only, and safe to use from many threads."""

    recipe_name: str
    scorer: ConfigurableScorer
    data: TrainingData
    events: Sequence[EventRule]  # which events count
    exploration_weight: float | None  # share of places for new items; None: never
    cold_users: ColdUsers | None
    seed: int
    histories: ComputedOnce = field(default_factory=ComputedOnce, compare=False)  # by the rows that were streamed

    @property
    def newest_event(self) -> float:
        """When the newest interaction it was trained on happened, in seconds since 1970."""
        return float(self.data.histories.times.max(initial=0))


class Question(Protocol):
    """What a recipe is asked about."""

    fields: ClassVar[tuple[str, ...]]  # of a batch line; the first is the key
    scored: ClassVar[bool]  # the answer has scores
    reads_histories: ClassVar[bool]  # a batch job reads today's histories

    def of_query(self, model: LoadedModel, query: Query, recent: pl.DataFrame | None) -> Histories:
        """Return a single history; a query that lacks what the recipe needs is an EngineError."""

    def of_keys(self, model: LoadedModel, keys: pl.Series, histories: Histories) -> Histories:
        """Return a history per key of a batch job; `histories` are the keys' own, if they are users."""

    def subject(self, key: str) -> tuple[str | None, str | None]:
        """Return the key as (user id, item id) of a filter."""


class AboutUser:
    """Ask what a user wants."""

    fields: ClassVar[tuple[str, ...]] = ("userId",)
    scored: ClassVar[bool] = True
    reads_histories: ClassVar[bool] = True

    def of_query(self, model: LoadedModel, query: Query, recent: pl.DataFrame | None) -> Histories:
        """Return the user's history, events streamed since the training included.

        Raises EngineError without a userId.
        """
        if not query.user_id:
            raise EngineError("Required fields for the provided recipe are userId")
        past = model.data.histories.of(find(model.data.user_ids, [query.user_id]))
        if recent is None or recent.is_empty():
            return past

        def joined() -> Histories:
            return append(past, histories_of_one(recent, model.events, model.data.catalogue))

        return model.histories.get(recent, joined)

    def of_keys(self, _model: LoadedModel, _keys: pl.Series, histories: Histories) -> Histories:
        """Return the users' histories."""
        return histories

    def subject(self, key: str) -> tuple[str | None, str | None]:
        """Return the user."""
        return key, None


class AboutUserAndList(AboutUser):
    """Ask in which order a user wants the items of a list."""

    fields: ClassVar[tuple[str, ...]] = ("userId", "itemList")


class AboutItem:
    """Ask what is like an item."""

    fields: ClassVar[tuple[str, ...]] = ("itemId",)
    scored: ClassVar[bool] = False
    reads_histories: ClassVar[bool] = False

    def of_query(self, model: LoadedModel, query: Query, _recent: pl.DataFrame | None) -> Histories:
        """Return a history of the item alone.

        Raises EngineError without an itemId.
        """
        if not query.item_id:
            raise EngineError("Required fields for the provided recipe are itemId")
        return one_item_each(model.data.catalogue.find([query.item_id]))

    def of_keys(self, model: LoadedModel, keys: pl.Series, _histories: Histories) -> Histories:
        """Return a history of each item alone."""
        return one_item_each(model.data.catalogue.find(keys))

    def subject(self, key: str) -> tuple[str | None, str | None]:
        """Return the item."""
        return None, key


class AboutEverybody:
    """Ask what everybody wants."""

    fields: ClassVar[tuple[str, ...]] = ("userId",)
    scored: ClassVar[bool] = False
    reads_histories: ClassVar[bool] = False

    def of_query(self, _model: LoadedModel, _query: Query, _recent: pl.DataFrame | None) -> Histories:
        """Return an empty history."""
        return one_item_each(np.array([-1]))

    def of_keys(self, _model: LoadedModel, keys: pl.Series, _histories: Histories) -> Histories:
        """Return an empty history per key."""
        return one_item_each(np.full(len(keys), -1))

    def subject(self, key: str) -> tuple[str | None, str | None]:
        """Return the user, for filters that look at one."""
        return key, None
