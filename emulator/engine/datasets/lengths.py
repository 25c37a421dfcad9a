"""How long text may be: what is longer is refused, except for textual fields, which are cut."""

import re
from typing import Final

from emulator.engine.datasets.schema import Field

TEXTUAL_CHARACTERS: Final = 20_000
CJK_CHARACTERS: Final = 7_000  # of textual values in Chinese or Japanese
CJK: Final = r"[\p{Han}\p{Hiragana}\p{Katakana}]"
_ID_CHARACTERS: Final = 256
_TEXT_CHARACTERS: Final = 1_000
_IDS: Final = frozenset({"USER_ID", "ITEM_ID", "ACTION_ID", "EVENT_TYPE"})
_CJK_BLOCKS: Final = re.compile("[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


def longest(field: Field) -> int:
    """Return how many characters a value of the column may have, if it is not textual."""
    return _ID_CHARACTERS if field.name in _IDS else _TEXT_CHARACTERS


def cut(text: str) -> str:
    """Return a textual value as long as the service keeps it."""
    return text[: CJK_CHARACTERS if _CJK_BLOCKS.search(text) else TEXTUAL_CHARACTERS]
