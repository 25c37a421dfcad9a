"""Shapes of schemas that public programs and the service's guide show, with names and values of our own.

A field is `NAME:type`, `NAME:first|second` for a union, and `!flag` behind it; without a type it is text. `authority`
says who decides: `guide` (the developer guide), `observed` (AWS answered with an ARN, or refused, in public output),
`sample` (stands in what AWS ships to be run), `ours` (nobody says).
"""

import json
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from personalize_local.engine.api import DatasetType

Authority = Literal["guide", "observed", "sample", "ours"]
EVENTS: Final = "USER_ID ITEM_ID TIMESTAMP:long"
CALLS: Final = "USER_ID ACTION_ID EVENT_TYPE TIMESTAMP:long"
_RECORDS: Final = {
    "INTERACTIONS": "Interactions",
    "ITEMS": "Items",
    "USERS": "Users",
    "ACTIONS": "Actions",
    "ACTION_INTERACTIONS": "ActionInteractions",
}


@dataclass(frozen=True)
class PublicSchema:
    """One shape, and whether it is accepted; `instead` replaces members of the record (None takes one away)."""

    title: str
    dataset_type: DatasetType
    fields: str
    authority: Authority
    domain: str | None = None
    accepted: bool = True
    instead: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The Avro text."""
        record = {
            "type": "record",
            "name": _RECORDS[self.dataset_type],
            "namespace": "com.amazonaws.personalize.schema",
            "fields": [_field(each) for each in self.fields.split()],
            "version": "1.0",
        } | self.instead
        return json.dumps({key: value for key, value in record.items() if value is not None})


def _field(text: str) -> dict[str, Any]:
    declared, *flags = text.split("!")
    name, _, kind = declared.partition(":")
    union = kind.split("|")
    if kind.startswith("["):
        union = kind[1:-1].split("|")
    is_union = "|" in kind or kind.startswith("[")
    return {"name": name, "type": union if is_union else kind or "string", **dict.fromkeys(flags, True)}


def _refused(title: str, kind: DatasetType, fields: str, authority: Authority, **more: Any) -> PublicSchema:
    return PublicSchema(title, kind, fields, authority, accepted=False, **more)


_SHOP: Final[dict[str, Any]] = {"domain": "ECOMMERCE"}
_FILMS: Final[dict[str, Any]] = {"domain": "VIDEO_ON_DEMAND"}

PUBLIC_SCHEMAS: Final[tuple[PublicSchema, ...]] = (
    # Interactions
    PublicSchema("the three required columns", "INTERACTIONS", EVENTS, "guide"),
    PublicSchema("required columns in another order", "INTERACTIONS", "TIMESTAMP:long ITEM_ID USER_ID", "sample"),
    PublicSchema("an event type", "INTERACTIONS", f"{EVENTS} EVENT_TYPE", "guide"),
    PublicSchema("type and value of events", "INTERACTIONS", f"{EVENTS} EVENT_TYPE EVENT_VALUE:float", "guide"),
    PublicSchema("a value that may be missing", "INTERACTIONS", f"{EVENTS} EVENT_VALUE:float|null", "guide"),
    PublicSchema("null before float", "INTERACTIONS", f"{EVENTS} EVENT_VALUE:null|float", "guide"),
    PublicSchema("an event type that may be missing", "INTERACTIONS", f"{EVENTS} EVENT_TYPE:null|string", "sample"),
    PublicSchema("impressions", "INTERACTIONS", f"{EVENTS} EVENT_TYPE IMPRESSION", "guide"),
    PublicSchema("impressions that may be missing", "INTERACTIONS", f"{EVENTS} IMPRESSION:string|null", "guide"),
    PublicSchema("where a recommendation came from", "INTERACTIONS", f"{EVENTS} RECOMMENDATION_ID", "guide"),
    PublicSchema("the source of an event", "INTERACTIONS", f"{EVENTS} EVENT_ATTRIBUTION_SOURCE:string|null", "guide"),
    PublicSchema("context in categories", "INTERACTIONS", f"{EVENTS} SCREEN!categorical", "guide"),
    PublicSchema("context that may be missing", "INTERACTIONS", f"{EVENTS} PLACE:string|null!categorical", "guide"),
    PublicSchema("context that is no category", "INTERACTIONS", f"{EVENTS} REBATE", "sample"),
    PublicSchema("five columns of one's own", "INTERACTIONS", f"{EVENTS} A B:int C:long D:float E:double", "guide"),
    PublicSchema("a column in small letters", "INTERACTIONS", f"{EVENTS} EVENT_TYPE Basket", "sample"),
    PublicSchema("everything at once", "INTERACTIONS",
                 f"{EVENTS} EVENT_TYPE EVENT_VALUE:float|null PLACE!categorical IMPRESSION RECOMMENDATION_ID", "guide"),
    PublicSchema("a union of one type", "INTERACTIONS", f"{EVENTS} EVENT_TYPE:[string]", "observed"),
    PublicSchema("unions of one type everywhere", "INTERACTIONS",
                 "USER_ID:[string] ITEM_ID:[string] TIMESTAMP:[long]", "observed"),
    PublicSchema("the version as a number", "INTERACTIONS", EVENTS, "observed", instead={"version": 1}),
    PublicSchema("version 1.1", "INTERACTIONS", EVENTS, "observed", instead={"version": "1.1"}),
    PublicSchema("the record in small letters", "INTERACTIONS", EVENTS, "sample", instead={"name": "interactions"}),
    PublicSchema("the record in capitals", "INTERACTIONS", EVENTS, "ours", instead={"name": "INTERACTIONS"}),
    PublicSchema("no namespace", "INTERACTIONS", EVENTS, "ours", instead={"namespace": None}),
    PublicSchema("a namespace of one's own", "INTERACTIONS", EVENTS, "ours", instead={"namespace": "org.shop"}),
    PublicSchema("no version", "INTERACTIONS", EVENTS, "sample", instead={"version": None}),
    PublicSchema("more members of Avro", "INTERACTIONS", EVENTS, "ours", instead={"doc": "visits"}),
    PublicSchema("a shop's events", "INTERACTIONS", f"{EVENTS} EVENT_TYPE", "guide", **_SHOP),
    PublicSchema("a shop's events and rebates", "INTERACTIONS", f"{EVENTS} EVENT_TYPE REBATE", "sample", **_SHOP),
    PublicSchema("a film service's events", "INTERACTIONS", f"{EVENTS} EVENT_TYPE EVENT_VALUE:float", "guide",
                 **_FILMS),
    # Items
    PublicSchema("items with a category", "ITEMS", "ITEM_ID KIND!categorical", "guide"),
    PublicSchema("items with a category that may be missing", "ITEMS", "ITEM_ID KIND:null|string!categorical", "guide"),
    PublicSchema("a time of creation", "ITEMS", "ITEM_ID KIND!categorical CREATION_TIMESTAMP:long", "guide"),
    PublicSchema("a time of creation alone", "ITEMS", "ITEM_ID CREATION_TIMESTAMP:long", "sample"),
    PublicSchema("a time that may be missing", "ITEMS", "ITEM_ID CREATION_TIMESTAMP:long|null KIND", "ours"),
    PublicSchema("text to learn from", "ITEMS", "ITEM_ID PLOT:null|string!textual KIND!categorical", "guide"),
    PublicSchema("text that is a category too", "ITEMS", "ITEM_ID PLOT!textual!categorical", "ours"),
    PublicSchema("a name for themes", "ITEMS", "ITEM_ID LABEL!itemName PLOT!textual", "guide"),
    PublicSchema("numbers of every type", "ITEMS", "ITEM_ID A:int B:long C:float D:double", "guide"),
    PublicSchema("numbers that may be missing", "ITEMS", "ITEM_ID YEAR:null|int PRICE:float|null", "sample"),
    PublicSchema("yes and no", "ITEMS", "ITEM_ID IN_STOCK:boolean", "guide"),
    PublicSchema("a shop's goods", "ITEMS", "ITEM_ID PRICE:float CATEGORY_L1!categorical", "guide", **_SHOP),
    PublicSchema("a shop's goods with two levels", "ITEMS",
                 "ITEM_ID PRICE:float CATEGORY_L1!categorical CATEGORY_L2!categorical BRAND", "guide", **_SHOP),
    PublicSchema("a film service's films", "ITEMS",
                 "ITEM_ID GENRES!categorical CREATION_TIMESTAMP:long", "guide", **_FILMS),
    PublicSchema("a union of one type for a category", "ITEMS", "ITEM_ID KIND:[string]!categorical", "observed"),
    PublicSchema("items in small letters", "ITEMS", "ITEM_ID KIND!categorical", "sample", instead={"name": "items"}),
    PublicSchema("items, version a number", "ITEMS", "ITEM_ID KIND", "observed", instead={"version": 1}),
    # Users
    PublicSchema("users with an age", "USERS", "USER_ID AGE:int", "guide"),
    PublicSchema("users with a category", "USERS", "USER_ID TOWN!categorical", "guide"),
    PublicSchema("users whose facts may be missing", "USERS", "USER_ID AGE:null|int TOWN:null|string", "sample"),
    PublicSchema("users with plain text", "USERS", "USER_ID GROUP!categorical TOWN COUNTY POSTCODE", "sample"),
    PublicSchema("a shop's customers", "USERS", "USER_ID CLUB!categorical", "guide", **_SHOP),
    PublicSchema("a film service's subscribers", "USERS", "USER_ID PLAN!categorical", "guide", **_FILMS),
    PublicSchema("users in small letters", "USERS", "USER_ID TOWN!categorical", "sample", instead={"name": "users"}),
    PublicSchema("users, version 1.1", "USERS", "USER_ID TOWN", "observed", instead={"version": "1.1"}),
    # Actions
    PublicSchema("actions with a value", "ACTIONS", "ACTION_ID VALUE:long", "guide"),
    PublicSchema("actions with everything", "ACTIONS",
                 "ACTION_ID VALUE:double|null CLUB:null|string!categorical CREATION_TIMESTAMP:long"
                 " REPEAT_FREQUENCY:long", "guide"),
    PublicSchema("what was done about actions", "ACTION_INTERACTIONS", CALLS, "guide"),
    PublicSchema("what was done, with a recommendation", "ACTION_INTERACTIONS", f"{CALLS} RECOMMENDATION_ID", "guide"),
    PublicSchema("the record as the dataset type is written", "ACTION_INTERACTIONS", CALLS, "ours",
                 instead={"name": "Action_Interactions"}),
    # What the guide forbids
    _refused("no time", "INTERACTIONS", "USER_ID ITEM_ID", "guide"),
    _refused("a time of type int", "INTERACTIONS", "USER_ID ITEM_ID TIMESTAMP:int", "guide"),
    _refused("a user that may be missing", "INTERACTIONS", "USER_ID:null|string ITEM_ID TIMESTAMP:long", "guide"),
    _refused("users by number", "INTERACTIONS", "USER_ID:int ITEM_ID TIMESTAMP:long", "guide"),
    _refused("an event value in words", "INTERACTIONS", f"{EVENTS} EVENT_VALUE", "guide"),
    _refused("six columns of one's own", "INTERACTIONS", f"{EVENTS} A B C D E F", "guide"),
    _refused("an event type as a category", "INTERACTIONS", f"{EVENTS} EVENT_TYPE!categorical", "guide"),
    _refused("the name of no dataset type", "INTERACTIONS", EVENTS, "guide", instead={"name": "Visits"}),
    _refused("the name of another type", "INTERACTIONS", EVENTS, "guide", instead={"name": "items"}),
    _refused("a shop without event types", "INTERACTIONS", EVENTS, "guide", **_SHOP),
    _refused("items without any facts", "ITEMS", "ITEM_ID", "guide"),
    _refused("a time of creation in words", "ITEMS", "ITEM_ID CREATION_TIMESTAMP", "guide"),
    _refused("two texts to learn from", "ITEMS", "ITEM_ID A!textual B!textual", "guide"),
    _refused("a shop's goods without price", "ITEMS", "ITEM_ID CATEGORY_L1!categorical", "guide", **_SHOP),
    _refused("a category that is a number", "ITEMS", "ITEM_ID KIND:int!categorical", "guide"),
    _refused("names alike but for underscores", "ITEMS", "ITEM_ID KIND_A KINDA", "guide"),
    _refused("users without any facts", "USERS", "USER_ID", "guide"),
    _refused("twenty-six facts", "USERS", "USER_ID " + " ".join(f"F{n}" for n in range(26)), "guide"),
    _refused("actions in a domain", "ACTIONS", "ACTION_ID VALUE:long", "guide", **_SHOP),
    # What no answer of AWS is known to, and has no column here
    _refused("three types in a union", "ITEMS", "ITEM_ID A:null|int|string", "ours"),
    _refused("a union of nothing but null", "ITEMS", "ITEM_ID A:[null]", "ours"),
    _refused("two types without null", "ITEMS", "ITEM_ID A:int|string", "ours"),
    _refused("bytes", "ITEMS", "ITEM_ID A:bytes", "ours"),
    _refused("a version that is a list", "ITEMS", "ITEM_ID A", "ours", instead={"version": ["1.0"]}),
    _refused("no record", "ITEMS", "ITEM_ID A", "ours", instead={"type": "enum"}),
)  # fmt: skip
