"""Shapes of filter expressions that the service's guide and public programs show, with names and values of our own.

`authority` says who decides: `guide` (the developer guide), `observed` (AWS accepted it, as people who ran it report),
`sample` (stands in what AWS ships), `ours` (nobody says).
"""

from dataclasses import dataclass
from typing import Final, Literal

Decider = Literal["guide", "observed", "sample", "ours"]


@dataclass(frozen=True)
class PublicFilter:
    """One expression, and what the refusal says if it is refused."""

    text: str
    authority: Decider
    refusal: str | None = None


PUBLIC_FILTERS: Final[tuple[PublicFilter, ...]] = (
    # Events of items
    PublicFilter('EXCLUDE itemId WHERE INTERACTIONS.event_type in ("sold")', "guide"),
    PublicFilter('EXCLUDE itemId WHERE INTERACTIONS.event_type in ("*")', "guide"),
    PublicFilter("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)", "guide"),
    PublicFilter('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("seen", "sold")', "guide"),
    PublicFilter('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("seen","sold")', "sample"),
    PublicFilter("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($KIND)", "guide"),
    PublicFilter('INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("liked")', "guide"),
    PublicFilter('INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")', "guide"),
    PublicFilter('INCLUDE ItemID WHERE Interactions.EVENT_TYPE NOT IN ("seen")', "guide"),
    PublicFilter('EXCLUDE ItemID WHERE Interactions.event_type IN ("Sold")', "sample"),
    PublicFilter('EXCLUDE ItemID WHERE INTERACTIONS.event_type IN ("Sold")', "sample"),
    PublicFilter('\nEXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("sold")\n', "sample"),
    PublicFilter('EXCLUDE itemId WHERE INTERACTIONS.event_type = "seen"', "ours"),
    # Facts of items
    PublicFilter('INCLUDE ItemID WHERE Items.GENRES IN ("noir")', "guide"),
    PublicFilter('INCLUDE itemId WHERE Items.GENRES IN ("noir", "heist")', "sample"),
    PublicFilter("INCLUDE ItemID WHERE Items.GENRES IN ($TASTE)", "guide"),
    PublicFilter("EXCLUDE ItemID WHERE Items.GENRES IN ($TASTE)", "guide"),
    PublicFilter('EXCLUDE ItemID WHERE Items.GENRES IN ("$TASTE")', "guide"),
    PublicFilter('EXCLUDE itemId WHERE Items.genres IN ("noir")', "ours"),
    PublicFilter('INCLUDE ItemID WHERE ITEMS.genres IN ("noir","heist")', "sample"),
    PublicFilter('EXCLUDE ItemID WHERE Items.GENRES IN ("noir") AND Items.TITLE NOT IN ("The Safe")', "guide"),
    PublicFilter('INCLUDE ItemID WHERE Items.TITLE IN ("no") AND Items.GENRES IN ($TASTE)', "sample"),
    PublicFilter('INCLUDE ItemID WHERE Items.GENRES IN ("noir") OR Items.PRICE < 3', "guide"),
    PublicFilter("INCLUDE ItemID WHERE Items.PRICE < 20", "guide"),
    PublicFilter("INCLUDE ItemID WHERE Items.PRICE <= $MOST", "guide"),
    PublicFilter("INCLUDE ItemID WHERE Items.PRICE >= $LEAST AND Items.PRICE <= $MOST", "sample"),
    PublicFilter("INCLUDE ItemID WHERE Items.CREATION_TIMESTAMP < $DAY", "guide"),
    PublicFilter("INCLUDE ItemID WHERE Items.CREATION_TIMESTAMP > 1600000000", "sample"),
    PublicFilter("INCLUDE ItemID WHERE Items.PRICE = 0", "guide"),
    PublicFilter("EXCLUDE ItemID WHERE Items.PRICE != 0", "guide"),
    PublicFilter("INCLUDE ItemID WHERE Items.PRICE > 2.5", "guide"),
    PublicFilter("INCLUDE ItemID WHERE Items.PRICE > -1", "ours"),
    PublicFilter("INCLUDE ItemID WHERE Items.PRICE IN (1, 2)", "ours"),
    PublicFilter("INCLUDE ItemID WHERE Items.PRICE < ($MOST)", "guide"),
    PublicFilter("INCLUDE ItemID WHERE Items.PRICE > (3)", "ours"),
    PublicFilter('INCLUDE ItemID WHERE Items.TITLE = "The Safe"', "ours"),
    PublicFilter("INCLUDE ItemID WHERE Items.TITLE = $TITLE", "guide"),
    PublicFilter('EXCLUDE ItemID WHERE Items.TITLE != "The Safe"', "ours"),
    # The item of the question
    PublicFilter("INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE", "guide"),
    PublicFilter("INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE AND Items.GENRES IN CurrentItem.GENRES",
                 "guide"),
    PublicFilter("INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE AND Items.CREATION_TIMESTAMP > $DAY", "guide"),
    PublicFilter("EXCLUDE ItemID WHERE Items.GENRES IN CurrentItem.GENRES", "guide"),
    # The user of the question
    PublicFilter("EXCLUDE ItemID WHERE Items.GENRES IN ($TASTE) IF CurrentUser.AGE = $AGE", "guide"),
    PublicFilter('INCLUDE ItemID WHERE Items.GENRES IN ("noir") IF CurrentUser.AGE > 18', "guide"),
    PublicFilter("EXCLUDE ItemID WHERE Items.PRICE < 20 IF CurrentUser.AGE > 18 AND CurrentUser.AGE < 30", "guide"),
    PublicFilter('INCLUDE ItemID WHERE Items.GENRES IN ("noir") IF CURRENTUSER.AGE > 20', "observed"),
    PublicFilter('INCLUDE ItemID WHERE Items.GENRES IN ("noir") IF CURRENTUSER.CITY = "Rome"', "observed"),
    PublicFilter("INCLUDE ItemID WHERE Items.GENRES IN ($TASTE) IF CurrentUser.CITY = $CITY", "guide"),
    PublicFilter('EXCLUDE ItemID WHERE Items.GENRES IN ("noir") IF CurrentUser.CITY IN ("Rome", "Bari")', "guide"),
    PublicFilter("EXCLUDE ItemID WHERE Items.PRICE < ($LEAST) IF CurrentUser.CITY = $CITY", "guide"),
    PublicFilter('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("sold") IF CurrentUser.AGE < 18', "guide"),
    # Several expressions
    PublicFilter('INCLUDE ItemID WHERE Items.GENRES IN ("noir") | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN'
                 ' ("seen", "sold")', "guide"),
    PublicFilter("INCLUDE ItemID WHERE Items.GENRES IN ($TASTE) | INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN"
                 ' ("liked")', "guide"),
    PublicFilter('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("sold") | INCLUDE ItemID WHERE Items.GENRES IN'
                 " ($TASTE)", "guide"),
    PublicFilter('INCLUDE ItemID WHERE Items.GENRES IN ("noir")|EXCLUDE ItemID WHERE Items.PRICE > 9', "ours"),
    # Users
    PublicFilter("INCLUDE UserID WHERE Users.CITY IN ($CITY)", "guide"),
    PublicFilter("EXCLUDE UserID WHERE Users.AGE < $AGE", "guide"),
    PublicFilter('INCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("seen", "liked")', "guide"),
    PublicFilter("EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ($KIND)", "guide"),
    PublicFilter('EXCLUDE UserID WHERE Users.CITY IN ("Rome") | INCLUDE UserID WHERE Users.AGE > 30', "ours"),
    # Actions
    PublicFilter("INCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ($KIND)", "guide"),
    PublicFilter('EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("NOT_TAKEN")', "guide"),
    PublicFilter('EXCLUDE ActionID WHERE ActionInteractions.EVENT_TYPE IN ("Taken")', "ours"),
    PublicFilter("EXCLUDE ActionID WHERE Actions.CLUB IN ($CLUB)", "guide"),
    PublicFilter("INCLUDE ActionID WHERE Actions.VALUE > ($LEAST)", "guide"),
    PublicFilter('INCLUDE ActionID WHERE Action.CLUB IN ("gold") IF CurrentUser.CITY = $CITY', "guide"),
    PublicFilter("EXCLUDE ActionID WHERE Actions.VALUE < ($LEAST) IF CurrentUser.CITY = $CITY", "guide"),
    PublicFilter('INCLUDE ActionID WHERE Actions.CLUB IN ("gold") | EXCLUDE ActionID WHERE'
                 ' Action_Interactions.EVENT_TYPE IN ("Taken")', "guide"),
    # What the guide forbids
    PublicFilter("INCLUDE ItemID WHERE Items.GENRES NOT IN ($TASTE)", "guide", "not allowed with NOT_IN"),
    PublicFilter('INCLUDE ItemID WHERE Items.DESCRIPTION IN ("safe")', "guide", "textual"),
    PublicFilter("INCLUDE ItemID WHERE Items.AVAILABLE = 1", "guide", "boolean"),
    PublicFilter('EXCLUDE ItemID WHERE Items.AVAILABLE IN ("true")', "guide", "boolean"),
    PublicFilter("EXCLUDE ItemID WHERE Interactions.EVENT_VALUE > 3", "guide", "only the column EVENT_TYPE"),
    PublicFilter('INCLUDE ItemID WHERE Items.PRICE > 3 AND Interactions.EVENT_TYPE IN ("seen")', "guide",
                 "one dataset"),
    PublicFilter('INCLUDE ActionID WHERE Actions.VALUE > 3 AND ActionInteractions.EVENT_TYPE IN ("x")', "guide",
                 "one dataset"),
    PublicFilter('EXCLUDE ItemID WHERE Items.GENRES IN ("noir") IF Users.AGE > 20', "observed", "unexpected Users.AGE"),
    PublicFilter('EXCLUDE ItemID WHERE Items.PRICE > 3 IF CurrentUser.AGE > 3 OR CurrentUser.CITY = "Rome"', "guide",
                 "unexpected OR"),
    PublicFilter("INCLUDE ItemID WHERE Items.PRICE > 3 IF CurrentUser.AGE > 3 AND Items.PRICE < 9", "guide",
                 "unexpected Items.PRICE"),
    PublicFilter('INCLUDE ItemID WHERE CurrentUser.CITY IN ("Rome")', "guide", "unexpected CurrentUser.CITY"),
    PublicFilter("INCLUDE ItemID WHERE Items.GENRES IN (*)", "guide", "EVENT_TYPE only"),
    PublicFilter('INCLUDE ItemID WHERE Items.GENRES < "noir"', "guide", "is for numbers"),
    PublicFilter("INCLUDE ItemID WHERE Items.COLOUR = 1", "guide", "no column COLOUR"),
    PublicFilter('INCLUDE UserID WHERE Items.GENRES IN ("noir")', "guide", "cannot test the ITEMS dataset"),
    PublicFilter("INCLUDE ItemID Items.PRICE > 3", "guide", "unexpected Items.PRICE"),
    # What nobody says AWS takes
    PublicFilter("INCLUDE ItemID WHERE Items.GENRES IN ('noir')", "ours", "unexpected 'noir'"),
    PublicFilter("INCLUDE ItemID WHERE Items.GENRES IN $TASTE", "ours", "unexpected $TASTE"),
    PublicFilter("INCLUDE ItemID WHERE (Items.PRICE > 3)", "ours", "unexpected (Items.PRICE"),
    PublicFilter("INCLUDE ItemID WHERE Items.PRICE > ()", "ours", "unexpected )"),
    PublicFilter("INCLUDE ItemID WHERE Items.PRICE > (3, 4)", "ours", "unexpected ,"),
    PublicFilter('INCLUDE ItemID WHERE Items.GENRES IN ("noir") ORDER', "ours", "unexpected ORDER"),
)  # fmt: skip
