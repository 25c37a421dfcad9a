"""Describe a recipe: a row that names its class, and what the service says about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final

from emulator.engine.api import DatasetType
from emulator.engine.recipes.hyperparameters import Hyperparameter

if TYPE_CHECKING:
    from emulator.engine.recipes.estimator import Estimator

ITEM_METRICS: Final = (
    "coverage",
    "mean_reciprocal_rank_at_25",
    "normalized_discounted_cumulative_gain_at_10",
    "normalized_discounted_cumulative_gain_at_25",
    "normalized_discounted_cumulative_gain_at_5",
    "precision_at_10",
    "precision_at_25",
    "precision_at_5",
)
TREND_METRICS: Final = (*ITEM_METRICS, "trend_prediction_accuracy")
SEMANTIC_METRICS: Final = ("coverage", "item_freshness", "item_popularity", "item_similarity")
SEGMENT_METRICS: Final = ("coverage", "hits_at_1_percent", "recall_at_1_percent")
ACTION_METRICS: Final = (
    "area_under_the_curve",
    "coverage",
    "normalized_discounted_cumulative_gain_at_10",
    "normalized_discounted_cumulative_gain_at_25",
    "normalized_discounted_cumulative_gain_at_5",
    "precision",
    "recall",
)

_INTERACTIONS: Final[tuple[DatasetType, ...]] = ("INTERACTIONS",)


@dataclass(frozen=True)
class Recipe:
    """One recipe. A domain recipe is for recommenders; the others are for solutions.

    `algorithm_class` is "module:Class", a module of this package or one named in full: naming a class must not load
    numpy and polars into a process that only lists recipes.
    """

    name: str
    algorithm_class: str
    recipe_type: str
    description: str
    metrics: tuple[str, ...] = ITEM_METRICS
    hyperparameters: tuple[Hyperparameter, ...] = ()
    algorithm: str = ""  # the service's name for it; empty: named after the recipe
    feature_transformation: str = ""  # empty: AWS tells none
    needs: tuple[DatasetType, ...] = _INTERACTIONS  # datasets without which it cannot be trained
    domain: str | None = None
    event_type: str | None = None  # a domain recipe counts only these events, and needs 1,000 of them
    inputs: tuple[str, ...] = ("userId",)  # members a real-time request must have
    batch: bool = True  # answers batch inference jobs
    themes: bool = False
    incremental_update: bool = False  # performIncrementalUpdate
    update_mode: bool = False  # trainingMode UPDATE
    events_config: bool = False
    objective: bool = False  # optimizationObjective
    automl: bool = False  # performAutoML tries it
    exploration_weight: float | None = None  # share of places for new items; None: it does not explore
    exploration_config: bool = False  # campaigns and batch jobs take an itemExplorationConfig
    ranking_influence: bool = False
    interaction_filters: bool = True  # its batch segment jobs take filters by interactions
    legacy: bool = False  # closed on AWS; answered here by its successor's class

    @property
    def estimator(self) -> "type[Estimator]":
        """Load and return the class that fits this recipe."""
        module, _, name = self.algorithm_class.partition(":")
        full = module if "." in module else f"{__package__}.{module}"
        found: type[Estimator] = getattr(import_module(full), name)
        return found

    @property
    def is_segmentation(self) -> bool:
        """Tell whether it makes user segments."""
        return self.recipe_type == "USER_SEGMENTATION"

    @property
    def hpo(self) -> bool:
        """Tell whether performHPO is possible: a solution's recipe with something to tune."""
        return self.domain is None and any(parameter.tunable for parameter in self.hyperparameters)

    def defaults(self) -> Mapping[str, str]:
        """Return every hyperparameter's default, as the service's strings."""
        return {parameter.name: parameter.default for parameter in self.hyperparameters}
