"""Read what a solution asks of its recipe, from the solution's own members."""

from collections.abc import Mapping
from typing import Any

from personalize_local.engine.api import EngineError, TrainingSpec
from personalize_local.engine.interactions.training_options import EventRule, TrainingOptions
from personalize_local.engine.recipes.recipe import Recipe
from personalize_local.engine.recipes.recipe_table import RECIPES


def recipe_named(name: str) -> Recipe:
    """Return the recipe's row; an unknown name is an EngineError."""
    if name not in RECIPES:
        raise EngineError(f"Unknown recipe: {name}")
    return RECIPES[name]


def read_options(spec: TrainingSpec, recipe_name: str | None = None) -> TrainingOptions:
    """Return what the solution asks of the recipe; an unknown recipe or a value out of range is an EngineError."""
    recipe = recipe_named(recipe_name or spec.recipe)
    config = spec.solution.get("solutionConfig") or {}
    objective = config.get("optimizationObjective") or {}
    columns = config.get("trainingDataConfig") or spec.solution.get("trainingDataConfig") or {}
    weighted = (config.get("eventsConfig") or {}).get("eventParametersList") or []
    return TrainingOptions(
        recipe_name=recipe.name,
        values=_values(recipe, config),
        events=_events(spec, recipe, config, weighted),
        event_weights=bool(weighted),
        reward_column=objective.get("itemAttribute"),
        reward_sensitivity=objective.get("objectiveSensitivity", "OFF"),
        excluded_columns=_column_sets(columns.get("excludedDatasetColumns")),
        included_columns=_column_sets(columns.get("includedDatasetColumns")),
        now=spec.now,
        seed=spec.seed,
    )


def _values(recipe: Recipe, config: Mapping[str, Any]) -> dict[str, str]:
    given = {**(config.get("algorithmHyperParameters") or {}), **(config.get("featureTransformationParameters") or {})}
    values = dict(recipe.defaults())
    values.update({name: str(value) for name, value in given.items() if name in values})
    for parameter in recipe.hyperparameters:
        value = values[parameter.name]
        if parameter.choices and value.lower() not in {choice.lower() for choice in parameter.choices}:
            raise EngineError(
                f"Invalid value for {parameter.name}: {value!r} is none of {', '.join(parameter.choices)}"
            )
        if parameter.low is not None and parameter.high is not None:
            _check_range(parameter.name, value, parameter.low, parameter.high)
    return values


def _check_range(name: str, value: str, low: float, high: float) -> None:
    try:
        inside = low <= float(value) <= high
    except ValueError:
        inside = False
    if not inside:
        raise EngineError(f"Invalid value for {name}: {value!r} is not a number from {low:g} to {high:g}")


def _events(
    spec: TrainingSpec, recipe: Recipe, config: Mapping[str, Any], weighted: list[Mapping[str, Any]]
) -> tuple[EventRule, ...]:
    if weighted:
        return tuple(
            EventRule(row.get("eventType"), row.get("eventValueThreshold"), float(row.get("weight", 1.0)))
            for row in weighted
        )
    event_type = spec.solution.get("eventType") or recipe.event_type
    threshold = config.get("eventValueThreshold")
    if event_type is None and threshold is None:
        return ()
    return (EventRule(event_type, None if threshold is None else float(threshold)),)


def _column_sets(columns: Mapping[str, list[str]] | None) -> dict[str, frozenset[str]]:
    return {dataset.upper(): frozenset(names) for dataset, names in (columns or {}).items()}
