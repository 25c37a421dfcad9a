"""Check that the engine's files are what its own notes say, without reading the rows."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from personalize_local.state.state_errors import REMEDY, StateError

_PARQUET: Final = b"PAR1"  # the first and the last four bytes of every file
_NUMPY: Final = b"\x93NUMPY"


def check_datasets(directory: Path, filled: Iterable[str]) -> None:
    """Raise unless all datasets below the directory are whole, and those are there that have rows."""
    for name in filled:
        if not (directory / name / "state.json").is_file():
            raise StateError(f"{directory / name}, the rows of a dataset, is missing; {REMEDY}")
    for state in directory.glob("*/*/datasets/*/*/state.json"):
        try:
            _check_dataset(state)
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise StateError(f"{state.parent}, the rows of a dataset, is damaged ({error}); {REMEDY}") from error


def _check_dataset(state: Path) -> None:
    saved = json.loads(state.read_text(encoding="utf-8"))
    for part in saved["parts"]:
        _check_parquet(state.parent / part["file"])
    tail = state.parent / f"tail-{int(saved['sequence'])}.jsonl"
    if tail.exists():
        for line in tail.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):  # a crash may have cut the last one
                dict(json.loads(line))


def _check_parquet(file: Path) -> None:
    with file.open("rb") as opened:
        head = opened.read(4)
        opened.seek(max(0, file.stat().st_size - 4))
        if (head, opened.read(4)) != (_PARQUET, _PARQUET):
            raise ValueError(f"{file.name} is no Parquet file")


def is_whole_model(folder: Path) -> bool:
    """Tell whether a model's files can be read."""
    try:
        for notes in (folder / "engine.json", *folder.rglob("model.json")):
            json.loads(notes.read_text(encoding="utf-8"))
        for table in folder.rglob("*.parquet"):
            _check_parquet(table)
        return all(_begins_with(array, _NUMPY) for array in folder.rglob("*.npy"))
    except (ValueError, OSError):
        return False


def _begins_with(file: Path, magic: bytes) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(magic)) == magic
