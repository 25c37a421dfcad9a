"""What worker processes run for the models: the folders of a job, opened and handed to the recommender side."""

from pathlib import Path

from emulator.engine.api import BatchReport, BatchSpec, TrainingResult, TrainingSpec
from emulator.engine.datasets.snapshot import Snapshot
from emulator.engine.serving import batch_job
from emulator.engine.training import training_run


def run_training(spec: TrainingSpec, snapshot: Path, model: Path) -> TrainingResult:
    """Fit the recipe to the snapshot and leave the model in its folder."""
    return training_run.train(spec, Snapshot.open(snapshot), model)


def run_batch(spec: BatchSpec, model: Path, live: Path) -> BatchReport:
    """Answer the input files with the model and the rows of this moment."""
    return batch_job.run_batch(spec, model, Snapshot.open(live))
