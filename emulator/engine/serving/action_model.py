"""A trained Next-Best-Action model in memory."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from emulator.engine.api import EngineError, Query, Recommendation
from emulator.engine.interactions.histories import find
from emulator.engine.interactions.model_files import load_arrays, load_data, load_facts
from emulator.engine.recipes.action_weights import ActionWeights
from emulator.engine.recipes.next_best_action import profiles
from emulator.engine.recipes.recipe_table import RECIPES
from emulator.engine.serving.exploration import keys_for

_SECONDS_PER_DAY = 86_400.0
_EXPIRES = ("EXPIRATION_TIMESTAMP", "ACTION_EXPIRATION_TIMESTAMP")  # the guide has both names


class ActionModel:
    """Answers GetActionRecommendations; read-only."""

    def __init__(self, directory: Path) -> None:
        facts = load_facts(directory)
        self.recipe = RECIPES[facts["recipe"]]
        self._seed = int(facts["seed"])
        self._data = load_data(directory)
        fitted = load_arrays(directory / "fitted")
        self._weights = ActionWeights(np.asarray(fitted["weights"]))
        self._vectors = np.asarray(fitted["vectors"])
        self._actions = pl.read_parquet(directory / "actions.parquet")
        self._ids = self._actions["ACTION_ID"]
        self._scorable: bool = json.loads((directory / "actions.json").read_text())["scorable"]

    def recommend(
        self,
        query: Query,
        recent: pl.DataFrame | None = None,
        filters: Any = None,
        _promotions: Mapping[str, Any] | None = None,
    ) -> list[Recommendation]:
        """Return the actions most likely taken. `recent` are the user's streamed action interactions.

        Expired actions and those taken within their repeat frequency are left out. When too little was ever taken or
        declined, the order is chance and there are no scores.
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
        vector = profiles(self._data.histories, find(self._data.user_ids, [user_id]), self._vectors)
        return np.asarray(self._weights.chances(vector)[0])

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
