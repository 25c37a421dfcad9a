"""Tune hyperparameters and choose a recipe (AutoML): by trials on users set aside, the best one wins."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from personalize_local.engine.api import TrainingSpec
from personalize_local.engine.interactions.held_out import UserSplit
from personalize_local.engine.interactions.training_data import TrainingData
from personalize_local.engine.interactions.training_options import TrainingOptions
from personalize_local.engine.recipes.recipe import Hyperparameter
from personalize_local.engine.recipes.recipe_table import RECIPES
from personalize_local.engine.training.solution_options import read_options, recipe_named

_DEFAULT_JOBS = 8
_MOST_JOBS = 40  # the service's own limit


@dataclass(frozen=True)
class Tuned:
    """The options to train with, and what a search found; a plain training found nothing."""

    options: TrainingOptions
    values: Mapping[str, str] | None = None
    recipe: str | None = None
    settings: Mapping[str, Any] | None = None


def tune(spec: TrainingSpec, options: TrainingOptions, data: TrainingData, split: UserSplit) -> Tuned:
    """Try hyperparameters within their ranges and return the best by NDCG@10 on the users set aside."""
    config = (spec.solution.get("solutionConfig") or {}).get("hpoConfig") or {}
    recipe = recipe_named(options.recipe_name)
    tunable = [parameter for parameter in recipe.hyperparameters if parameter.tunable]
    if not tunable:
        return Tuned(options)
    jobs = int((config.get("hpoResourceConfig") or {}).get("maxNumberOfTrainingJobs") or _DEFAULT_JOBS)
    ranges = {parameter.name: _range(parameter, config) for parameter in tunable}
    generator = np.random.default_rng(options.seed)
    names = [parameter.name for parameter in tunable]
    best: tuple[float, dict[str, str], Mapping[str, Any]] | None = None
    for values in _proposals(options, names, ranges, generator, max(1, min(jobs, _MOST_JOBS))):
        value, settings = recipe.estimator(options.with_values(**values)).trial(data, split)
        if best is None or value > best[0]:
            best = (value, values, settings)
    if best is None:
        return Tuned(options)
    return Tuned(options.with_values(**best[1]), values=best[1], settings=best[2] or None)


def choose_recipe(spec: TrainingSpec, data: TrainingData, split: UserSplit) -> Tuned:
    """Train the recipes AutoML knows and return the best by NDCG@10 on the users set aside."""
    config = (spec.solution.get("solutionConfig") or {}).get("autoMLConfig") or {}
    wanted = [str(arn).rsplit("/", 1)[-1] for arn in config.get("recipeList") or _automl_recipes(data)]
    best: tuple[float, TrainingOptions, Mapping[str, Any]] | None = None
    for name in wanted:
        options = read_options(spec, name)
        value, settings = recipe_named(name).estimator(options).trial(data, split)
        if best is None or value > best[0]:
            best = (value, options, settings)
    if best is None:
        return Tuned(read_options(spec))
    return Tuned(best[1], recipe=best[1].recipe_name, settings=best[2] or None)


def _automl_recipes(data: TrainingData) -> list[str]:
    """Return the recipes AutoML tries: those whose datasets there are."""
    return [
        recipe.name
        for recipe in RECIPES.values()
        if recipe.automl and all(data.snapshot is None or data.snapshot.rows(kind) is not None for kind in recipe.needs)
    ]


@dataclass(frozen=True)
class _Range:
    low: float = 0.0
    high: float = 0.0
    whole: bool = True
    choices: tuple[str, ...] = ()

    def draw(self, generator: np.random.Generator) -> str:
        if self.choices:
            return str(generator.choice(self.choices))
        if self.whole:
            return str(int(generator.integers(int(self.low), int(self.high) + 1)))
        return str(round(float(generator.uniform(self.low, self.high)), 6))


def _range(parameter: Hyperparameter, config: Mapping[str, Any]) -> _Range:
    """Return the range the solution gives, or the recipe's own."""
    given = config.get("algorithmHyperParameterRanges") or {}
    for key, whole in (("integerHyperParameterRanges", True), ("continuousHyperParameterRanges", False)):
        for row in given.get(key) or []:
            if row.get("name") == parameter.name:
                return _Range(float(row["minValue"]), float(row["maxValue"]), whole)
    for row in given.get("categoricalHyperParameterRanges") or []:
        if row.get("name") == parameter.name:
            return _Range(choices=tuple(row["values"]))
    whole = "." not in parameter.default
    return _Range(parameter.low or 0.0, parameter.high or 0.0, whole, parameter.choices)


def _proposals(
    options: TrainingOptions, names: list[str], ranges: Mapping[str, _Range], generator: np.random.Generator, jobs: int
) -> Iterator[dict[str, str]]:
    """Yield the solution's own values where they lie in the ranges, then random ones, none of them twice."""
    tried: set[tuple[str, ...]] = set()
    for attempt in range(jobs * 4):
        values = {name: ranges[name].draw(generator) for name in names}
        if attempt == 0:
            values = {name: options.values[name] for name in names if _inside(ranges[name], options.values[name])}
            values = {**{name: ranges[name].draw(generator) for name in names}, **values}
        key = tuple(values[name] for name in names)
        if key in tried:
            continue
        tried.add(key)
        yield values
        if len(tried) == jobs:
            return


def _inside(bounds: _Range, value: str) -> bool:
    return value in bounds.choices if bounds.choices else bounds.low <= float(value) <= bounds.high
