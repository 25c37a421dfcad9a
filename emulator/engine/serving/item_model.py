"""Answers of a trained model to one question at a time."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from emulator.engine.api import EngineError, Query, Recommendation
from emulator.engine.evaluation.ranked_lists import Scorer
from emulator.engine.evaluation.top_k import best
from emulator.engine.interactions.cold_users import ColdUsers
from emulator.engine.interactions.histories import Histories, append, find, one_item_each
from emulator.engine.interactions.model_files import load_arrays, load_data, load_facts
from emulator.engine.interactions.training_data import histories_of_one
from emulator.engine.interactions.training_options import EventRule
from emulator.engine.recipes.estimator import LOADERS
from emulator.engine.recipes.recipe_table import RECIPES
from emulator.engine.recipes.semantic_items import SemanticItems
from emulator.engine.serving.action_model import ActionModel
from emulator.engine.serving.exploration import exploration_of, keys_for
from emulator.engine.serving.promotions import promote
from emulator.engine.serving.segment_model import SegmentModel


class ItemFilter(Protocol):
    """A filter bound to one question."""

    def mask(self, item_ids: pl.Series) -> npt.NDArray[np.bool_]:
        """Return which of the items may be recommended."""


class Model(Protocol):
    """A trained model in memory: read-only, and safe to ask from many threads."""

    def recommend(
        self,
        query: Query,
        recent: pl.DataFrame | None = None,
        filters: ItemFilter | None = None,
        promotions: Mapping[str, ItemFilter] | None = None,
    ) -> list[Recommendation]:
        """Answer one question; `recent` are the user's events streamed since the training.

        `promotions` maps the names of the query's promotions to their filters. A question that lacks what the recipe
        needs is an EngineError.
        """


def load_model(model_directory: Path) -> Model:
    """Return the model that `training.train` left in the folder."""
    asked = RECIPES[load_facts(model_directory)["recipe"]].asked
    if asked == "segment":
        return SegmentModel(model_directory)
    return ActionModel(model_directory) if asked == "action" else ItemModel(model_directory)


class ItemModel:
    """A model that lists items."""

    def __init__(self, directory: Path) -> None:
        facts = load_facts(directory)
        self.recipe = RECIPES[facts["recipe"]]
        self.events = tuple(EventRule(*row) for row in facts["events"])
        self.data = load_data(directory)
        self.catalogue = self.data.catalogue
        self.scorer = LOADERS[self.recipe.family](load_arrays(directory / "fitted"), facts["settings"])
        self.cold_users = ColdUsers.load(directory)
        self.newest_event = float(self.data.histories.times.max(initial=0))
        self.seed = int(facts["seed"])

    def recommend(
        self,
        query: Query,
        recent: pl.DataFrame | None = None,
        filters: ItemFilter | None = None,
        promotions: Mapping[str, ItemFilter] | None = None,
    ) -> list[Recommendation]:
        """Answer as the recipe's kind of question is answered."""
        asked = self._asked(query, recent)
        logits = self._logits(asked, query.campaign_config)
        if self.cold_users is not None and query.user_id and not asked.lengths[0]:
            self.cold_users.add([query.user_id], logits[None, :])
        if self.recipe.asked == "list":
            return self._rank(query, logits, filters)
        return self._list(query, logits, filters, promotions or {})

    def history(self, user_id: str, recent: pl.DataFrame | None) -> Histories:
        """Return what is known of one user, events streamed since the training included."""
        past = self.data.histories.of(find(self.data.user_ids, [user_id]))
        if recent is None or recent.is_empty():
            return past
        return append(past, histories_of_one(recent, self.events, self.catalogue))

    def _asked(self, query: Query, recent: pl.DataFrame | None) -> Histories:
        if self.recipe.asked in {"user", "list"}:
            if not query.user_id:
                raise EngineError("Required fields for the provided recipe are userId")
            return self.history(query.user_id, recent)
        if self.recipe.asked == "item":
            if not query.item_id:
                raise EngineError("Required fields for the provided recipe are itemId")
            return one_item_each(self.catalogue.find([query.item_id]))
        return one_item_each(np.array([-1]))

    def scorer_under(self, config: Mapping[str, Any]) -> Scorer:
        """Return the scorer under a campaign's or batch job's configuration."""
        return self.scorer.influenced(config) if isinstance(self.scorer, SemanticItems) else self.scorer

    def _logits(self, asked: Histories, config: Mapping[str, Any]) -> npt.NDArray[np.float32]:
        block = np.empty((1, len(self.catalogue)), dtype=np.float32)
        self.scorer_under(config).score(asked, 0, 1, block)
        return np.asarray(block[0])

    def _list(
        self,
        query: Query,
        logits: npt.NDArray[np.float32],
        filters: ItemFilter | None,
        promotions: Mapping[str, ItemFilter],
    ) -> list[Recommendation]:
        allowed = self._allowed(logits, filters)
        items, reasons = self._explore(query, _best_of(allowed, query.num_results), allowed)
        owners: dict[int, str] = {}
        for promotion in query.promotions:
            passing = self._allowed(logits, promotions.get(promotion.name))
            generator = np.random.default_rng(keys_for(self.seed, [f"{query.user_id} {promotion.name}"]))
            items, promoted = promote(
                items, _best_of(passing, query.num_results), promotion.percent, query.num_results, generator
            )
            owners.update({int(item): promotion.name for item in promoted})
        return self._answer(query, items, self._probabilities(logits), owners, reasons)

    def _explore(
        self, query: Query, items: npt.NDArray[np.int32], logits: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.int32], dict[int, Sequence[str]]]:
        exploration = exploration_of(self.recipe, query.campaign_config, self.catalogue, self.newest_event)
        if exploration is None or len(items) == 0:
            return items, {}
        keys = keys_for(self.seed, [query.user_id])
        drawn = exploration.draw(logits[None, :], keys, len(items))
        swap = exploration.plan(items[None, :], drawn, keys)
        mixed = swap.apply(items[None, :], drawn)[0]
        return mixed, {int(item): ["Exploration"] for item in mixed[swap.explored[0]]}

    def _rank(self, query: Query, logits: npt.NDArray[np.float32], filters: ItemFilter | None) -> list[Recommendation]:
        wanted = pl.Series(list(dict.fromkeys(query.item_list or [])), dtype=pl.String)
        if filters is not None and len(wanted):
            wanted = wanted.filter(pl.Series(filters.mask(wanted)))
        places = self.catalogue.find(wanted)
        known = (places >= 0) & (places < self.catalogue.warm)
        ranked = places[known][np.argsort(-logits[places[known]], kind="stable")]
        chances = np.zeros(len(logits), dtype=np.float64)
        chances[ranked] = softmax(logits[ranked])
        unknown = [Recommendation(item) for item in wanted.filter(pl.Series(~known)).to_list()]
        return [*self._answer(query, ranked, chances, {}, {}), *unknown]

    def _allowed(self, logits: npt.NDArray[np.float32], filters: ItemFilter | None) -> npt.NDArray[np.float32]:
        if filters is None:
            return logits
        return np.where(filters.mask(self.catalogue.ids), logits, np.float32(-np.inf))

    def _probabilities(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64] | None:
        return softmax(logits) if self.recipe.scores else None

    def _answer(
        self,
        query: Query,
        items: npt.NDArray[np.int32],
        chances: npt.NDArray[np.float64] | None,
        owners: Mapping[int, str],
        reasons: Mapping[int, Sequence[str]],
    ) -> list[Recommendation]:
        ids = self.catalogue.ids.gather(items).to_list()
        metadata = self._metadata(items, query.metadata_columns)
        return [
            Recommendation(
                item_id,
                score=None if chances is None else significant(float(chances[item])),
                metadata=metadata[place] if metadata else None,
                promotion_name=owners.get(int(item)),
                reason=reasons.get(int(item)),
            )
            for place, (item_id, item) in enumerate(zip(ids, items, strict=True))
        ]

    def _metadata(self, items: npt.NDArray[np.int32], columns: Sequence[str]) -> list[dict[str, str]]:
        rows = self.catalogue.metadata
        if rows is None or not columns:
            return []
        by_name = {name.lower(): name for name in rows.columns}
        chosen = {asked: by_name[asked.lower()] for asked in columns if asked.lower() in by_name}
        found = rows.select([pl.col(name).cast(pl.String).alias(asked) for asked, name in chosen.items()])
        return [
            {name: value for name, value in row.items() if value is not None}
            for row in found[items.tolist()].iter_rows(named=True)
        ]


def softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return probabilities that sum to 1; nothing for nothing."""
    if len(logits) == 0:
        return np.zeros(0)
    chances = np.exp(logits.astype(np.float64) - float(logits.max()))
    return np.asarray(chances / chances.sum())


def significant(score: float) -> float:
    """Return a score with the seven significant digits the service prints."""
    return float(f"{score:.7g}")


def _best_of(logits: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.int32]:
    def copy(_start: int, _stop: int, out: npt.NDArray[np.float32]) -> None:
        out[0] = logits

    items = best(copy, (1, len(logits)), count).items
    return items[items >= 0]
