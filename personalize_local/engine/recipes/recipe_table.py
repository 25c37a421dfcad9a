"""List every recipe of the service, once for the service and the engine: adding one is a row here and a class.

Types, datasets, inputs and modes are those of the developer guide. HRNN-Metadata and HRNN-Coldstart need Items (and
the former Users), as there.
"""

from collections.abc import Mapping
from typing import Final

from personalize_local.engine.api import DatasetType
from personalize_local.engine.recipes.recipe import (
    ACTION_METRICS,
    ACTIONS,
    AFFINITY,
    COLD_START,
    RECENCY_BIAS,
    SEGMENT_METRICS,
    SEMANTIC_METRICS,
    SIMILAR_ITEMS,
    SIMS,
    TREND_METRICS,
    TRENDING,
    Recipe,
    sequence_parameters,
)

_ITEMS_TOO: Final[tuple[DatasetType, ...]] = ("INTERACTIONS", "ITEMS")
_USERS, _RANKED, _RELATED = "USER_PERSONALIZATION", "PERSONALIZED_RANKING", "RELATED_ITEMS"
_POPULAR, _SEGMENTS = "POPULAR_ITEMS", "USER_SEGMENTATION"
_ECOMMERCE, _VIDEO = "ECOMMERCE", "VIDEO_ON_DEMAND"
_EXPLORATION: Final = 0.3  # the documented default
_AUTOMATIC_EXPLORATION: Final = 0.1  # of recipes that explore by themselves; AWS does not say how much

_CUSTOM: Final = (
    Recipe(
        "aws-user-personalization-v2",
        "user_personalization:UserPersonalization",
        _USERS,
        "Recommends items for a user, with a model that learns from up to 5 million items and explores by itself.",
        hyperparameters=RECENCY_BIAS, events_config=True, objective=True, exploration_weight=_AUTOMATIC_EXPLORATION,
    ),
    Recipe(
        "aws-user-personalization",
        "user_personalization:UserPersonalization",
        _USERS,
        "Recommends items for a user and explores new ones.",
        hyperparameters=sequence_parameters("149"), update_mode=True, objective=True,
        exploration_weight=_EXPLORATION, exploration_config=True,
    ),
    Recipe(
        "aws-popularity-count",
        "popularity_count:PopularityCount",
        _POPULAR,
        "Recommends the items most users interact with.",
        feature_transformation="sims",
    ),
    Recipe(
        "aws-trending-now",
        "trending_now:TrendingNow",
        _POPULAR,
        "Recommends the items whose popularity grows fastest.",
        metrics=TREND_METRICS, hyperparameters=TRENDING, algorithm="aws-trending-now-custom", batch=False,
    ),
    Recipe(
        "aws-personalized-ranking-v2",
        "user_personalization:PersonalizedRanking",
        _RANKED,
        "Reorders a list of items for a user, with the model of version 2.",
        hyperparameters=RECENCY_BIAS, events_config=True, objective=True,
    ),
    Recipe(
        "aws-personalized-ranking",
        "user_personalization:PersonalizedRanking",
        _RANKED,
        "Reorders a list of items for a user.",
        hyperparameters=sequence_parameters("149"), feature_transformation="JSON-percentile-filtering", objective=True,
    ),
    Recipe(
        "aws-similar-items",
        "similar_items:SimilarItems",
        _RELATED,
        "Recommends items similar to an item, by behaviour and by metadata.",
        hyperparameters=SIMILAR_ITEMS, themes=True,
    ),
    Recipe(
        "aws-semantic-similarity",
        "semantic_similarity:SemanticSimilarity",
        _RELATED,
        "Recommends items whose descriptions mean much the same.",
        metrics=SEMANTIC_METRICS, needs=("ITEMS",), incremental_update=True,
        ranking_influence=True,
    ),
    Recipe(
        "aws-sims",
        "sims:Sims",
        _RELATED,
        "Recommends items that the same users interact with.",
        hyperparameters=SIMS, feature_transformation="sims", legacy=True,
    ),
    Recipe(
        "aws-next-best-action",
        "next_best_action:NextBestAction",
        "PERSONALIZED_ACTIONS",
        "Recommends the actions a user will probably take.",
        metrics=ACTION_METRICS, hyperparameters=ACTIONS, needs=("INTERACTIONS", "ACTIONS"), batch=False,
    ),
    Recipe(
        "aws-item-affinity",
        "item_affinity:ItemAffinity",
        _SEGMENTS,
        "Finds the users most interested in an item.",
        metrics=SEGMENT_METRICS, hyperparameters=AFFINITY, feature_transformation="item-affinity",
        batch=False,
    ),
    Recipe(
        "aws-item-attribute-affinity",
        "item_affinity:ItemAttributeAffinity",
        _SEGMENTS,
        "Finds the users most interested in an attribute of items.",
        metrics=SEGMENT_METRICS, hyperparameters=AFFINITY, feature_transformation="item-attribute-affinity",
        needs=_ITEMS_TOO, batch=False, interaction_filters=False,
    ),
    Recipe(
        "aws-hrnn",
        "user_personalization:UserPersonalization",
        _USERS,
        "Recommends items for a user (legacy).",
        hyperparameters=sequence_parameters("43"), feature_transformation="JSON-percentile-filtering", automl=True,
        legacy=True,
    ),
    Recipe(
        "aws-hrnn-metadata",
        "user_personalization:UserPersonalization",
        _USERS,
        "Recommends items for a user, with metadata (legacy).",
        hyperparameters=sequence_parameters("43"), feature_transformation="featurize_metadata",
        needs=("INTERACTIONS", "ITEMS", "USERS"), automl=True, legacy=True,
    ),
    Recipe(
        "aws-hrnn-coldstart",
        "user_personalization:UserPersonalization",
        _USERS,
        "Recommends items for a user, new ones included (legacy).",
        hyperparameters=sequence_parameters("149") + COLD_START, feature_transformation="featurize_coldstart",
        needs=_ITEMS_TOO, update_mode=True, automl=True, exploration_weight=_EXPLORATION, legacy=True,
    ),
)  # fmt: skip

