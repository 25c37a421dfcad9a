"""Keep the contents of S3 objects, a file each, named after what is in it, so that copies share one."""

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from personalize_local.state.state_errors import REMEDY, StateError

_NAME: Final = re.compile(r"[0-9a-f]{64}(\.new)?")
_BLOCK_BYTES: Final = 2**20


class Bodies:
    """The contents of objects: files written before the rows that name them, and removed after those rows are gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def exists(self) -> bool:
        """Tell whether there is a folder of them."""
        return self._folder.exists()

    def write(self, content: bytes) -> str:
        """Put a content on disk, for good, and return its name; nothing is written that is there already."""
        name = hashlib.sha256(content).hexdigest()
        target = self._folder / name
        if not target.exists():
            self._folder.mkdir(exist_ok=True)
            draft = self._folder / f"{name}.new"
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
            self._sync()
        return name

    def _sync(self) -> None:
        """Put the names on disk, too."""
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def read(self, name: str) -> bytes:
        """Return a content."""
        return (self._folder / name).read_bytes()

    def remove_all_but(self, wanted: set[str]) -> None:
        """Remove what a crash left: contents that no row names, and files that were not finished."""
        if self.exists():
            self.remove({path.name for path in self._folder.iterdir() if _NAME.fullmatch(path.name)} - wanted)

    def remove(self, names: set[str]) -> None:
        """Remove contents; removing twice is fine."""
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def check(self, sizes: Mapping[str, int]) -> None:
        """Raise unless every content is there, whole and as it was."""
        for name, size in sizes.items():
            file = self._folder / name
            wrong = ""
            if not _NAME.fullmatch(name) or not file.is_file():
                wrong = "missing"
            elif file.stat().st_size != size or _digest(file) != name:
                wrong = "damaged"
            if wrong:
                raise StateError(f"{file}, the content of an S3 object, is {wrong}; {REMEDY}")


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
