"""Give each recipe's hyperparameters: default, range and tunability as in the developer guide, and what they do here.

`Hyperparameter.effect` says what a value changes; where it is None the value is accepted and has no effect.
"""

from dataclasses import dataclass
from typing import Final, Literal


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
            effect="True: histories may weigh recent events more and follow their order; False: they may not",
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
        "min_item_interaction_count_percentile", "0.01", 0, 1, kind="feature", effect="rarer items are not listed"
    ),
    Hyperparameter(
        "max_item_interaction_count_percentile", "0.9", 0, 1, kind="feature",
        effect="items more popular than this percentile are not listed",
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
