"""Know of the recipes what has to be known before a training is paid for: their metrics, and who can be updated.

The metrics are those that the developer guide tabulates under "Evaluating a solution version with metrics";
`trainingMode` UPDATE is what CreateSolutionVersion's reference allows. tests/contract compares them with the local
service's table.
"""

from collections.abc import Mapping
from typing import Final

_RANKED: Final = frozenset(
    {
        "coverage",
        "mean_reciprocal_rank_at_25",
        "normalized_discounted_cumulative_gain_at_5",
        "normalized_discounted_cumulative_gain_at_10",
        "normalized_discounted_cumulative_gain_at_25",
        "precision_at_5",
        "precision_at_10",
        "precision_at_25",
    }
)
_SEGMENTS: Final = frozenset({"coverage", "hits_at_1_percent", "recall_at_1_percent"})
_WITH_CONFIGURATION: Final[Mapping[str, str]] = {
    "optimizationObjective": "average_rewards_at_k",
    "eventsConfig": "normalized_discounted_cumulative_gain_with_event_weights_at_k",
}
_SEGMENTATION: Final = frozenset({"aws-item-affinity", "aws-item-attribute-affinity"})
# Of these the guide describes the metrics without giving the names under which the service answers them.
_UNNAMED: Final = frozenset({"aws-trending-now", "aws-semantic-similarity", "aws-next-best-action"})
_UPDATABLE: Final = frozenset({"aws-user-personalization", "aws-hrnn-coldstart"})


def known_metrics(recipe_arn: str | None, solution_config: Mapping[str, object]) -> frozenset[str] | None:
    """Return the names of the metrics that a solution's versions will have; None where nobody documents them."""
    name = _name(recipe_arn)
    if name in _UNNAMED:
        return None
    if name in _SEGMENTATION:
        return _SEGMENTS
    return _RANKED.union(metric for key, metric in _WITH_CONFIGURATION.items() if key in solution_config)


def can_update(recipe_arn: str | None) -> bool:
    """Say whether a version may be trained with `trainingMode` UPDATE, from the newest FULL one."""
    return _name(recipe_arn) in _UPDATABLE


def _name(recipe_arn: str | None) -> str:
    return (recipe_arn or "").rpartition("/")[2]
