"""Answer GetActionRecommendations: the actions a user will most likely take."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from personalize_local.engine.api import EngineError, Query, Recommendation
from personalize_local.engine.interactions.histories import Histories, find
from personalize_local.engine.interactions.training_data import TrainingData
from personalize_local.engine.serving.exploration import keys_for
from personalize_local.engine.serving.item_lists import ItemMask

_SECONDS_PER_DAY = 86_400.0
_EXPIRES = ("EXPIRATION_TIMESTAMP", "ACTION_EXPIRATION_TIMESTAMP")  # the guide has both names


class ActionScorer(Protocol):
    """A fitted Next-Best-Action: the actions, and how likely users take them."""

    actions: pl.DataFrame
    scorable: bool  # else too little was ever taken or declined

    def score(self, queries: Histories, start: int, stop: int, out: npt.NDArray[np.floating[Any]]) -> None:
        """Fill `out`, float32 or float64 of shape (stop - start, actions), with chances."""


class ActionAnswers:
    """Lists of actions for one user at a time; read-only."""

    def __init__(self, scorer: ActionScorer, data: TrainingData, seed: int) -> None:
        self._scorer, self._data, self._seed = scorer, data, seed
        self._actions = scorer.actions
        self._ids = self._actions["ACTION_ID"]
        self._scorable = scorer.scorable

    def best(self, query: Query, recent: pl.DataFrame | None, filters: ItemMask | None) -> list[Recommendation]:
        """Return the actions most likely taken. `recent` are the user's streamed action interactions.

        Expired actions and those taken within their repeat frequency are left out. When too little was ever taken or
        declined, the order is chance and there are no scores.

        Raises EngineError without a userId.
        """
        if not query.user_id:
            raise EngineError("Required fields for the provided recipe are userId")
        allowed = ~self._expired(query.now) & ~self._taken_lately(recent, query.now)
        if filters is not None:
            allowed &= filters.mask(self._ids)
        chances = self._chances(query.user_id)
        listed = np.argsort(-chances, kind="stable")
        listed = listed[allowed[listed]][: query.num_results]
        return [
            Recommendation(self._ids[int(action)], score=float(f"{chances[action]:.7g}") if self._scorable else None)
            for action in listed
        ]

    def _chances(self, user_id: str) -> npt.NDArray[np.float64]:
        if not self._scorable:
            return np.random.default_rng(keys_for(self._seed, [user_id])).random(len(self._ids))
        history = self._data.histories.of(find(self._data.user_ids, [user_id]))
        chances = np.empty((1, len(self._ids)), dtype=np.float64)
        self._scorer.score(history, 0, 1, chances)
        return np.asarray(chances[0])

    def _expired(self, now: float) -> npt.NDArray[np.bool_]:
        for name in _EXPIRES:
            if name in self._actions.columns:
                return np.asarray((self._actions[name] < now).fill_null(value=False).to_numpy())
        return np.zeros(len(self._ids), dtype=np.bool_)

    def _taken_lately(self, recent: pl.DataFrame | None, now: float) -> npt.NDArray[np.bool_]:
        """Return which actions the user took less than their REPEAT_FREQUENCY (days) ago."""
        lately = np.zeros(len(self._ids), dtype=np.bool_)
        if recent is None or "REPEAT_FREQUENCY" not in self._actions.columns:
            return lately
        taken = recent.filter(pl.col("EVENT_TYPE").str.to_lowercase() == "taken")
        last = taken.group_by("ACTION_ID").agg(pl.col("TIMESTAMP").max())
        joined = self._actions.select("ACTION_ID", "REPEAT_FREQUENCY").join(
            last, on="ACTION_ID", how="left", maintain_order="left"
        )
        days = (now - joined["TIMESTAMP"]) / _SECONDS_PER_DAY
        return np.asarray((days < joined["REPEAT_FREQUENCY"]).fill_null(value=False).to_numpy())
