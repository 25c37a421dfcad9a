"""What the developer guide demands of the schema of each dataset type: required and reserved fields, and room for own.

The types of reserved fields are facts from the guide's dataset pages. Its examples give actions' VALUE as long, as int
and as double, so every number is accepted there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from emulator.engine.api import DatasetType

_STRING: Final = frozenset({"string"})
_LONG: Final = frozenset({"long"})
_FLOAT: Final = frozenset({"float"})
_NUMBER: Final = frozenset({"int", "long", "float", "double"})


@dataclass(frozen=True)
class TypeRules:
    """The rules for one dataset type; `domains` maps a domain to its required fields (True: categorical)."""

    record: str
    required: Mapping[str, str]  # name -> type, never nullable
    own_columns: int
    reserved: Mapping[str, frozenset[str]] = field(default_factory=dict)
    domains: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    needs_metadata: bool = False


RULES: Final[Mapping[DatasetType, TypeRules]] = {
    "INTERACTIONS": TypeRules(
        "Interactions",
        {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"},
        5,
        {
            "EVENT_TYPE": _STRING,
            "EVENT_VALUE": _FLOAT,
            "IMPRESSION": _STRING,
            "RECOMMENDATION_ID": _STRING,
            "EVENT_ATTRIBUTION_SOURCE": _STRING,
        },
        {"ECOMMERCE": {"EVENT_TYPE": False}, "VIDEO_ON_DEMAND": {"EVENT_TYPE": False}},
    ),
    "ITEMS": TypeRules(
        "Items",
        {"ITEM_ID": "string"},
        100,
        {"CREATION_TIMESTAMP": _LONG},
        {
            "ECOMMERCE": {"PRICE": False, "CATEGORY_L1": True},
            "VIDEO_ON_DEMAND": {"GENRES": True, "CREATION_TIMESTAMP": False},
        },
        needs_metadata=True,
    ),
    "USERS": TypeRules("Users", {"USER_ID": "string"}, 25, {}, {"ECOMMERCE": {}, "VIDEO_ON_DEMAND": {}}, True),
    "ACTIONS": TypeRules(
        "Actions",
        {"ACTION_ID": "string"},
        10,
        {
            "CREATION_TIMESTAMP": _LONG,
            "VALUE": _NUMBER,
            "EXPIRATION_TIMESTAMP": _LONG,
            "ACTION_EXPIRATION_TIMESTAMP": _LONG,
            "REPEAT_FREQUENCY": _NUMBER,
        },
        needs_metadata=True,
    ),
    "ACTION_INTERACTIONS": TypeRules(
        "ActionInteractions",
        {"USER_ID": "string", "ACTION_ID": "string", "EVENT_TYPE": "string", "TIMESTAMP": "long"},
        5,
        {"RECOMMENDATION_ID": _STRING, "IMPRESSION": _STRING},
    ),
}
