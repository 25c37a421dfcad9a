"""Keep all datasets, a folder each, by dataset group and type."""

import shutil
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from personalize_local.engine.api import DatasetRef
from personalize_local.engine.datasets.dataset_log import DatasetLog
from personalize_local.engine.datasets.schema_rules import RULES


class DatasetStore:
    """All datasets below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._datasets: dict[str, DatasetLog] = {}

    def dataset(self, ref: DatasetRef) -> DatasetLog:
        """Return the dataset, empty when nothing was stored yet."""
        with self._lock:
            if ref.key not in self._datasets:
                self._datasets[ref.key] = DatasetLog(self.root / ref.key)
            return self._datasets[ref.key]

    def today(self, refs: Iterable[DatasetRef]) -> list[DatasetRef]:
        """Return all datasets of the references' groups with the schemas of their newest rows.

        Both may be younger than the references: datasets are added to a group, and schemas are replaced.
        """
        refs_by_key = {ref.key: ref for ref in refs}
        for group in {ref.key.rpartition("/")[0] for ref in refs_by_key.values()}:
            for dataset_type in RULES:
                key = f"{group}/{dataset_type}"
                if (self.root / key / "state.json").exists():
                    self._add(refs_by_key, DatasetRef(key, dataset_type, ""))
        return list(refs_by_key.values())

    def _add(self, refs_by_key: dict[str, DatasetRef], ref: DatasetRef) -> None:
        schema = self.dataset(ref).schema
        if schema is not None:
            refs_by_key[ref.key] = replace(ref, schema=schema)

    def drop(self, ref: DatasetRef) -> None:
        """Forget the dataset and its files."""
        with self._lock:
            self._datasets.pop(ref.key, None)
            shutil.rmtree(self.root / ref.key, ignore_errors=True)
