"""Run what is done with datasets: imports, streamed rows, exports, deletions, and snapshots for the models."""

import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from personalize_local.engine.api import DATASET_FOLDER, DatasetRef, ImportMode, ImportReport, IngestionMode
from personalize_local.engine.datasets.csv_import import ImportTask
from personalize_local.engine.datasets.dataset_store import DatasetStore
from personalize_local.engine.datasets.log_files import LogFile
from personalize_local.engine.datasets.schema import parse_schema
from personalize_local.engine.datasets.snapshot import take_snapshot
from personalize_local.engine.datasets.user_deletion import delete_users
from personalize_local.engine.processes.worker_pool import ProcessPool


class DatasetJobs:
    """The datasets below the engine's directory; long work is given to the workers and waited for."""

    def __init__(self, directory: Path, workers: ProcessPool) -> None:
        self.store = DatasetStore(directory / DATASET_FOLDER)
        self._scratch = directory / "scratch"
        shutil.rmtree(self._scratch, ignore_errors=True)  # what a crash left
        self._workers = workers

    def import_files(self, ref: DatasetRef, files: Sequence[Path], mode: ImportMode) -> ImportReport:
        """Read the files into the bulk rows; on failure everything stays as it was."""
        dataset, schema = self.store.dataset(ref), parse_schema(ref.schema)
        with dataset.importing, self._folder() as incoming:
            task = ImportTask(ref.type, ref.schema, files, mode, incoming, dataset.freeze(schema))
            log_file: LogFile
            report: ImportReport
            log_file, report = self._workers.run(
                incoming.name, "personalize_local.engine.datasets.csv_import:import_csv", task
            )
            dataset.commit(schema, [log_file], replace=mode == "FULL")
            dataset.schema = ref.schema
            return report

    def put_rows(self, ref: DatasetRef, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append streamed rows."""
        dataset = self.store.dataset(ref)
        dataset.schema = ref.schema
        dataset.append(parse_schema(ref.schema), rows)

    def rows(self, ref: DatasetRef, ingestion: IngestionMode) -> int:
        """Return how many rows there are of the ingestion mode."""
        return self.store.dataset(ref).count(parse_schema(ref.schema), ref.type, ingestion)

    def export(self, ref: DatasetRef, frozen: Path, target: Path, ingestion: IngestionMode) -> Sequence[Path]:
        """Write the rows frozen in a folder as CSV files; the folder goes."""
        try:
            files: Sequence[Path] = self._workers.run(
                frozen.name, "personalize_local.engine.datasets.csv_export:export", ref.type, frozen, target, ingestion
            )
        finally:
            shutil.rmtree(frozen, ignore_errors=True)
        return files

    def delete_users(self, refs: Sequence[DatasetRef], files: Sequence[Path]) -> int:
        """Delete the rows of the users listed in the files; the number of rows."""
        with self._folder() as scratch:
            return delete_users(self.store, refs, files, scratch, lambda *work: self._workers.run(scratch.name, *work))

    def drop(self, ref: DatasetRef) -> None:
        """Forget all rows."""
        self.store.drop(ref)

    def watermarks(self, refs: Sequence[DatasetRef]) -> dict[str, int]:
        """Return, per dataset, the watermark that tells rows streamed until now from later ones."""
        return {ref.key: self.store.dataset(ref).sequence() for ref in refs}

    def freeze(self, refs: Sequence[DatasetRef]) -> Path:
        """Return a folder with a snapshot of the datasets; the caller removes it."""
        folder = self._scratch / uuid.uuid4().hex
        folder.mkdir(parents=True)
        take_snapshot(self.store, refs, folder)
        return folder

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        folder = self._scratch / uuid.uuid4().hex
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
