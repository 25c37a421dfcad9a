"""Fit Semantic-Similarity: items alike in meaning, by topics of their texts, bent towards the popular or the new.

The topics are those of latent semantic analysis (Deerwester et al. 1990).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from personalize_local.engine.api import EngineError
from personalize_local.engine.datasets.snapshot import Snapshot
from personalize_local.engine.evaluation.metrics import LIST_LENGTH, coverage, rounded
from personalize_local.engine.evaluation.ranked_lists import Scorer, ranked
from personalize_local.engine.interactions.held_out import UserSplit
from personalize_local.engine.interactions.histories import Floats, Histories, one_item_each
from personalize_local.engine.interactions.item_texts import text_columns, weighted_words
from personalize_local.engine.interactions.model_files import load_arrays, save_arrays
from personalize_local.engine.interactions.sparse_matrices import Sparse
from personalize_local.engine.interactions.training_data import (
    TrainingData,
    collect_training_data,
    popularity,
    read_events,
)
from personalize_local.engine.interactions.training_options import TrainingOptions
from personalize_local.engine.linear_models.item_vectors import eigenvectors
from personalize_local.engine.serving.served_models import RelatedLists

_DIMENSIONS = 64
_DENSE_WORDS = 4000  # above, topics are sought in the most telling words only
_MOST_QUESTIONS = 2000


@dataclass(frozen=True)
class SemanticItems:
    """A fitted Semantic-Similarity: unit vectors of all items.

    A question is a history whose newest event names the item asked about.
    """

    vectors: Floats  # items x dimensions, rows of length one, or zero for items without text
    popular: Floats  # 0 to 1
    fresh: Floats  # 0 to 1
    influence: tuple[float, float] = (0.0, 0.0)  # of popularity and freshness

    def influenced(self, config: Mapping[str, Any]) -> "SemanticItems":
        """Return the same items under the rankingInfluence of a campaign or batch job."""
        given = config.get("rankingInfluence") or {}
        return replace(self, influence=(float(given.get("POPULARITY", 0.0)), float(given.get("FRESHNESS", 0.0))))

    def score(self, queries: Histories, start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        """Fill `out` with the likeness to the item of the question; an unknown item gets popular ones.

        `out` is float32 of shape (stop - start, items).
        """
        part = queries.slice(start, stop)
        some = np.flatnonzero(part.lengths > 0)
        items = part.items[part.offsets[1:][some] - 1]
        wanted = np.zeros((stop - start, self.vectors.shape[1]), dtype=np.float32)
        wanted[some] = self.vectors[items]
        np.matmul(wanted, self.vectors.T, out=out)
        popularity, freshness = self.influence
        out += np.float32(max(popularity, 1e-6)) * self.popular
        if freshness:
            out += np.float32(freshness) * self.fresh
        out[some, items] = -np.inf  # an item is not listed beside itself

    def arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Return what is saved as arrays.

        All float32.
        """
        return {"vectors": self.vectors, "popular": self.popular, "fresh": self.fresh}


def embed(weighted: Sparse) -> Floats:
    """Return unit vectors of the items' texts: latent topics of their words (LSA).

    `weighted` is float32 of shape (items, words), the answer float32 of shape (items, dimensions).
    """
    frequent = np.argsort(-np.bincount(weighted.indices, minlength=weighted.shape[1]), kind="stable")
    telling = weighted[:, np.sort(frequent[:_DENSE_WORDS])]
    together = np.asarray((telling.T @ telling).toarray(), dtype=np.float32)
    topics = eigenvectors(lambda basis: together @ basis, len(together), _DIMENSIONS)
    vectors = np.asarray(telling @ topics, dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0), dtype=np.float32)


def to_unit(values: npt.NDArray[Any]) -> Floats:
    """Return values moved and scaled into 0 to 1; all alike is all 0.

    Returns float32 of the shape of `values`.
    """
    numbers = values.astype(np.float64)
    low, high = float(numbers.min(initial=np.inf)), float(numbers.max(initial=-np.inf))
    spread = high - low if high > low else 1.0
    return np.asarray((numbers - low) / spread, dtype=np.float32)


