"""Write and read a trained model: the estimator's own files, the data it answers from, and one JSON file of facts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from personalize_local.engine.api import TrainingSpec
from personalize_local.engine.interactions.cold_users import ColdUsers
from personalize_local.engine.interactions.model_files import load_data, load_facts, save_data, save_facts
from personalize_local.engine.interactions.training_data import TrainingData
from personalize_local.engine.interactions.training_options import EventRule, TrainingOptions
from personalize_local.engine.recipes.estimator import Estimator
from personalize_local.engine.recipes.recipe import Recipe
from personalize_local.engine.recipes.recipe_table import RECIPES
from personalize_local.engine.serving.questions import LoadedModel
from personalize_local.engine.serving.served_models import ServedModel


def save_model(
    directory: Path,
    estimator: Estimator,
    options: TrainingOptions,
    data: TrainingData,
    metrics: Mapping[str, float],
    spec: TrainingSpec,
) -> None:
    """Write everything that `load_model` needs into the folder."""
    estimator.save(directory)
    save_data(directory, data)
    facts = {
        "recipe": options.recipe_name,
        "values": dict(options.values),
        "settings": dict(estimator.settings),
        "events": [[rule.event_type, rule.least_value, rule.weight] for rule in options.events],
        "metrics": dict(metrics),
        "trained_at": spec.now,
        "seed": spec.seed,
    }
    save_facts(directory, facts)


def load_model(directory: Path) -> ServedModel:
    """Return the model that a training left in the folder, ready to answer."""
    facts = load_facts(directory)
    recipe: Recipe = RECIPES[facts["recipe"]]
    options = _options_of(facts)
    estimator: Any = recipe.estimator.load(directory, options, facts["settings"])
    return recipe.estimator.served_by(
        LoadedModel(
            recipe.name,
            estimator,
            load_data(directory),
            options.events,
            recipe.exploration_weight,
            ColdUsers.load(directory),
            options.seed,
        )
    )


def recipe_of(directory: Path) -> Recipe:
    """Return the row of the recipe that the model in the folder was trained with."""
    return RECIPES[load_facts(directory)["recipe"]]


def _options_of(facts: Mapping[str, Any]) -> TrainingOptions:
    events = tuple(EventRule(*row) for row in facts["events"])
    return TrainingOptions(facts["recipe"], facts["values"], events, now=facts["trained_at"], seed=int(facts["seed"]))
