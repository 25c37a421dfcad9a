"""What a training was asked to do, read once from the solution's own members into typed values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from emulator.engine.api import DatasetType, EngineError, TrainingSpec
from emulator.engine.recipes.recipe_table import RECIPES, Recipe


@dataclass(frozen=True)
class EventRule:
    """Which events count, from what value on, and how much: a row of eventsConfig, or the solution's own eventType."""

    event_type: str | None
    least_value: float | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class TrainingOptions:
    """A recipe with everything the solution says about it; `values` holds every hyperparameter as a string."""

    recipe: Recipe
    values: Mapping[str, str]
    events: tuple[EventRule, ...] = ()
    event_weights: bool = False
    reward_column: str | None = None
    reward_sensitivity: str = "OFF"
    excluded_columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    included_columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    now: float = 0.0
    seed: int = 0

    def number(self, name: str) -> float:
        """Return a numeric hyperparameter, or fail with its name and value."""
        try:
            return float(self.values[name])
        except ValueError as error:
            raise EngineError(f"Invalid value for {name}: {self.values[name]!r} is not a number") from error

    def flag(self, name: str) -> bool:
        """Return whether a hyperparameter says true."""
        return self.values[name].strip().lower() == "true"

    def columns(self, dataset: DatasetType, available: list[str]) -> list[str]:
        """Return the columns of a dataset that may be trained on."""
        included = self.included_columns.get(dataset)
        kept = [name for name in available if included is None or name in included]
        return [name for name in kept if name not in self.excluded_columns.get(dataset, frozenset())]

    def with_values(self, **values: str) -> "TrainingOptions":
        """Return the same options with some hyperparameters replaced."""
        return replace(self, values={**self.values, **values})


def read_options(spec: TrainingSpec, recipe_name: str | None = None) -> TrainingOptions:
    """Return what the solution asks of the recipe; an unknown recipe or a value out of range is an EngineError."""
    recipe = RECIPES.get(recipe_name or spec.recipe)
    if recipe is None:
        raise EngineError(f"Unknown recipe: {spec.recipe}")
    config = spec.solution.get("solutionConfig") or {}
    objective = config.get("optimizationObjective") or {}
    columns = config.get("trainingDataConfig") or spec.solution.get("trainingDataConfig") or {}
    weighted = (config.get("eventsConfig") or {}).get("eventParametersList") or []
    return TrainingOptions(
        recipe=recipe,
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
