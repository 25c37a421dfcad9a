"""State what the developer guide demands of each dataset type's schema: required and reserved fields, lengths.

The types of reserved fields are facts from the guide's dataset pages. Its examples give actions' VALUE as long, as int
and as double, so every number is accepted there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from personalize_local.engine.api import DatasetType

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

TEXTUAL_CHARACTERS: Final = 20_000
CJK_CHARACTERS: Final = 7_000  # of textual values in Chinese or Japanese
CJK: Final = r"[\p{Han}\p{Hiragana}\p{Katakana}]"
_ID_CHARACTERS: Final = 256
_TEXT_CHARACTERS: Final = 1_000
_IDS: Final = frozenset({"USER_ID", "ITEM_ID", "ACTION_ID", "EVENT_TYPE"})
_CJK_BLOCKS: Final = re.compile("[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


def longest(column: str) -> int:
    """Return how many characters a value of the column may have, if it is not textual."""
    return _ID_CHARACTERS if column in _IDS else _TEXT_CHARACTERS


def cut(text: str) -> str:
    """Return a textual value as long as the service keeps it."""
    return text[: CJK_CHARACTERS if _CJK_BLOCKS.search(text) else TEXTUAL_CHARACTERS]
