"""The engine's face: one object per data directory, safe to call from many threads."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from emulator.engine.api import (
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


class Engine:
    """Datasets and models below one directory; long work runs in worker processes and answers with futures.

    A future that fails carries an `EngineError`, whose text is the service's failureReason.
    """

    def __init__(self, directory: Path, *, workers: int = 2) -> None:
        self.directory = directory
        self._workers = workers

    def import_files(self, dataset: DatasetRef, files: Sequence[Path], mode: ImportMode) -> "Future[ImportReport]":
        """Read CSV files into the dataset's bulk part: all of them, or none when one row is bad."""
        raise NotImplementedError

    def put_rows(self, dataset: DatasetRef, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append streamed rows (column name -> value); visible to the next query."""
        raise NotImplementedError

    def rows(self, dataset: DatasetRef, ingestion: IngestionMode = "ALL") -> int:
        """Return how many rows the dataset holds."""
        raise NotImplementedError

    def export(self, dataset: DatasetRef, target: Path, ingestion: IngestionMode) -> "Future[Sequence[Path]]":
        """Write the dataset as CSV files with a header into the folder `target`."""
        raise NotImplementedError

    def delete_users(self, datasets: Sequence[DatasetRef], files: Sequence[Path]) -> "Future[int]":
        """Delete every row of the users listed in CSV files of the one column USER_ID; the number of users."""
        raise NotImplementedError

    def drop_dataset(self, dataset: DatasetRef) -> None:
        """Forget the dataset's rows; forgetting twice is fine."""
        raise NotImplementedError

    def train(self, spec: TrainingSpec) -> "Future[TrainingResult]":
        """Fit the recipe to what the datasets hold at this moment."""
        raise NotImplementedError

    def stop_training(self, version: str) -> None:
        """Give up a training; its future is cancelled or fails, its files go."""
        raise NotImplementedError

    def drop_model(self, version: str) -> None:
        """Forget a trained model; forgetting twice is fine."""
        raise NotImplementedError

    def recommend(self, version: str, query: Query) -> list[Recommendation]:
        """Answer GetRecommendations, GetPersonalizedRanking or GetActionRecommendations, as the recipe decides."""
        raise NotImplementedError

    def batch(self, spec: BatchSpec) -> "Future[BatchReport]":
        """Answer every line of the input files into `.out` files."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop the workers; running work fails."""
        raise NotImplementedError
