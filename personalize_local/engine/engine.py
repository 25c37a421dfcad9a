"""Offer the whole engine as one object per data directory, safe to call from many threads."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from personalize_local.engine.api import (
    DATASET_FOLDER,
    BatchReport,
    BatchSpec,
    DatasetRef,
    ImportMode,
    ImportReport,
    IngestionMode,
    Query,
    Recommendation,
    TrainingResult,
    TrainingSpec,
)
from personalize_local.engine.processes.worker_pool import ProcessPool

if TYPE_CHECKING:
    from personalize_local.engine.datasets.dataset_jobs import DatasetJobs
    from personalize_local.engine.trained_models import TrainedModels

_WARM: Final = "personalize_local.engine.worker_jobs"
_WAITING_JOBS: Final = 64  # threads that wait for a worker; the service's own quotas are far below


class Engine:
    """Datasets and models below one directory; long work runs in worker processes and answers with futures.

    A future that fails carries an `EngineError`, whose text is the service's failureReason.
    """

    def __init__(self, directory: Path, *, workers: int = 2) -> None:
        self.directory = directory
        self._workers = ProcessPool(workers, directory / "logs")
        self._jobs = ThreadPoolExecutor(_WAITING_JOBS, "engine-job")
        self._lock = threading.Lock()
        self._is_warm = False
        self._opened: tuple[DatasetJobs, TrainedModels] | None = None

    def import_files(self, dataset: DatasetRef, files: Sequence[Path], mode: ImportMode) -> "Future[ImportReport]":
        """Read CSV files into the dataset's bulk part: all of them, or none when one row is bad."""
        return self._jobs.submit(self._datasets.import_files, dataset, list(files), mode)

    def put_rows(self, dataset: DatasetRef, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append streamed rows (column name -> value); visible to the next query."""
        self._datasets.put_rows(dataset, rows)

    def rows(self, dataset: DatasetRef, ingestion: IngestionMode = "ALL") -> int:
        """Return how many rows the dataset holds."""
        return self._datasets.rows(dataset, ingestion)

    def export(self, dataset: DatasetRef, target: Path, ingestion: IngestionMode) -> "Future[Sequence[Path]]":
        """Write the dataset as CSV files with a header into the folder `target`."""
        frozen = self._datasets.freeze([dataset])
        return self._jobs.submit(self._datasets.export, dataset, frozen, target, ingestion)

    def delete_users(self, datasets: Sequence[DatasetRef], files: Sequence[Path]) -> "Future[int]":
        """Delete every row of the users listed in CSV files of the one column USER_ID; the number of rows deleted."""
        return self._jobs.submit(self._datasets.delete_users, list(datasets), list(files))

    def drop_dataset(self, dataset: DatasetRef) -> None:
        """Forget the dataset's rows; forgetting twice is fine."""
        if (
            self._opened or (self.directory / DATASET_FOLDER).exists()
        ):  # else there is nothing, and opening takes a while
            self._datasets.drop(dataset)

    def warm_up(self) -> None:
        """Begin to open the folders and to start a worker, for an import that will probably come; once is enough."""
        with self._lock:
            was_warm, self._is_warm = self._is_warm, True
        if not was_warm:
            self._jobs.submit(lambda: self._datasets and self._workers.run("warm-up", f"{_WARM}:warm_up"))

    def train(self, spec: TrainingSpec) -> "Future[TrainingResult]":
        """Fit the recipe to what the datasets hold at this moment."""
        watermarks = self._datasets.watermarks(spec.datasets)
        return self._jobs.submit(self._models.train, spec, self._datasets.freeze(spec.datasets), watermarks)

    def stop_training(self, version: str) -> None:
        """Give up a training; its future is cancelled or fails, its files go."""
        self._workers.stop(version)

    def drop_model(self, version: str) -> None:
        """Forget a trained model; forgetting twice is fine."""
        self._models.drop(version)

    def recommend(self, version: str, query: Query) -> list[Recommendation]:
        """Answer GetRecommendations, GetPersonalizedRanking or GetActionRecommendations, as the recipe decides."""
        return self._models.recommend(version, query)

    def batch(self, spec: BatchSpec) -> "Future[BatchReport]":
        """Answer every line of the input files into `.out` files."""
        live = self._datasets.freeze(self._models.datasets(spec.version))
        return self._jobs.submit(self._models.batch, spec, live)

    def close(self) -> None:
        """Stop the workers; running work fails."""
        self._workers.close()
        self._jobs.shutdown(wait=True, cancel_futures=True)

    @property
    def _datasets(self) -> "DatasetJobs":
        return self._open()[0]

    @property
    def _models(self) -> "TrainedModels":
        return self._open()[1]

    def _open(self) -> "tuple[DatasetJobs, TrainedModels]":
        """Open the folders when they are first needed: polars and numpy take a while to import."""
        with self._lock:
            if self._opened is None:
                from personalize_local.engine.datasets.dataset_jobs import DatasetJobs  # noqa: PLC0415 - see above
                from personalize_local.engine.trained_models import TrainedModels  # noqa: PLC0415 - see above

                datasets = DatasetJobs(self.directory, self._workers)
                self._opened = datasets, TrainedModels(self.directory, self._workers, datasets.store, self._jobs)
            return self._opened
