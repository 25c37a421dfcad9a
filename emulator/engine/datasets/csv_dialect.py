r"""The service's CSV dialect: inside double quotes, a backslash stands before `"` and before `\`.

Spreadsheets double the quote instead. Both are read here (our choice: the guide names the backslash only); any other
backslash, and every backslash outside quotes, is a plain character.
"""

import re
from pathlib import Path
from typing import Final

from emulator.engine.datasets.csv_shape import has_byte

_QUOTED: Final = re.compile(rb'"(?:[^"\\]|\\.|"")*"')
_ESCAPED: Final = re.compile(rb'\\(["\\])')


def without_backslashes(file: Path, scratch: Path) -> Path:
    """Return the file, or a copy in the folder `scratch` where quotes are doubled, when it escapes with backslashes."""
    if not (has_byte(file, b'"') and has_byte(file, b"\\")):
        return file
    copy = scratch / file.name
    with file.open("rb") as source, copy.open("wb") as target:
        target.writelines(_QUOTED.sub(_doubled, line) if b"\\" in line else line for line in source)
    return copy


def _doubled(quoted: re.Match[bytes]) -> bytes:
    return _ESCAPED.sub(lambda escape: b'""' if escape[1] == b'"' else b"\\", quoted[0])
