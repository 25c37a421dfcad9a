"""Run what worker processes run for the models: the folders of a job, opened and handed to training or serving."""

from pathlib import Path

from personalize_local.engine.api import BatchReport, BatchSpec, EngineError, TrainingResult, TrainingSpec
from personalize_local.engine.datasets.snapshot import Snapshot
from personalize_local.engine.serving import batch_job
from personalize_local.engine.training import training_run
from personalize_local.engine.training.saved_model import load_model, recipe_of


def warm_up() -> None:
    """Do nothing: that this module was imported, with all that training and serving need, is the warmth."""


def run_training(spec: TrainingSpec, snapshot: Path, model: Path) -> TrainingResult:
    """Fit the recipe to the snapshot and leave the model in its folder."""
    return training_run.train(spec, Snapshot.open(snapshot), model)


def run_batch(spec: BatchSpec, model: Path, live: Path) -> BatchReport:
    """Answer the input files with the model and the rows of this moment."""
    return run_batch_of(spec, model, Snapshot.open(live))


def run_batch_of(spec: BatchSpec, model: Path, live: Snapshot) -> BatchReport:
    """Answer the input files, unless the recipe does not answer batch jobs or cannot make themes.

    Raises EngineError for either.
    """
    recipe = recipe_of(model)
    if not (recipe.batch or recipe.is_segmentation):
        raise EngineError("The recipe of this solution version does not answer batch jobs")
    if spec.theme_item_name is not None and not recipe.themes:
        raise EngineError("Themes can be generated with the Similar-Items recipe only")
    return batch_job.run_batch(spec, load_model(model), live)
