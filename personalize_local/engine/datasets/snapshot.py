"""Freeze what the datasets of a group hold at one moment, in a folder that a worker process can open."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from personalize_local.engine.api import DatasetRef, DatasetType
from personalize_local.engine.datasets.log_files import LogFile, merge
from personalize_local.engine.datasets.schema import Schema, parse_schema

if TYPE_CHECKING:
    from personalize_local.engine.datasets.dataset_store import DatasetStore


@dataclass(frozen=True)
class Snapshot:
    """Bulk and streamed rows merged by the documented rules; later imports do not change it."""

    schemas: Mapping[DatasetType, Schema]
    log_files: Mapping[DatasetType, Sequence[LogFile]] = field(default_factory=dict)

    @staticmethod
    def open(directory: Path) -> "Snapshot":
        """Return the snapshot that `take_snapshot` left in the folder."""
        manifest = json.loads((directory / "snapshot.json").read_text())
        return Snapshot(
            {kind: parse_schema(entry["schema"]) for kind, entry in manifest.items()},
            {
                kind: [LogFile.from_json(directory / kind, log_file) for log_file in entry["parts"]]
                for kind, entry in manifest.items()
            },
        )

    def rows(self, dataset_type: DatasetType) -> pl.LazyFrame | None:
        """Return the dataset's rows; None when the dataset is absent or empty."""
        if dataset_type not in self.schemas:
            return None
        return merge(self.log_files.get(dataset_type, ()), self.schemas[dataset_type], dataset_type)

    def interactions(self) -> pl.LazyFrame:
        """Return every different interaction, in no particular order; none is an empty frame."""
        frame = self.rows("INTERACTIONS")
        if frame is not None:
            return frame
        return pl.LazyFrame(schema={"USER_ID": pl.String, "ITEM_ID": pl.String, "TIMESTAMP": pl.Int64})

    def items(self) -> pl.LazyFrame | None:
        """Return the newest row of each item."""
        return self.rows("ITEMS")

    def users(self) -> pl.LazyFrame | None:
        """Return the newest row of each user."""
        return self.rows("USERS")

    def actions(self) -> pl.LazyFrame | None:
        """Return the newest row of each action."""
        return self.rows("ACTIONS")

    def action_interactions(self) -> pl.LazyFrame | None:
        """Return every different action interaction."""
        return self.rows("ACTION_INTERACTIONS")


def take_snapshot(store: "DatasetStore", datasets: Sequence[DatasetRef], directory: Path) -> Snapshot:
    """Freeze the datasets in the folder: hard links where the file system has them, else copies."""
    manifest = {}
    for ref in datasets:
        folder = directory / ref.type
        folder.mkdir(parents=True)
        kept = store.dataset(ref).freeze(parse_schema(ref.schema), partial(_link, folder=folder))
        manifest[ref.type] = {"schema": ref.schema, "parts": [log_file.to_json() for log_file in kept]}
    (directory / "snapshot.json").write_text(json.dumps(manifest))
    return Snapshot.open(directory)


def _link(log_file: LogFile, folder: Path) -> None:
    target = folder / log_file.path.name
    try:
        os.link(log_file.path, target)
    except OSError:
        shutil.copyfile(log_file.path, target)
