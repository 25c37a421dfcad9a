"""Trained models: a folder each, loaded when first asked, and told what happened since their training."""

import json
import shutil
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from emulator.engine.api import (
    BatchReport,
    BatchSpec,
    DatasetRef,
    EngineError,
    Query,
    Recommendation,
    TrainingResult,
    TrainingSpec,
)
from emulator.engine.live_rows import LiveRows
from emulator.engine.schema import parse_schema
from emulator.engine.serving import Model, load_model
from emulator.engine.store import Store
from emulator.engine.workers import Workers

if TYPE_CHECKING:
    import polars as pl

_LOADED_MODELS: Final = 16
_NOTE: Final = "engine.json"


class Models:
    """The models below the engine's directory, safe to use from many threads."""

    def __init__(self, directory: Path, workers: Workers, store: Store) -> None:
        self._root = directory / "models"
        self._workers = workers
        self._store = store
        self._live = LiveRows(store)
        self._lock = threading.Lock()
        self._loaded: OrderedDict[str, Model] = OrderedDict()

    def train(self, spec: TrainingSpec, snapshot: Path, marks: Mapping[str, int]) -> TrainingResult:
        """Fit the recipe in a worker and keep the model; the snapshot goes, and so does a failed model."""
        draft = self._root / f"{spec.version}.partial"  # as deep as the final folder
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        try:
            result: TrainingResult = self._workers.run(
                spec.version, "emulator.engine.jobs:run_training", spec, snapshot, draft
            )
            return self._keep(spec, result, draft, marks)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            shutil.rmtree(snapshot, ignore_errors=True)

    def batch(self, spec: BatchSpec, live: Path) -> BatchReport:
        """Answer the batch's files in a worker; the snapshot `live` goes."""
        try:
            report: BatchReport = self._workers.run(
                live.name, "emulator.engine.jobs:run_batch", spec, self._folder(spec.version), live
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
        """Return the datasets the model was trained on."""
        return self._note(version)[0]

    def recommend(self, version: str, query: Query) -> list[Recommendation]:
        """Answer the query with the model and what the user did since the training."""
        model = self._model(version)
        datasets, marks = self._note(version)
        bound = None if query.filter is None else self._live.bind(datasets, query.filter, query)
        promoted = {each.name: self._live.bind(datasets, each.filter, query) for each in query.promotions}
        return model.recommend(query, self._recent(query, datasets, marks), bound, promoted)

    def _keep(
        self, spec: TrainingSpec, result: TrainingResult, draft: Path, marks: Mapping[str, int]
    ) -> TrainingResult:
        note = {"datasets": [asdict(ref) for ref in spec.datasets], "marks": dict(marks)}
        (draft / _NOTE).write_text(json.dumps(note))
        self.drop(spec.version)
        folder = draft.rename(self._root / spec.version)
        if result.report is not None and result.report.is_relative_to(draft):
            return replace(result, report=folder / result.report.relative_to(draft))
        return result

    def _folder(self, version: str) -> Path:
        folder = self._root / version
        if not (folder / _NOTE).exists():
            raise EngineError(f"There is no model of solution version {version}.")
        return folder

    def _note(self, version: str) -> tuple[list[DatasetRef], dict[str, int]]:
        note = json.loads((self._folder(version) / _NOTE).read_text())
        return [DatasetRef(**ref) for ref in note["datasets"]], note["marks"]

    def _model(self, version: str) -> Model:
        with self._lock:
            if version not in self._loaded:
                self._loaded[version] = load_model(self._folder(version))
            self._loaded.move_to_end(version)
            while len(self._loaded) > _LOADED_MODELS:
                self._loaded.popitem(last=False)
            return self._loaded[version]

    def _recent(self, query: Query, datasets: Sequence[DatasetRef], marks: Mapping[str, int]) -> "pl.DataFrame | None":
        """Return the rows the user streamed since the training."""
        ref = next((ref for ref in datasets if ref.type == "INTERACTIONS"), None)
        if query.user_id is None or ref is None:
            return None
        return self._store.dataset(ref).recent(parse_schema(ref.schema), query.user_id, marks[ref.key])