def check_texts(snapshot: Snapshot) -> None:
    """Fail unless there are items with one field marked itemName and one marked textual.

    Raises EngineError otherwise.
    """
    schema = snapshot.schemas.get("ITEMS")
    fields = schema.fields if schema else ()
    if not any(field.item_name for field in fields) or not any(field.textual for field in fields):
        raise EngineError(
            "The recipe aws-semantic-similarity needs an Items schema with an itemName field and a textual field"
        )


def measure_semantic(data: TrainingData, model: SemanticItems, seed: int) -> dict[str, float]:
    """Return how popular, how new and how alike the lists of a sample of items are, and how much they cover."""
    size = len(data.catalogue)
    sample = np.random.default_rng(seed).permutation(size)[:_MOST_QUESTIONS]
    lists = ranked(model, one_item_each(sample), size, LIST_LENGTH).items
    listed = lists >= 0
    likeness = np.einsum("qd,qkd->qk", model.vectors[sample], model.vectors[lists])
    return rounded(
        {
            "coverage": coverage(lists, size),
            "item_freshness": float(model.fresh[lists][listed].mean()) if listed.any() else 0.0,
            "item_popularity": float(model.popular[lists][listed].mean()) if listed.any() else 0.0,
            "item_similarity": float(likeness[listed].mean()) if listed.any() else 0.0,
        }
    )


class SemanticSimilarity:
    """Embeds the items' texts; every item needs a name and a text, interactions are a bonus."""

    served_by = RelatedLists
    cold_user_metadata = False
    lists_are_drawn = False
    settings: Mapping[str, Any] = {}
    fitted: SemanticItems

    def __init__(self, options: TrainingOptions) -> None:
        self.options = options

    @classmethod
    def read(cls, snapshot: Snapshot, options: TrainingOptions) -> TrainingData:
        """Return the items, which must have texts, and however few events there are."""
        check_texts(snapshot)
        return collect_training_data(snapshot, read_events(snapshot, options.events))

    def trial(self, data: TrainingData, split: UserSplit) -> tuple[float, Mapping[str, Any]]:  # noqa: ARG002
        """Return nothing to compare by: there is nothing to tune."""
        return 0.0, {}

    def fit(self, data: TrainingData, split: UserSplit, settings: Mapping[str, Any] | None = None) -> Self:  # noqa: ARG002 - texts hold nothing out
        """Embed all items."""
        catalogue = data.catalogue
        schema = data.snapshot.schemas.get("ITEMS") if data.snapshot else None
        columns = self.options.columns("ITEMS", text_columns(catalogue, schema))
        weighted, _words = weighted_words(catalogue, columns)
        counts = popularity(data.histories, len(catalogue))
        self.fitted = SemanticItems(embed(weighted), to_unit(counts), to_unit(catalogue.created))
        return self

    def refit(self, data: TrainingData, split: UserSplit) -> Self:  # noqa: ARG002 - `fit` saw every item
        """Return itself: all items are embedded."""
        return self

    def measure(self, data: TrainingData, split: UserSplit) -> dict[str, float]:  # noqa: ARG002
        """Return how popular, how new and how alike the lists of a sample of items are, and how much they cover."""
        return measure_semantic(data, self.fitted, self.options.seed)

    def score(self, queries: Histories, start: int, stop: int, out: npt.NDArray[np.float32]) -> None:
        """Fill `out`, float32 of shape (stop - start, items), with the likeness to the items asked about."""
        self.fitted.score(queries, start, stop, out)

    def influenced(self, config: Mapping[str, Any]) -> Scorer:
        """Return the scorer under the rankingInfluence of a campaign or batch job."""
        return self.fitted.influenced(config)

    def save(self, directory: Path) -> None:
        """Write the embedded items."""
        save_arrays(directory / "fitted", self.fitted.arrays())

    @classmethod
    def load(cls, directory: Path, options: TrainingOptions, settings: Mapping[str, Any]) -> Self:  # noqa: ARG003
        """Return the estimator that `save` wrote."""
        arrays = load_arrays(directory / "fitted")
        estimator = cls(options)
        vectors, popular, fresh = (np.asarray(arrays[name]) for name in ("vectors", "popular", "fresh"))
        estimator.fitted = SemanticItems(vectors, popular, fresh)
        return estimator
