"""Define the engine's requests and answers: plain values that any caller can make and any process can pass on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

DATASET_FOLDER: Final = "datasets"  # below the engine's directory

DatasetType = Literal["INTERACTIONS", "ITEMS", "USERS", "ACTIONS", "ACTION_INTERACTIONS"]
ImportMode = Literal["FULL", "INCREMENTAL"]
IngestionMode = Literal["BULK", "PUT", "ALL"]


class EngineError(Exception):
    """The work cannot be done; the text is what the service would give as its failureReason."""


@dataclass(frozen=True)
class DatasetRef:
    """A dataset as the engine knows it: where its rows live and what they look like."""

    key: str  # "<dataset group name>/<DATASET TYPE>", a folder below the engine's own
    type: DatasetType
    schema: str  # the Avro text, as given to CreateSchema


@dataclass(frozen=True)
class ImportReport:
    """What an import left behind: rows read from the files, and rows the dataset's bulk part holds now."""

    rows_read: int
    rows_total: int


@dataclass(frozen=True)
class TrainingSpec:
    """Everything a training depends on. `solution` holds the service's own members, verbatim."""

    version: str  # "<solution name>/<version id>", the model's folder below the engine's own
    recipe: str  # "aws-user-personalization"
    datasets: Sequence[DatasetRef]
    solution: Mapping[str, Any]  # eventType, solutionConfig, performHPO, performAutoML, trainingMode, …
    now: float  # simulated seconds since 1970
    base_version: str | None = None  # what trainingMode UPDATE starts from
    seed: int = 0


@dataclass(frozen=True)
class TrainingResult:
    """What GetSolutionMetrics and DescribeSolutionVersion tell about a finished training."""

    metrics: Mapping[str, float]
    training_hours: float
    tuned_hyperparameters: Mapping[str, str] | None = None  # after performHPO
    best_recipe: str | None = None  # after performAutoML
    report: Path | None = None  # a picture of the model (PNG or SVG), when one was drawn


@dataclass(frozen=True)
class FilterUse:
    """A filter with the values of its placeholders, as GetRecommendations gets them (quoted lists in strings)."""

    expression: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Promotion:
    """A share of the list given to items that pass another filter."""

    name: str
    percent: int  # 1-100
    filter: FilterUse


@dataclass(frozen=True)
class Query:
    """One real-time question to a model. `item_list` is what GetPersonalizedRanking reorders."""

    now: float
    user_id: str | None = None
    item_id: str | None = None
    item_list: Sequence[str] | None = None
    num_results: int = 25
    context: Mapping[str, str] = field(default_factory=dict)
    filter: FilterUse | None = None
    promotions: Sequence[Promotion] = ()
    metadata_columns: Sequence[str] = ()
    campaign_config: Mapping[str, Any] = field(default_factory=dict)  # itemExplorationConfig, rankingInfluence


@dataclass(frozen=True)
class Recommendation:
    """One line of an answer; absent parts are None. For actions, `item_id` is the action's id."""

    item_id: str
    score: float | None = None
    metadata: Mapping[str, str] | None = None
    promotion_name: str | None = None
    reason: Sequence[str] | None = None


@dataclass(frozen=True)
class BatchSpec:
    """One batch inference, segment or theme job over local copies of the input files."""

    version: str
    inputs: Sequence[Path]  # JSON Lines
    output_directory: Path  # gets one `<input file name>.out` per input
    now: float
    num_results: int = 25
    filter: FilterUse | None = None
    config: Mapping[str, Any] = field(default_factory=dict)  # batchInferenceJobConfig
    theme_item_name: str | None = None  # the column naming items, for THEME_GENERATION


@dataclass(frozen=True)
class BatchReport:
    """The written files, and how many lines were answered and how many carry an error."""

    outputs: Sequence[Path]
    records: int
    errors: int
