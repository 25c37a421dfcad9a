"""Training Semantic-Similarity: every item needs a name and a text; interactions are a bonus."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from emulator.engine.api import EngineError
from emulator.engine.datasets.snapshot import Snapshot
from emulator.engine.evaluation.metrics import LIST_LENGTH, coverage, rounded
from emulator.engine.evaluation.ranked_lists import ranked
from emulator.engine.interactions.histories import one_item_each
from emulator.engine.interactions.item_texts import text_columns, weighted_words
from emulator.engine.interactions.model_files import save_arrays, save_data
from emulator.engine.interactions.training_data import TrainingData, collect_training_data, popularity, read_events
from emulator.engine.interactions.training_options import TrainingOptions
from emulator.engine.recipes.semantic_items import SemanticItems, embed, to_unit

_MOST_QUESTIONS = 2000


def train_semantic(options: TrainingOptions, snapshot: Snapshot, directory: Path) -> Mapping[str, float]:
    """Embed the items, write the model, and return its metrics."""
    check_texts(snapshot)
    data = collect_training_data(snapshot, read_events(snapshot, options.events))
    catalogue = data.catalogue
    columns = options.columns("ITEMS", text_columns(catalogue, snapshot.schemas.get("ITEMS")))
    weighted, _words = weighted_words(catalogue, columns)
    counts = popularity(data.histories, len(catalogue))
    model = SemanticItems(embed(weighted), to_unit(counts), to_unit(catalogue.created))
    save_arrays(directory / "fitted", model.arrays())
    save_data(directory, data)
    return measure_semantic(data, model, options.seed)


def check_texts(snapshot: Snapshot) -> None:
    """Fail unless there are items with one field marked itemName and one marked textual."""
    schema = snapshot.schemas.get("ITEMS")
    fields = schema.fields if schema else ()
    if not any(field.item_name for field in fields) or not any(field.textual for field in fields):
        raise EngineError(
            "The recipe aws-semantic-similarity needs an Items schema with an itemName field and a textual field"
        )


def measure_semantic(data: TrainingData, model: SemanticItems, seed: int) -> dict[str, float]:
    """Return how popular, how new and how alike the lists of a sample of items are, and how much they cover."""
    size = len(data.catalogue)
    asked = np.random.default_rng(seed).permutation(size)[:_MOST_QUESTIONS]
    lists = ranked(model, one_item_each(asked), size, LIST_LENGTH).items
    listed = lists >= 0
    likeness = np.einsum("qd,qkd->qk", model.vectors[asked], model.vectors[lists])
    return rounded(
        {
            "coverage": coverage(lists, size),
            "item_freshness": float(model.fresh[lists][listed].mean()) if listed.any() else 0.0,
            "item_popularity": float(model.popular[lists][listed].mean()) if listed.any() else 0.0,
            "item_similarity": float(likeness[listed].mean()) if listed.any() else 0.0,
        }
    )
