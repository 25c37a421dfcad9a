"""Run one training: from a snapshot to a model on disk, its metrics, and a picture of it."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from pathlib import Path
from typing import Any

from personalize_local.engine.api import EngineError, TrainingResult, TrainingSpec
from personalize_local.engine.datasets.snapshot import Snapshot
from personalize_local.engine.interactions.cold_users import fit_cold_users
from personalize_local.engine.interactions.held_out import UserSplit, split_users
from personalize_local.engine.interactions.model_files import load_facts
from personalize_local.engine.interactions.training_data import TrainingData
from personalize_local.engine.interactions.training_options import TrainingOptions
from personalize_local.engine.recipes.estimator import Estimator
from personalize_local.engine.recipes.recipe import Recipe
from personalize_local.engine.training.model_report import draw_report, explained
from personalize_local.engine.training.saved_model import save_model
from personalize_local.engine.training.solution_options import read_options, recipe_named
from personalize_local.engine.training.tuning import Tuned, choose_recipe, tune

_SECONDS_PER_HOUR = 3600.0
_PICTURE = "report.png"
_LEAST_EVENTS_TO_DRAW = 10_000  # a picture of fewer shows chance, and takes longer than the training


def train(spec: TrainingSpec, snapshot: Snapshot, model_directory: Path) -> TrainingResult:
    """Fit the recipe to the snapshot, write the model into the folder, and tell how well it does.

    Too little data, an unknown recipe or a hyperparameter out of range is an EngineError in the service's words.
    """
    started = time.perf_counter()
    model_directory.mkdir(parents=True, exist_ok=True)
    recipe, options = recipe_named(spec.recipe), read_options(spec)
    _check_needs(recipe, snapshot)
    data = recipe.estimator.read(snapshot, options)
    split = split_users(data.histories.lengths, options.seed)
    base = _base_facts(spec, model_directory)
    tuned = _tuned(spec, options, data, split, base)
    chosen = recipe_named(tuned.options.recipe_name)
    estimator = chosen.estimator(tuned.options).fit(data, split, base.get("settings") or tuned.settings)
    metrics = estimator.measure(data, split)
    title = f"{spec.version}: {chosen.name}\n{explained(estimator.settings)}"
    with ThreadPoolExecutor(1) as beside:  # drawing takes one core, and what is measured is not what is refitted
        drawn = beside.submit(_draw, copy(estimator), data, split, title, model_directory / _PICTURE)
        save_model(model_directory, estimator.refit(data, split), tuned.options, data, metrics, spec)
        picture = drawn.result()
    if chosen.estimator.cold_user_metadata:
        cold = fit_cold_users(snapshot, data, tuned.options)
        if cold is not None:
            cold.save(model_directory)
    hours = round((time.perf_counter() - started) / _SECONDS_PER_HOUR, 6)
    return TrainingResult(metrics, hours, tuned.values, tuned.recipe, picture)


def _check_needs(recipe: Recipe, snapshot: Snapshot) -> None:
    """Fail for a dataset the recipe cannot do without; too few interactions are told with their number."""
    for needed in recipe.needs:
        if needed != "INTERACTIONS" and snapshot.rows(needed) is None:
            raise EngineError(f"The recipe {recipe.name} needs {_ARTICLES.get(needed, 'a')} {needed.title()} dataset")


_ARTICLES = {"ITEMS": "an", "ACTIONS": "an"}


def _tuned(
    spec: TrainingSpec, options: TrainingOptions, data: TrainingData, split: UserSplit, base: Mapping[str, Any]
) -> Tuned:
    if base:
        return Tuned(options.with_values(**base["values"]))
    if spec.solution.get("performAutoML"):
        return choose_recipe(spec, data, split)
    if spec.solution.get("performHPO"):
        return tune(spec, options, data, split)
    return Tuned(options)


def _draw(estimator: Estimator, data: TrainingData, split: UserSplit, title: str, target: Path) -> Path | None:
    if not estimator.lists_are_drawn or len(data.histories.items) < _LEAST_EVENTS_TO_DRAW:
        return None
    return draw_report(data, estimator, data.histories.of(split.test), title, target)


def _base_facts(spec: TrainingSpec, model_directory: Path) -> dict[str, Any]:
    """Return what the version an UPDATE starts from has decided; nothing for other trainings."""
    if spec.base_version is None or spec.solution.get("trainingMode") != "UPDATE":
        return {}
    models = model_directory.parents[len(Path(spec.version).parts) - 1]
    return load_facts(models / spec.base_version)
