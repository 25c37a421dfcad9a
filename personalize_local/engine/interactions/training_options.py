"""Hold what a training was asked to do, as typed values: which events count, hyperparameters, columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from personalize_local.engine.api import DatasetType, EngineError


@dataclass(frozen=True)
class EventRule:
    """Which events count, from what value on, and how much: a row of eventsConfig, or the solution's own eventType."""

    event_type: str | None
    least_value: float | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class TrainingOptions:
    """Everything the solution says about its recipe; `values` holds every hyperparameter as a string."""

    recipe_name: str
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
        """Return a numeric hyperparameter, or fail with its name and value.

        Raises EngineError when the value is no number.
        """
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
