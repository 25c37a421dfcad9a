"""Erase users from a group's files: uploads are written anew without their rows, all else that names them goes.

Rewritten uploads are settled in the ledger as what they replace, so that they are not imported once more. Old versions
go for good. What is erased whole can be made again: results, reports, staged copies, and batch inputs.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from lambdas.bucket_layout import REJECTED, RESULTS, STAGING, UPLOADS, DatasetFile, parse_key, user_list_folder
from lambdas.gateways.s3 import Objects
from lambdas.gateways.versioned_objects import ObjectVersion, VersionedObjects
from lambdas.groups.user_list import cells_of
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.records.file_row import FileRow, FileState

FOLDERS: Final = (UPLOADS, STAGING, RESULTS, REJECTED)
_OPEN: Final = (FileState.WAITING, FileState.CLAIMED)
_QUOTED: Final = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")


@dataclass(frozen=True)
class ErasureProgress:
    """How far an erasure has come: in which folder, up to which key, and what it did so far."""

    folder: int = 0
    key: str = ""
    rewritten: int = 0
    erased: int = 0


@dataclass(frozen=True)
class UserErasure:
    """Erases users from the files of one group, while its leases are held; `epochs` are those of its datasets'."""

    bucket: VersionedObjects
    objects: Objects
    ledger: Ledger
    users: frozenset[str]
    epochs: Callable[[str], int]
    time: str

    def erase(self, group: str, progress: ErasureProgress, is_late: Callable[[], bool]) -> tuple[bool, ErasureProgress]:
        """Go through the group's files, from where an erasure has come to; False when time ran out."""
        rewritten, erased = progress.rewritten, progress.erased
        for number, folder in enumerate(FOLDERS[progress.folder :], start=progress.folder):
            after = progress.key if number == progress.folder else ""
            for version in self.bucket.versions(f"{folder}{group}/"):
                if version.is_marker or version.key < after or version.key.startswith(user_list_folder(group, "")[:-1]):
                    continue
                if is_late():
                    return False, ErasureProgress(number, version.key, rewritten, erased)
                if self._mentions(version):
                    rewritten += self._rewrite(version)
                    self.bucket.erase(version)
                    erased += 1
        return True, ErasureProgress(len(FOLDERS), "", rewritten, erased)

    def _mentions(self, version: ObjectVersion) -> bool:
        return any(self._names_user(line) for line in _lines(self.bucket.chunks(version)))

    def _names_user(self, line: bytes) -> bool:
        """Say whether a line of CSV text, JSON or prose names one of the users as a whole cell or in quotes."""
        cells = (cell for cell in cells_of(line))
        return any(cell in self.users for cell in cells) or any(word in self.users for word in _words(line))

    def _rewrite(self, version: ObjectVersion) -> bool:
        """Write an upload's current version anew; False for what is not to be kept."""
        meaning = parse_key(version.key)
        if not (isinstance(meaning, DatasetFile) and version.is_latest):
            return False
        header = next(_lines(self.bucket.chunks(version)), b"")
        if "USER_ID" not in (names := cells_of(header)):
            return False
        kept = self._without(_lines(self.bucket.chunks(version)), names.index("USER_ID"))
        if self.objects.current_version(version.key, versioned=True) != version.version_id:
            return False  # a newer one came meanwhile
        self.objects.write_stream(version.key, kept)
        self._settle(meaning, version)
        return True

    def _without(self, lines: Iterator[bytes], position: int) -> Iterator[bytes]:
        for line in lines:
            cells = cells_of(line)
            if not (len(cells) > position and cells[position] in self.users):
                yield line

    def _settle(self, meaning: DatasetFile, version: ObjectVersion) -> None:
        """Let what waited wait on, as its newer version; what was settled is not to be imported again."""
        rows = self.ledger.versions(meaning.dataset_key, version.key)
        old = next((row for row in rows if row.version == version.version_id), None)
        new = self.objects.current_version(version.key, versioned=True)
        if new is not None and (old is None or old.state not in _OPEN):
            row = FileRow(meaning.dataset_key, version.key, new, True, version.size_bytes, self.time, full=meaning.full)
            self.ledger.record_rewritten(row, old, self.time, self.epochs(meaning.dataset_key))


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in whole)
    if rest:
        yield rest


def _words(line: bytes) -> Iterator[str]:
    """Yield every text of a line of JSON, and whatever stands in quotes."""
    text = line.decode(errors="replace").strip()
    if text[:1] in ("{", "["):
        try:
            yield from _texts(json.loads(text))
        except ValueError:
            pass
        else:
            return
    for single, double in _QUOTED.findall(text):
        yield single or double


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        yield from (single or double for single, double in _QUOTED.findall(value))
    elif isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
