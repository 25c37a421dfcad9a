"""Keep trained models, a folder each: loaded when first needed, and answering with what happened since training."""

import json
import shutil
import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from personalize_local.engine.api import (
    BatchReport,
    BatchSpec,
    DatasetRef,
    EngineError,
    Query,
    Recommendation,
    TrainingResult,
    TrainingSpec,
)
from personalize_local.engine.datasets.dataset_store import DatasetStore
from personalize_local.engine.datasets.schema import parse_schema
from personalize_local.engine.filters.current_rows import CurrentRows
from personalize_local.engine.processes.disk_sync import sync
from personalize_local.engine.processes.worker_pool import ProcessPool
from personalize_local.engine.serving.served_models import ServedModel
from personalize_local.engine.training.saved_model import load_model

if TYPE_CHECKING:
    import polars as pl

_LOADED_MODELS: Final = 8
_NOTE_FILE: Final = "engine.json"


class TrainedModels:
    """The models below the engine's directory, safe to use from many threads."""

    def __init__(self, directory: Path, workers: ProcessPool, store: DatasetStore, background: Executor) -> None:
        self._root = directory / "models"
        self._workers = workers
        self._store = store
        self._live = CurrentRows(store, background)
        self._lock = threading.Lock()
        self._loaded: OrderedDict[str, tuple[ServedModel, _TrainingNote]] = OrderedDict()

    def train(self, spec: TrainingSpec, snapshot: Path, watermarks: Mapping[str, int]) -> TrainingResult:
        """Fit the recipe in a worker and keep the model; the snapshot goes, and so does a failed model."""
        draft = self._root / f"{spec.version}.partial"  # as deep as the final folder
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        try:
            result: TrainingResult = self._workers.run(
                spec.version, "personalize_local.engine.worker_jobs:run_training", spec, snapshot, draft
            )
            return self._keep(spec, result, draft, watermarks)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            shutil.rmtree(snapshot, ignore_errors=True)

    def batch(self, spec: BatchSpec, live: Path) -> BatchReport:
        """Answer the batch's files in a worker; the snapshot `live` goes."""
        try:
            report: BatchReport = self._workers.run(
                live.name, "personalize_local.engine.worker_jobs:run_batch", spec, self._folder(spec.version), live
            )
        finally:
            shutil.rmtree(live, ignore_errors=True)
        return report

    def drop(self, version: str) -> None:
        """Forget the model and its files."""
        with self._lock:
            self._loaded.pop(version, None)
        shutil.rmtree(self._root / version, ignore_errors=True)

    def datasets(self, version: str) -> list[DatasetRef]:
        """Return the datasets of the model's group, as they are now."""
        return self._store.today(self._read_note(self._folder(version)).datasets)

    def recommend(self, version: str, query: Query) -> list[Recommendation]:
        """Answer the query with the model and what the user did since the training."""
        model, note = self._model(version)
        recent = self._recent(query, model, note)
        if query.filter is None and not query.promotions:
            return model.recommend(query, recent)
        datasets = self._store.today(note.datasets)
        bound = None if query.filter is None else self._live.bind(datasets, query.filter, query)
        promoted = {each.name: self._live.bind(datasets, each.filter, query) for each in query.promotions}
        return model.recommend(query, recent, bound, promoted)

    def _keep(
        self, spec: TrainingSpec, result: TrainingResult, draft: Path, watermarks: Mapping[str, int]
    ) -> TrainingResult:
        note = _TrainingNote(spec.recipe, tuple(spec.datasets), watermarks)
        (draft / _NOTE_FILE).write_text(json.dumps(asdict(note)))
        sync(draft)
        self.drop(spec.version)
        folder = draft.rename(self._root / spec.version)
        if result.report is not None and result.report.is_relative_to(draft):
            return replace(result, report=folder / result.report.relative_to(draft))
        return result

    def _folder(self, version: str) -> Path:
        folder = self._root / version
        if not (folder / _NOTE_FILE).exists():
            raise EngineError(f"There is no model of solution version {version}.")
        return folder

    def _model(self, version: str) -> "tuple[ServedModel, _TrainingNote]":
        with self._lock:
            if version not in self._loaded:
                folder = self._folder(version)
                note = self._read_note(folder)
                self._live.prepare(self._store.today(note.datasets))  # while the model is loaded
                self._loaded[version] = load_model(folder), note
            self._loaded.move_to_end(version)
            while len(self._loaded) > _LOADED_MODELS:
                self._loaded.popitem(last=False)
            return self._loaded[version]

    def _read_note(self, folder: Path) -> "_TrainingNote":
        saved = json.loads((folder / _NOTE_FILE).read_text())
        datasets = tuple(DatasetRef(**ref) for ref in saved["datasets"])
        return _TrainingNote(saved["recipe"], datasets, saved["watermarks"])

    def _recent(self, query: Query, model: ServedModel, note: "_TrainingNote") -> "pl.DataFrame | None":
        """Return the rows the user streamed since the training, of the dataset the recipe learns from."""
        ref = next((ref for ref in note.datasets if ref.type == model.learns_from), None)
        if query.user_id is None or ref is None:
            return None
        return self._store.dataset(ref).recent(parse_schema(ref.schema), query.user_id, note.watermarks[ref.key])


@dataclass(frozen=True)
class _TrainingNote:
    """What a model's folder says about its training. `watermarks` tell which streamed rows it has seen."""

    recipe: str
    datasets: tuple[DatasetRef, ...]
    watermarks: Mapping[str, int]
