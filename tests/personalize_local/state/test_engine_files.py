"""The engine's files: what is no model is said to be none, and nothing in them is executed."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from personalize_local.engine.interactions.model_files import load_arrays
from personalize_local.state.engine_files import is_whole_model


class Evil:
    """What runs code when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.target,)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "taste" / "1"
    (folder / "histories").mkdir(parents=True)
    (folder / "engine.json").write_text(json.dumps({"recipe": "aws-popularity-count"}))
    (folder / "model.json").write_text("{}")
    pl.DataFrame({"ITEM_ID": ["1"]}).write_parquet(folder / "items.parquet")
    np.save(folder / "histories" / "offsets.npy", np.arange(3))
    return folder


def test_a_whole_model_is_whole(model: Path) -> None:
    assert is_whole_model(model)


@pytest.mark.parametrize("file", ["engine.json", "model.json", "items.parquet", "histories/offsets.npy"])
def test_a_model_with_a_garbled_file_is_not(model: Path, file: str) -> None:
    (model / file).write_bytes(b"\xff" * (model / file).stat().st_size)
    assert not is_whole_model(model)


def test_a_model_without_notes_is_not(model: Path) -> None:
    (model / "engine.json").unlink()
    assert not is_whole_model(model)


def test_nothing_in_an_array_is_executed(model: Path, tmp_path: Path) -> None:
    np.save(model / "evil.npy", np.array([Evil(tmp_path / "executed")], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="Python objects"):
        load_arrays(model)
    assert not (tmp_path / "executed").exists()
    np.load(model / "evil.npy", allow_pickle=True)  # the array would have done it
    assert (tmp_path / "executed").exists()
