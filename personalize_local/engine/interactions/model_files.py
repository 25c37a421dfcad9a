"""Save and load a model's files: one JSON file, arrays mapped into memory when read, and ids as Parquet."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from personalize_local.engine.interactions.histories import Histories
from personalize_local.engine.interactions.training_data import Catalogue, TrainingData

_FACTS = "model.json"


def save_arrays(directory: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write one file per array.

    Any dtype but object: float32, int32, int64 and bool come back as they were.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name, values in arrays.items():
        np.save(directory / f"{name}.npy", np.ascontiguousarray(values), allow_pickle=False)


def load_arrays(directory: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a folder; their pages are read when they are used.

    Each has the dtype it was saved with (float32, int32, int64 or bool).
    """
    files = sorted(directory.glob("*.npy"))
    # As plain arrays: every slice of a memmap object costs several microseconds.
    return {path.stem: np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray) for path in files}


def save_facts(directory: Path, facts: Mapping[str, Any]) -> None:
    """Write what is known about the model as JSON."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / _FACTS).write_text(json.dumps(facts, indent=1, sort_keys=True))


def load_facts(directory: Path) -> dict[str, Any]:
    """Return what `save_facts` wrote."""
    facts: dict[str, Any] = json.loads((directory / _FACTS).read_text())
    return facts


def save_data(directory: Path, data: TrainingData) -> None:
    """Write the catalogue and every user's history."""
    catalogue = data.catalogue
    items = pl.DataFrame({"ITEM_ID": catalogue.ids}) if catalogue.metadata is None else catalogue.metadata
    items.write_parquet(directory / "items.parquet", compression="zstd", compression_level=1)
    users = pl.DataFrame({"USER_ID": data.user_ids})
    users.write_parquet(directory / "users.parquet", compression="zstd", compression_level=1)
    past = data.histories
    save_arrays(
        directory / "histories",
        {"offsets": past.offsets, "items": past.items, "times": past.times, "weights": past.weights},
    )
    save_arrays(directory / "catalogue", {"created": catalogue.created, "warm": np.array([catalogue.warm])})


def load_data(directory: Path) -> TrainingData:
    """Return what `save_data` wrote, the histories mapped into memory."""
    items = pl.read_parquet(directory / "items.parquet")
    arrays = load_arrays(directory / "catalogue")
    metadata = items if len(items.columns) > 1 else None
    catalogue = Catalogue(items["ITEM_ID"], int(arrays["warm"][0]), arrays["created"], metadata)
    past = load_arrays(directory / "histories")
    histories = Histories(past["offsets"], past["items"], past["times"], past["weights"])
    return TrainingData(histories, pl.read_parquet(directory / "users.parquet")["USER_ID"], catalogue)
