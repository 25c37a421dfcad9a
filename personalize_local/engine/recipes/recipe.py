"""Describe a recipe: a row that names its class, its hyperparameters, and what the service says about it.

Hyperparameters' defaults, ranges and tunability are those of the developer guide.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Final, Literal

from personalize_local.engine.api import DatasetType

if TYPE_CHECKING:
    from personalize_local.engine.recipes.estimator import Estimator

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

# What requests must say to recipes of a type (API reference, GetRecommendations; popular items need nobody).
_INPUTS: Final[Mapping[str, tuple[str, ...]]] = {
    "USER_PERSONALIZATION": ("userId",),
    "POPULAR_ITEMS": (),
    "PERSONALIZED_RANKING": ("userId", "inputList"),
    "RELATED_ITEMS": ("itemId",),
    "PERSONALIZED_ACTIONS": ("userId",),
    "USER_SEGMENTATION": (),
}
_INTERACTIONS: Final[tuple[DatasetType, ...]] = ("INTERACTIONS",)


@dataclass(frozen=True)
class Hyperparameter:
    """A value of algorithmHyperParameters or featureTransformationParameters, as the service names it."""

    name: str
    default: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    tunable: bool = False
    effect: str | None = None  # None: accepted without effect
    kind: Literal["algorithm", "feature"] = "algorithm"


@dataclass(frozen=True)
class Recipe:
    """One recipe of the service: its name, its class, and what the service says about it.

    A domain recipe is for recommenders; the others are for solutions.

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
    for_a_user: bool = False  # a real-time request must name a user, although the type does not say so
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

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Return the members that a real-time request must have."""
        return (("userId",) if self.for_a_user else ()) + _INPUTS[self.recipe_type]

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


_HISTORY_LENGTHS: Final = (
    Hyperparameter(
        "min_user_history_length_percentile", "0.0", 0, 1, kind="feature",
        effect="users with shorter histories than this percentile are not trained on",
    ),
    Hyperparameter(
        "max_user_history_length_percentile", "0.99", 0, 1, kind="feature",
        effect="users with longer histories than this percentile are not trained on",
    ),
)  # fmt: skip


def sequence_parameters(hidden: str) -> tuple[Hyperparameter, ...]:
    """Return those of the recipes that learn from sequences, with their default `hidden_dimension`."""
    return (
        Hyperparameter("hidden_dimension", hidden, 32, 256, tunable=True, effect="items kept per item: twice this"),
        Hyperparameter("bptt", "32", 2, 32, tunable=True, effect="events ahead whose order in a history counts"),
        Hyperparameter(
            "recency_mask", "True", choices=("True", "False"), tunable=True,
            effect="True: recent events, their order and the latest popularity may weigh more; False: they may not",
        ),
        *_HISTORY_LENGTHS,
    )  # fmt: skip


RECENCY_BIAS: Final = (
    Hyperparameter("apply_recency_bias", "true", choices=("true", "false"), effect="as recency_mask of version 1"),
)
_DISCOUNT: Final = "popularity of the listed item is divided out with this power"
SIMS: Final = (
    Hyperparameter("popularity_discount_factor", "0.5", 0, 1, tunable=True, effect=_DISCOUNT),
    Hyperparameter(
        "min_cointeraction_count", "3", 0, 10, tunable=True, effect="pairs that fewer users share are not similar"
    ),
    Hyperparameter(
        "min_user_history_length_percentile", "0.005", 0, 1, kind="feature", effect="as in User-Personalization"
    ),
    Hyperparameter(
        "max_user_history_length_percentile", "0.995", 0, 1, kind="feature", effect="as in User-Personalization"
    ),
    Hyperparameter(
        "min_item_interaction_count_percentile", "0.01", 0, 1, kind="feature",
        effect="popularity of rarer items is taken for that of this percentile",
    ),
    Hyperparameter(
        "max_item_interaction_count_percentile", "0.9", 0, 1, kind="feature",
        effect="above this percentile popularity is divided out by half",
    ),
)  # fmt: skip
SIMILAR_ITEMS: Final = (
    Hyperparameter("popularity_discount_factor", "0.0", 0, 1, effect=_DISCOUNT),
    Hyperparameter("item_id_hidden_dim", "100", 30, 200, tunable=True, effect="similar items kept per item"),
    Hyperparameter(
        "item_metadata_hidden_dim", "100", 30, 200, tunable=True, effect="similar items by metadata kept per rare item"
    ),
)
AFFINITY: Final = (Hyperparameter("hidden_dimension", "149", 32, 256, effect="items kept per item: twice the value"),)
_FREQUENCIES: Final = ("30 minutes", "1 hour", "2 hours", "3 hours", "1 day")
TRENDING: Final = (
    Hyperparameter(
        "trend_discovery_frequency", "2 hours", choices=_FREQUENCIES, kind="feature",
        effect="length of the interval whose counts are compared with those before",
    ),
)  # fmt: skip
ACTIONS: Final = (
    Hyperparameter(
        "action_optimization_period", "14", 7, 28, effect="an action counts as taken within so many days of being shown"
    ),
)
COLD_START: Final = (
    Hyperparameter("cold_start_max_interactions", "15", kind="feature"),
    Hyperparameter("cold_start_max_duration", "5.0", kind="feature"),
    Hyperparameter("cold_start_relative_from", "latestItem", kind="feature"),
)