_DOMAIN: Final = (
    Recipe(
        "aws-ecomm-popular-items-by-views",
        "popularity_count:PopularityCount",
        _POPULAR,
        "Most viewed.",
        domain=_ECOMMERCE, event_type="View",
    ),
    Recipe(
        "aws-ecomm-popular-items-by-purchases",
        "popularity_count:PopularityCount",
        _POPULAR,
        "Best sellers.",
        domain=_ECOMMERCE, event_type="Purchase",
    ),
    Recipe(
        "aws-ecomm-frequently-bought-together",
        "sims:Sims",
        _RELATED,
        "Bought together with an item.",
        hyperparameters=SIMS, domain=_ECOMMERCE, event_type="Purchase",
    ),
    Recipe(
        "aws-ecomm-customers-who-viewed-x-also-viewed",
        "similar_items:SimilarItems",
        _RELATED,
        "Viewed by those who viewed an item.",
        domain=_ECOMMERCE, event_type="View", for_a_user=True,
    ),
    Recipe(
        "aws-ecomm-recommended-for-you",
        "user_personalization:UserPersonalization",
        _USERS,
        "Recommended for a user.",
        hyperparameters=RECENCY_BIAS, domain=_ECOMMERCE, exploration_weight=_AUTOMATIC_EXPLORATION,
        exploration_config=True,
    ),
    Recipe(
        "aws-vod-because-you-watched-x",
        "similar_items:SimilarItems",
        _RELATED,
        "Watched by those who watched a video.",
        domain=_VIDEO, event_type="Watch", for_a_user=True,
    ),
    Recipe(
        "aws-vod-more-like-x",
        "similar_items:SimilarItems",
        _RELATED,
        "Videos like a video.",
        needs=_ITEMS_TOO, domain=_VIDEO, for_a_user=True,
    ),
    Recipe(
        "aws-vod-most-popular",
        "popularity_count:PopularityCount",
        _POPULAR,
        "Most watched.",
        domain=_VIDEO, event_type="Watch",
    ),
    Recipe(
        "aws-vod-trending-now",
        "trending_now:TrendingNow",
        _POPULAR,
        "Trending videos.",
        metrics=TREND_METRICS, domain=_VIDEO, batch=False,
    ),
    Recipe(
        "aws-vod-top-picks",
        "user_personalization:UserPersonalization",
        _USERS,
        "Top picks for a user.",
        hyperparameters=RECENCY_BIAS, needs=_ITEMS_TOO, domain=_VIDEO, exploration_weight=_AUTOMATIC_EXPLORATION,
        exploration_config=True,
    ),
)  # fmt: skip

RECIPES: Final[Mapping[str, Recipe]] = {recipe.name: recipe for recipe in (*_CUSTOM, *_DOMAIN)}


def accepted_without_effect() -> tuple[tuple[str, str], ...]:
    """Return (recipe, hyperparameter) for every value that is taken and changes nothing."""
    return tuple(
        (recipe.name, parameter.name)
        for recipe in RECIPES.values()
        for parameter in recipe.hyperparameters
        if parameter.effect is None
    )
