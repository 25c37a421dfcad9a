"""What the developer guide says about each recipe: type, data, jobs, modes. The engine's table has hyperparameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_INTERACTIONS: Final = ("INTERACTIONS",)
_ITEMS_TOO: Final = ("INTERACTIONS", "ITEMS")


@dataclass(frozen=True)
class RecipeFacts:
    """One recipe. A domain recipe is for recommenders; the others are for solutions."""

    name: str
    recipe_type: str
    description: str
    algorithm: str = ""  # empty: named after the recipe
    feature_transformation: str = ""
    needs: tuple[str, ...] = _INTERACTIONS
    domain: str | None = None
    batch: bool = True
    themes: bool = False
    hpo: bool = False
    incremental_update: bool = False  # performIncrementalUpdate
    update_mode: bool = False  # trainingMode UPDATE
    events_config: bool = False
    objective: bool = False
    exploration: bool = False  # campaigns and batch jobs take an itemExplorationConfig
    ranking_influence: bool = False
    event_type: str | None = None  # a domain recipe that needs 1,000 events of this type
    inputs: tuple[str, ...] = ("userId",)

    @property
    def is_segmentation(self) -> bool:
        """Tell whether it makes user segments."""
        return self.recipe_type == "USER_SEGMENTATION"


_USERS, _RANKED, _RELATED = "USER_PERSONALIZATION", "PERSONALIZED_RANKING", "RELATED_ITEMS"
_POPULAR, _SEGMENTS = "POPULAR_ITEMS", "USER_SEGMENTATION"
_ECOMMERCE, _VIDEO = "ECOMMERCE", "VIDEO_ON_DEMAND"

_CUSTOM: Final = (
    RecipeFacts(
        "aws-user-personalization-v2", _USERS,
        "Recommends items for a user, with a model that learns from up to 5 million items and explores by itself.",
        events_config=True, objective=True,
    ),
    RecipeFacts(
        "aws-user-personalization", _USERS, "Recommends items for a user and explores new ones.",
        hpo=True, update_mode=True, objective=True, exploration=True,
    ),
    RecipeFacts(
        "aws-popularity-count", _POPULAR, "Recommends the items most users interact with.",
        feature_transformation="sims",
    ),
    RecipeFacts(
        "aws-trending-now", _POPULAR, "Recommends the items whose popularity grows fastest.",
        algorithm="aws-trending-now-custom", batch=False,
    ),
    RecipeFacts(
        "aws-personalized-ranking-v2", _RANKED, "Reorders a list of items for a user, with the model of version 2.",
        events_config=True, objective=True, inputs=("userId", "inputList"),
    ),
    RecipeFacts(
        "aws-personalized-ranking", _RANKED, "Reorders a list of items for a user.",
        feature_transformation="JSON-percentile-filtering", hpo=True, objective=True, inputs=("userId", "inputList"),
    ),
    RecipeFacts(
        "aws-similar-items", _RELATED, "Recommends items similar to an item, by behaviour and by metadata.",
        hpo=True, themes=True, inputs=("itemId",),
    ),
    RecipeFacts(
        "aws-semantic-similarity", _RELATED, "Recommends items whose descriptions mean much the same.",
        needs=("ITEMS",), incremental_update=True, ranking_influence=True, inputs=("itemId",),
    ),
    RecipeFacts(
        "aws-sims", _RELATED, "Recommends items that the same users interact with.",
        feature_transformation="sims", hpo=True, inputs=("itemId",),
    ),
    RecipeFacts(
        "aws-next-best-action", "PERSONALIZED_ACTIONS", "Recommends the actions a user will probably take.",
        needs=("INTERACTIONS", "ACTIONS"), batch=False,
    ),
    RecipeFacts(
        "aws-item-affinity", _SEGMENTS, "Finds the users most interested in an item.",
        feature_transformation="item-affinity", batch=False, inputs=(),
    ),
    RecipeFacts(
        "aws-item-attribute-affinity", _SEGMENTS, "Finds the users most interested in an attribute of items.",
        feature_transformation="item-attribute-affinity", needs=_ITEMS_TOO, batch=False, inputs=(),
    ),
    RecipeFacts(
        "aws-hrnn", _USERS, "Recommends items for a user (legacy).",
        feature_transformation="JSON-percentile-filtering", hpo=True,
    ),
    RecipeFacts(
        "aws-hrnn-metadata", _USERS, "Recommends items for a user, with metadata (legacy).",
        feature_transformation="featurize_metadata", hpo=True, needs=("INTERACTIONS", "ITEMS", "USERS"),
    ),
    RecipeFacts(
        "aws-hrnn-coldstart", _USERS, "Recommends items for a user, new ones included (legacy).",
        feature_transformation="featurize_coldstart", hpo=True, update_mode=True, needs=_ITEMS_TOO,
    ),
)  # fmt: skip

_DOMAIN: Final = (
    RecipeFacts(
        "aws-ecomm-popular-items-by-views", _POPULAR, "Most viewed.", domain=_ECOMMERCE, event_type="View", inputs=()
    ),
    RecipeFacts(
        "aws-ecomm-popular-items-by-purchases", _POPULAR, "Best sellers.",
        domain=_ECOMMERCE, event_type="Purchase", inputs=(),
    ),
    RecipeFacts(
        "aws-ecomm-frequently-bought-together", _RELATED, "Bought together with an item.",
        domain=_ECOMMERCE, event_type="Purchase", inputs=("itemId",),
    ),
    RecipeFacts(
        "aws-ecomm-customers-who-viewed-x-also-viewed", _RELATED, "Viewed by those who viewed an item.",
        domain=_ECOMMERCE, event_type="View", inputs=("userId", "itemId"),
    ),
    RecipeFacts(
        "aws-ecomm-recommended-for-you", _USERS, "Recommended for a user.", domain=_ECOMMERCE, exploration=True
    ),
    RecipeFacts(
        "aws-vod-because-you-watched-x", _RELATED, "Watched by those who watched a video.",
        domain=_VIDEO, event_type="Watch", inputs=("userId", "itemId"),
    ),
    RecipeFacts(
        "aws-vod-more-like-x", _RELATED, "Videos like a video.",
        domain=_VIDEO, needs=_ITEMS_TOO, inputs=("userId", "itemId"),
    ),
    RecipeFacts(
        "aws-vod-most-popular", _POPULAR, "Most watched.", domain=_VIDEO, event_type="Watch", inputs=()
    ),
    RecipeFacts("aws-vod-trending-now", _POPULAR, "Trending videos.", domain=_VIDEO, inputs=()),
    RecipeFacts(
        "aws-vod-top-picks", _USERS, "Top picks for a user.", domain=_VIDEO, needs=_ITEMS_TOO, exploration=True
    ),
)  # fmt: skip

FACTS: Final[Mapping[str, RecipeFacts]] = {facts.name: facts for facts in (*_CUSTOM, *_DOMAIN)}
