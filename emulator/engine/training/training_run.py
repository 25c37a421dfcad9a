"""One training from a snapshot to a model on disk and its metrics."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emulator.engine.api import EngineError, TrainingResult, TrainingSpec
from emulator.engine.datasets.snapshot import Snapshot
from emulator.engine.evaluation.metrics import item_metrics, rounded
from emulator.engine.evaluation.ranked_lists import ranked
from emulator.engine.evaluation.rewards import average_rewards
from emulator.engine.interactions.cold_users import fit_cold_users
from emulator.engine.interactions.held_out import newest_held_out, split_users
from emulator.engine.interactions.model_files import load_facts, save_arrays, save_data, save_facts
from emulator.engine.interactions.training_data import TrainingData, load_training_data
from emulator.engine.interactions.training_options import TrainingOptions, read_options
from emulator.engine.recipes.estimator import Training
from emulator.engine.recipes.next_best_action import train_actions
from emulator.engine.recipes.segment_estimator import train_segments
from emulator.engine.recipes.semantic_similarity import train_semantic
from emulator.engine.recipes.trending_now import interval_seconds, trend_prediction_accuracy
from emulator.engine.recipes.user_models import Learned, rewards
from emulator.engine.training.model_report import draw_report
from emulator.engine.training.tuning import Tuned, choose_recipe, tune

_SECONDS_PER_HOUR = 3600.0
_PICTURE = "report.png"
_LEAST_EVENTS_TO_DRAW = 10_000  # a picture of fewer shows chance, and takes longer than the training
_TRAININGS: Mapping[str, Callable[[TrainingOptions, Snapshot, Path], Mapping[str, float]]] = {
    "item_affinity": train_segments,
    "attribute_affinity": train_segments,
    "semantic": train_semantic,
    "actions": train_actions,
}


def train(spec: TrainingSpec, snapshot: Snapshot, model_directory: Path) -> TrainingResult:
    """Fit the recipe to the snapshot, write the model into the folder, and tell how well it does.

    Too little data, an unknown recipe or a hyperparameter out of range is an EngineError in the service's words.
    """
    started = time.perf_counter()
    model_directory.mkdir(parents=True, exist_ok=True)
    options = read_options(spec)
    if options.recipe.needs_items and snapshot.items() is None:
        raise EngineError(f"The recipe {options.recipe.name} needs an Items dataset")
    metrics, tuned = _train(spec, options, snapshot, model_directory)
    picture = model_directory / _PICTURE
    return TrainingResult(
        metrics=metrics,
        training_hours=round((time.perf_counter() - started) / _SECONDS_PER_HOUR, 6),
        tuned_hyperparameters=tuned.values,
        best_recipe=tuned.recipe,
        report=picture if picture.exists() else None,
    )


def _train(
    spec: TrainingSpec, options: TrainingOptions, snapshot: Snapshot, directory: Path
) -> tuple[Mapping[str, float], Tuned]:
    own_way = _TRAININGS.get(options.recipe.family)
    if own_way is not None:
        metrics = own_way(options, snapshot, directory)
        save_facts(directory, _facts(spec, options, {}, metrics))
        return metrics, Tuned(options)
    return _train_items(spec, options, snapshot, directory)


def _train_items(
    spec: TrainingSpec, options: TrainingOptions, snapshot: Snapshot, directory: Path
) -> tuple[Mapping[str, float], Tuned]:
    data = load_training_data(snapshot, options)
    split = split_users(data.histories.lengths, options.seed)
    base = _base_facts(spec, directory)
    tuned = Tuned(options)
    if base:
        tuned = Tuned(options.with_values(**base["values"]))
    elif spec.solution.get("performAutoML"):
        tuned = choose_recipe(spec, data, split)
    elif spec.solution.get("performHPO"):
        tuned = tune(spec, options, data, split)
    learned = Training(data, tuned.options, split).learn(base.get("settings") or tuned.settings)
    metrics = measure(data, tuned.options, learned, data.histories.of(split.test))
    if len(data.histories.items) >= _LEAST_EVENTS_TO_DRAW:
        title = f"{spec.version}: {tuned.options.recipe.name}"
        draw_report(data, learned.measured, data.histories.of(split.test), title, directory / _PICTURE)
    save_arrays(directory / "fitted", learned.final.arrays())
    save_data(directory, data)
    cold = fit_cold_users(snapshot, data, tuned.options) if tuned.options.recipe.asked in {"user", "list"} else None
    if cold is not None:
        cold.save(directory)
    save_facts(directory, _facts(spec, tuned.options, learned.settings, metrics))
    return metrics, tuned


def _facts(
    spec: TrainingSpec, options: TrainingOptions, settings: Mapping[str, Any], metrics: Mapping[str, float]
) -> dict[str, Any]:
    return {
        "recipe": options.recipe.name,
        "values": dict(options.values),
        "settings": dict(settings),
        "events": [[rule.event_type, rule.least_value, rule.weight] for rule in options.events],
        "metrics": dict(metrics),
        "trained_at": spec.now,
        "seed": spec.seed,
    }


def _base_facts(spec: TrainingSpec, model_directory: Path) -> dict[str, Any]:
    """Return what the version an UPDATE starts from has decided; nothing for other trainings."""
    if spec.base_version is None or spec.solution.get("trainingMode") != "UPDATE":
        return {}
    models = model_directory.parents[len(Path(spec.version).parts) - 1]
    return load_facts(models / spec.base_version)


def measure(data: TrainingData, options: TrainingOptions, learned: Learned, test: Any) -> dict[str, float]:
    """Return the metrics of the recipe's family on the test users, under exactly the documented keys."""
    held_out = newest_held_out(test)
    n_items = len(data.catalogue)
    lists = ranked(learned.measured, held_out.past, n_items).items
    metrics = item_metrics(lists, held_out.truth, n_items, options.event_weights)
    reward = rewards(data, options)
    if reward is not None and options.reward_sensitivity != "OFF":
        metrics["average_rewards_at_k"] = average_rewards(lists, held_out.truth, np.asarray(reward))
    if options.recipe.family == "trending":
        metrics["trend_prediction_accuracy"] = trend_prediction_accuracy(
            data.histories, n_items, interval_seconds(options)
        )
    return rounded(metrics)
