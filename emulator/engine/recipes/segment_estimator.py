"""Training and measuring the segment recipes: everybody's newest fifth is what the segments should have foreseen."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from emulator.engine.api import EngineError
from emulator.engine.datasets.snapshot import Snapshot
from emulator.engine.evaluation.metrics import rounded
from emulator.engine.interactions.cooccurrence import CooccurrenceCounts
from emulator.engine.interactions.held_out import HeldOut, segments_held_out
from emulator.engine.interactions.histories import Histories
from emulator.engine.interactions.model_files import save_arrays, save_data
from emulator.engine.interactions.sparse_matrices import Sparse, widened
from emulator.engine.interactions.training_data import TrainingData, load_training_data
from emulator.engine.interactions.training_options import TrainingOptions
from emulator.engine.recipes.item_affinity import Affinity, items_with, one_per_item
from emulator.engine.recipes.item_to_item import base_matrix, blend

_MOST_QUESTIONS = 200
_TOP_SHARE = 0.01


def train_segments(options: TrainingOptions, snapshot: Snapshot, directory: Path) -> Mapping[str, float]:
    """Fit the affinities, write the model, and return its metrics."""
    data = load_training_data(snapshot, options)
    held_out = segments_held_out(data.histories)
    metrics = measure_segments(data, options, fit_affinity(data, options, held_out.past), held_out)
    weights = fit_affinity(data, options, data.histories).weights
    save_arrays(directory / "fitted", {"data": weights.data, "indices": weights.indices, "indptr": weights.indptr})
    save_data(directory, data)
    return metrics


def fit_affinity(data: TrainingData, options: TrainingOptions, histories: Histories) -> Affinity:
    """Fit the order-blind item-to-item weights."""
    counted = CooccurrenceCounts(data.catalogue.warm, 0)
    counted.add(histories)
    keep = 2 * int(options.number("hidden_dimension"))
    return Affinity(widened(blend(base_matrix(counted), None, 0.0, keep), len(data.catalogue)))


def measure_segments(
    data: TrainingData, options: TrainingOptions, model: Affinity, held_out: HeldOut
) -> dict[str, float]:
    """Return hits and recall in the top percent of users, over items (or attribute values) that gained users."""
    questions = _questions(data, options, held_out.truth)
    actual = held_out.truth.unique(len(data.catalogue)) @ questions
    scores = model.users_by_question(held_out.past, questions)
    return rounded(segment_metrics(scores, np.asarray(actual.toarray() > 0)))


def segment_metrics(scores: npt.NDArray[np.float32], actual: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Return the metrics of users x questions: scores, and who really came."""
    n_users = len(scores)
    top = max(1, int(n_users * _TOP_SHARE))
    asked = np.flatnonzero(actual.any(axis=0))
    hits, recalls = [], []
    listed = np.zeros(n_users, dtype=np.bool_)
    for question in asked:
        chosen = np.argpartition(-scores[:, question], top - 1)[:top]
        found = int(actual[chosen, question].sum())
        hits.append(found)
        recalls.append(found / int(actual[:, question].sum()))
        listed[chosen] = True
    return {
        "coverage": float(listed.mean()) if n_users else 0.0,
        "hits_at_1_percent": float(np.mean(hits)) if hits else 0.0,
        "recall_at_1_percent": float(np.mean(recalls)) if recalls else 0.0,
    }


def _questions(data: TrainingData, options: TrainingOptions, truth: Histories) -> Sparse:
    """Return items that gained users, or values of the items' string columns: at most a few hundred of either."""
    if options.recipe.family == "item_affinity" or data.catalogue.metadata is None:
        gained = np.unique(truth.items)
        chosen = np.random.default_rng(options.seed).permutation(gained)[:_MOST_QUESTIONS]
        return one_per_item(chosen, len(data.catalogue))
    metadata = data.catalogue.metadata
    usable = [name for name, kind in metadata.schema.items() if kind == pl.String and name != "ITEM_ID"]
    tests = [
        (name, value)
        for name in options.columns("ITEMS", usable)
        for value in metadata[name].str.split("|").explode().drop_nulls().unique().sort().to_list()
    ]
    if not tests:
        raise EngineError(f"The recipe {options.recipe.name} needs a string column in the Items dataset")
    return items_with(data.catalogue, tests[:_MOST_QUESTIONS])
