"""An engine that works at once and remembers what it was asked, for tests of the control plane alone."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from personalize_local.engine.api import (
    BatchReport,
    BatchSpec,
    DatasetRef,
    EngineError,
    ImportReport,
    Query,
    Recommendation,
    TrainingResult,
    TrainingSpec,
)

T = TypeVar("T")


def _done(value: T) -> "Future[T]":
    future: Future[T] = Future()
    future.set_result(value)
    return future


def _failed(reason: str) -> "Future[Any]":
    future: Future[Any] = Future()
    future.set_exception(EngineError(reason))
    return future


class EngineDouble:
    """The engine's signatures; `fail_with` makes all work fail; `hold` and `hold_files` keep work from ending."""

    def __init__(self, directory: Path, *, workers: int = 2) -> None:
        self.directory = directory
        self.workers = workers
        self.fail_with: str | None = None
        self.hold = threading.Event()
        self.hold.set()
        self.hold_files = threading.Event()
        self.hold_files.set()
        self.imports: list[tuple[str, str, list[str]]] = []
        self.trainings: list[TrainingSpec] = []
        self.streamed: list[tuple[str, Mapping[str, Any]]] = []
        self.queries: list[tuple[str, Query]] = []
        self.batches: list[BatchSpec] = []
        self.dropped: list[str] = []

    def import_files(self, dataset: DatasetRef, files: Sequence[Path], mode: str) -> "Future[ImportReport]":
        if self.fail_with:
            return _failed(self.fail_with)
        self.hold_files.wait(60)
        self.imports.append((dataset.key, mode, [file.name for file in files]))
        rows = sum(len(file.read_text().splitlines()) - 1 for file in files)
        return _done(ImportReport(rows, rows))

    def put_rows(self, dataset: DatasetRef, rows: Sequence[Mapping[str, Any]]) -> None:
        self.streamed += [(dataset.key, row) for row in rows]

    def export(self, dataset: DatasetRef, target: Path, ingestion: str) -> "Future[Sequence[Path]]":
        self.hold_files.wait(60)
        file = target / f"{dataset.type.lower()}-{ingestion}.csv"
        file.write_text("USER_ID\n")
        return _done([file])

    def delete_users(self, datasets: Sequence[DatasetRef], files: Sequence[Path]) -> "Future[int]":
        assert datasets
        return _done(sum(len(file.read_text().splitlines()) - 1 for file in files))

    def warm_up(self) -> None:
        """Nothing is cold."""

    def drop_dataset(self, dataset: DatasetRef) -> None:
        self.dropped.append(dataset.key)

    def train(self, spec: TrainingSpec) -> "Future[TrainingResult]":
        self.trainings.append(spec)
        self.hold.wait(60)
        if self.fail_with:
            return _failed(self.fail_with)
        return _done(TrainingResult({"coverage": 0.5, "precision_at_5": 0.0136}, 1.073))

    def stop_training(self, version: str) -> None:
        self.dropped.append(version)

    def drop_model(self, version: str) -> None:
        self.dropped.append(version)

    def recommend(self, version: str, query: Query) -> list[Recommendation]:
        if query.user_id == "refused":
            raise EngineError("refused")
        self.queries.append((version, query))
        ids = query.item_list or [f"item-{number}" for number in range(query.num_results)]
        return [Recommendation(each, 0.5) for each in ids]

    def batch(self, spec: BatchSpec) -> "Future[BatchReport]":
        if self.fail_with:
            return _failed(self.fail_with)
        self.batches.append(spec)
        outputs = [spec.output_directory / f"{file.name}.out" for file in spec.inputs]
        for output in outputs:
            output.write_text('{"error":null}\n')
        return _done(BatchReport(outputs, len(outputs), 0))

    def close(self) -> None:
        self.hold_files.set()
        self.hold.set()
