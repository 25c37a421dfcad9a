"""Answer one question at a time with a list of items."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from personalize_local.engine.api import Query, Recommendation
from personalize_local.engine.serving.exploration import Exploration, exploration_of, keys_for
from personalize_local.engine.serving.promotions import promote
from personalize_local.engine.serving.questions import LoadedModel, Question

_FEW = 60


class ItemMask(Protocol):
    """A filter bound to one question."""

    def mask(self, item_ids: pl.Series) -> npt.NDArray[np.bool_]:
        """Return which of the items may be recommended, bool of the length of `item_ids`."""


class ItemLists:
    """Lists of items for one question at a time; a subclass says what is asked."""

    question: ClassVar[Question]

    def __init__(self, model: LoadedModel) -> None:
        self.model = model
        self._catalogue = model.data.catalogue
        self._size = len(self._catalogue)
        self._scorer = model.scorer.influenced({})
        self._explorations: dict[str, Exploration | None] = {}  # by configuration

    def recommend(
        self,
        query: Query,
        recent: pl.DataFrame | None = None,
        filters: ItemMask | None = None,
        promotions: Mapping[str, ItemMask] | None = None,
    ) -> list[Recommendation]:
        """Return the items that fit best, with exploration and promotions."""
        return self._list(query, self._logits(query, recent), filters, promotions or {})

    def reranked(self, query: Query, recent: pl.DataFrame | None, mask: ItemMask | None) -> list[Recommendation]:
        """Return the query's own list in the user's order."""
        return self._rank(query, self._logits(query, recent), mask)

    def _logits(self, query: Query, recent: pl.DataFrame | None) -> npt.NDArray[np.float32]:
        history = self.question.of_query(self.model, query, recent)
        block = np.empty((1, self._size), dtype=np.float32)
        config = query.campaign_config
        scorer = self.model.scorer.influenced(config) if config else self._scorer
        scorer.score(history, 0, 1, block)
        if self.model.cold_users is not None and query.user_id and not history.lengths[0]:
            self.model.cold_users.add([query.user_id], block)
        return np.asarray(block[0])

    def _list(
        self,
        query: Query,
        logits: npt.NDArray[np.float32],
        filters: ItemMask | None,
        promotions: Mapping[str, ItemMask],
    ) -> list[Recommendation]:
        allowed = self._allowed(logits, filters)
        items, reasons = self._explore(query, _best_of(allowed, query.num_results), allowed)
        owners: dict[int, str] = {}
        for promotion in query.promotions:
            passing = self._allowed(logits, promotions.get(promotion.name))
            generator = np.random.default_rng(keys_for(self.model.seed, [f"{query.user_id} {promotion.name}"]))
            items, promoted = promote(
                items, _best_of(passing, query.num_results), promotion.percent, query.num_results, generator
            )
            owners.update({int(item): promotion.name for item in promoted})
        return self._answer(query, items, self._probabilities(logits), owners, reasons)

    def _explore(
        self, query: Query, items: npt.NDArray[np.int32], logits: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.int32], dict[int, Sequence[str]]]:
        exploration = self._exploration(query.campaign_config)
        if exploration is None or len(items) == 0:
            return items, {}
        keys = keys_for(self.model.seed, [query.user_id])
        drawn = exploration.draw(logits[None, :], keys, len(items))
        swap = exploration.plan(items[None, :], drawn, keys)
        mixed = swap.apply(items[None, :], drawn)[0]
        return mixed, {int(item): ["Exploration"] for item in mixed[swap.explored[0]]}

    def _exploration(self, config: Mapping[str, Any]) -> Exploration | None:
        key = json.dumps(config.get("itemExplorationConfig"), sort_keys=True)
        if key not in self._explorations:
            model = self.model
            explored = exploration_of(model.exploration_weight, config, self._catalogue, model.newest_event)
            self._explorations[key] = explored
        return self._explorations[key]

    def _rank(self, query: Query, logits: npt.NDArray[np.float32], filters: ItemMask | None) -> list[Recommendation]:
        wanted = pl.Series(list(dict.fromkeys(query.item_list or [])), dtype=pl.String)
        if filters is not None and len(wanted):
            wanted = wanted.filter(pl.Series(filters.mask(wanted)))
        positions = self._catalogue.find(wanted)
        known = (positions >= 0) & (positions < self._catalogue.warm)
        ranked = positions[known][np.argsort(-logits[positions[known]], kind="stable")]
        chances = np.zeros(len(logits), dtype=np.float64)
        chances[ranked] = softmax(logits[ranked])
        unknown = [Recommendation(item) for item in wanted.filter(pl.Series(~known)).to_list()]
        return [*self._answer(query, ranked, chances, {}, {}), *unknown]

    def _allowed(self, logits: npt.NDArray[np.float32], filters: ItemMask | None) -> npt.NDArray[np.float32]:
        if filters is None:
            return logits
        return np.where(filters.mask(self._catalogue.ids), logits, np.float32(-np.inf))

    def _probabilities(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64] | None:
        return softmax(logits) if self.question.scored else None

    def _answer(
        self,
        query: Query,
        items: npt.NDArray[np.int32],
        chances: npt.NDArray[np.float64] | None,
        owners: Mapping[int, str],
        reasons: Mapping[int, Sequence[str]],
    ) -> list[Recommendation]:
        ids = self._named(items)
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

    def _named(self, items: npt.NDArray[np.int32]) -> list[str]:
        ids = self._catalogue.ids
        if len(items) <= _FEW:  # polars' own machinery costs more than looking some up
            return [ids[item] for item in items.tolist()]
        return ids.gather(items).to_list()

    def _metadata(self, items: npt.NDArray[np.int32], columns: Sequence[str]) -> list[dict[str, str]]:
        rows = self._catalogue.metadata
        if rows is None or not columns:
            return []
        by_name = {name.lower(): name for name in rows.columns}
        chosen = {column: by_name[column.lower()] for column in columns if column.lower() in by_name}
        found = rows.select([pl.col(name).cast(pl.String).alias(column) for column, name in chosen.items()])
        return [
            {name: value for name, value in row.items() if value is not None}
            for row in found[items.tolist()].iter_rows(named=True)
        ]


def softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return probabilities that sum to 1; nothing for nothing.

    `logits` is float32, the answer float64 of the same shape.
    """
    if len(logits) == 0:
        return np.zeros(0)
    chances = np.exp(logits.astype(np.float64) - float(logits.max()))
    return np.asarray(chances / chances.sum())


def significant(score: float) -> float:
    """Return a score with the seven significant digits the service prints."""
    return float(f"{score:.7g}")


def _best_of(logits: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.int32]:
    """Return the positions of the highest logits, best first; equal ones in their order."""
    places = np.arange(len(logits))
    if 0 < count < len(logits):
        places = np.flatnonzero(logits >= np.partition(logits, len(logits) - count)[len(logits) - count])
    places = places[np.argsort(-logits[places], kind="stable")][:count]
    return places[logits[places] > -np.inf].astype(np.int32)
