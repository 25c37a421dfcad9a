"""Every recipe of the service: its family here, what it is asked with, what its hyperparameters mean, its metrics.

Hyperparameter defaults, ranges and tunability are those of the developer guide. `Hyperparameter.effect` says what a
value changes here; where it is None the value is accepted and has no effect.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

Family = Literal[
    "user_personalization",
    "ranking",
    "popularity",
    "trending",
    "similar_items",
    "sims",
    "semantic",
    "item_affinity",
    "attribute_affinity",
    "actions",
]
Asked = Literal["user", "item", "list", "nothing", "action", "segment"]

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
    """A recipe: the family that answers for it, and what sets it apart within the family."""

    name: str
    family: Family
    asked: Asked
    metrics: tuple[str, ...] = ITEM_METRICS
    hyperparameters: tuple[Hyperparameter, ...] = ()
    scores: bool = False
    event_type: str | None = None  # a domain recipe counts only these events
    needs_items: bool = False  # cannot be trained without an Items dataset
    explores: bool = False
    legacy: bool = False  # closed on AWS; answered here by the family of its successor

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


def _sequence_parameters(hidden: str) -> tuple[Hyperparameter, ...]:
    return (
        Hyperparameter("hidden_dimension", hidden, 32, 256, tunable=True, effect="items kept per item: twice this"),
        Hyperparameter("bptt", "32", 2, 32, tunable=True, effect="events ahead whose order in a history counts"),
        Hyperparameter(
            "recency_mask", "True", choices=("True", "False"), tunable=True,
            effect="True: histories may weigh recent events more and follow their order; False: they may not",
        ),
        *_HISTORY_LENGTHS,
    )  # fmt: skip


_RECENCY_BIAS: Final = (
    Hyperparameter("apply_recency_bias", "true", choices=("true", "false"), effect="as recency_mask of version 1"),
)
_DISCOUNT: Final = "popularity of the listed item is divided out with this power"
_SIMS: Final = (
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
        "min_item_interaction_count_percentile", "0.01", 0, 1, kind="feature", effect="rarer items are not listed"
    ),
    Hyperparameter(
        "max_item_interaction_count_percentile", "0.9", 0, 1, kind="feature",
        effect="items more popular than this percentile are not listed",
    ),
)  # fmt: skip
_SIMILAR_ITEMS: Final = (
    Hyperparameter("popularity_discount_factor", "0.0", 0, 1, effect=_DISCOUNT),
    Hyperparameter("item_id_hidden_dim", "100", 30, 200, tunable=True, effect="similar items kept per item"),
    Hyperparameter(
        "item_metadata_hidden_dim", "100", 30, 200, tunable=True, effect="similar items by metadata kept per rare item"
    ),
)
_AFFINITY: Final = (Hyperparameter("hidden_dimension", "149", 32, 256, effect="items kept per item: twice the value"),)
_FREQUENCIES: Final = ("30 minutes", "1 hour", "2 hours", "3 hours", "1 day")
_TRENDING: Final = (
    Hyperparameter(
        "trend_discovery_frequency", "2 hours", choices=_FREQUENCIES, kind="feature",
        effect="length of the interval whose counts are compared with those before",
    ),
)  # fmt: skip
_ACTIONS: Final = (
    Hyperparameter(
        "action_optimization_period", "14", 7, 28, effect="an action counts as taken within so many days of being shown"
    ),
)
_COLD_START: Final = (
    Hyperparameter("cold_start_max_interactions", "15", kind="feature"),
    Hyperparameter("cold_start_max_duration", "5.0", kind="feature"),
    Hyperparameter("cold_start_relative_from", "latestItem", kind="feature"),
)


def _users(name: str, parameters: tuple[Hyperparameter, ...], *, legacy: bool = False, explores: bool = True) -> Recipe:
    return Recipe(
        name, "user_personalization", "user", hyperparameters=parameters, scores=True, explores=explores, legacy=legacy
    )


_CUSTOM: Final = (
    _users("aws-user-personalization-v2", _RECENCY_BIAS),
    _users("aws-user-personalization", _sequence_parameters("149")),
    Recipe("aws-popularity-count", "popularity", "nothing"),
    Recipe("aws-trending-now", "trending", "nothing", TREND_METRICS, _TRENDING),
    Recipe("aws-personalized-ranking-v2", "ranking", "list", hyperparameters=_RECENCY_BIAS, scores=True),
    Recipe("aws-personalized-ranking", "ranking", "list", hyperparameters=_sequence_parameters("149"), scores=True),
    Recipe("aws-similar-items", "similar_items", "item", hyperparameters=_SIMILAR_ITEMS),
    Recipe("aws-semantic-similarity", "semantic", "item", SEMANTIC_METRICS, needs_items=True),
    Recipe("aws-sims", "sims", "item", hyperparameters=_SIMS, legacy=True),
    Recipe("aws-next-best-action", "actions", "action", ACTION_METRICS, _ACTIONS, scores=True),
    Recipe("aws-item-affinity", "item_affinity", "segment", SEGMENT_METRICS, _AFFINITY),
    Recipe(
        "aws-item-attribute-affinity", "attribute_affinity", "segment", SEGMENT_METRICS, _AFFINITY, needs_items=True
    ),
    _users("aws-hrnn", _sequence_parameters("43"), legacy=True, explores=False),
    _users("aws-hrnn-metadata", _sequence_parameters("43"), legacy=True, explores=False),
    _users("aws-hrnn-coldstart", _sequence_parameters("149") + _COLD_START, legacy=True),
)
_DOMAIN: Final = (
    Recipe("aws-ecomm-popular-items-by-views", "popularity", "nothing", event_type="View"),
    Recipe("aws-ecomm-popular-items-by-purchases", "popularity", "nothing", event_type="Purchase"),
    Recipe("aws-ecomm-frequently-bought-together", "sims", "item", hyperparameters=_SIMS, event_type="Purchase"),
    Recipe("aws-ecomm-customers-who-viewed-x-also-viewed", "similar_items", "item", event_type="View"),
    _users("aws-ecomm-recommended-for-you", _RECENCY_BIAS),
    Recipe("aws-vod-because-you-watched-x", "similar_items", "item", event_type="Watch"),
    Recipe("aws-vod-more-like-x", "similar_items", "item", needs_items=True),
    Recipe("aws-vod-most-popular", "popularity", "nothing", event_type="Watch"),
    Recipe("aws-vod-trending-now", "trending", "nothing", TREND_METRICS),
    replace(_users("aws-vod-top-picks", _RECENCY_BIAS), needs_items=True),
)

RECIPES: Final[Mapping[str, Recipe]] = {recipe.name: recipe for recipe in (*_CUSTOM, *_DOMAIN)}


def accepted_without_effect() -> tuple[tuple[str, str], ...]:
    """Return (recipe, hyperparameter) for every value that is taken and changes nothing."""
    return tuple(
        (recipe.name, parameter.name)
        for recipe in RECIPES.values()
        for parameter in recipe.hyperparameters
        if parameter.effect is None
    )
