"""Define what travels between the states of `import_uploads`: what is known so far, and what comes next."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from lambdas.uploads.dataset_facts import DatasetFacts
from lambdas.uploads.retraining import RetrainDecision

# After an import a dataset leaves the service's free slots to others for longer than those wait between two tries; so
# a dataset that always has more to import cannot keep the slots of the region to itself.
_YIELD_SECONDS: Final = 90

# An execution ends at 25,000 events of history and a year of age; one job takes some thirty events. Long before, what
# still waits is left to a fresh execution, which also runs the newest version of the machine.
MOST_JOBS: Final = 50
MOST_HOURS: Final = 24

_REMEMBERED: Final = 20  # rejected files beside a lease
_SHOWN: Final = 5  # of them in an execution's cause


class NextStep(StrEnum):
    """What `import_uploads` does next."""

    INSPECT = "INSPECT"
    STAGE = "STAGE"
    IMPORT = "IMPORT"
    REJECTED = "REJECTED"
    FINISHED = "FINISHED"


Outcome = Literal["IMPORTED", "NOTHING", "WAITING", "BUSY"]


class Batch(BaseModel):
    """An import job that was committed to: kept beside the lease until its files are settled."""

    name: str
    mode: Literal["FULL", "INCREMENTAL"]
    request: dict[str, Any]
    files: int
    rows: int
    size_bytes: int
    supersedes_before: str = ""

    @property
    def is_staged(self) -> bool:
        """Say whether the service reads copies; a single file is read where it was uploaded."""
        return str(self.request["dataSource"]["dataLocation"]).endswith("/")


class Job(BaseModel):
    """A finished import job, as the execution's output tells of it."""

    jobName: str  # noqa: N815 -- the service's own name for it
    arn: str
    mode: str
    files: int
    rows: int


class ImportState(BaseModel):
    """What an execution of `import_uploads` knows so far: the state machine's `$.state`."""

    next_step: NextStep = NextStep.FINISHED
    facts: DatasetFacts | None = None
    batch: Batch | None = None
    mine: bool = True  # False: another execution's job is waited for
    outcome: Outcome = "NOTHING"
    message: str = ""
    short: bool = False  # what waits is too little for an import
    rows: int = 0
    jobs: list[Job] = Field(default_factory=list)
    yield_seconds: int = 0
    started: str = ""  # when the execution first took the lease
    until: str = ""  # the last place in the queue that it looks after; empty: whatever comes
    retrain: RetrainDecision = RetrainDecision(start=False, reason="this execution imported nothing")
    error: str = ""
    cause: str = ""

    def is_spent(self, time: str) -> bool:
        """Say whether the execution has done as much as one should."""
        age = datetime.fromisoformat(time) - datetime.fromisoformat(self.started or time)
        return len(self.jobs) >= MOST_JOBS or age >= timedelta(hours=MOST_HOURS)

    def after(self, job: Job, rows: int) -> "ImportState":
        """Return what is known once a job has been waited for."""
        changes = {"jobs": [*self.jobs, job], "rows": self.rows + rows, "batch": None, "yield_seconds": _YIELD_SECONDS}
        return self.model_copy(update=changes)


class ImportStepInput(BaseModel):
    """The part of a task's input that is always there: which execution asks, for which dataset, and when."""

    datasetGroup: str  # noqa: N815 -- as in the execution's input
    dataset: str
    execution: str
    time: str
    retries: int = 0  # of the state that asks
    input: dict[str, Any] = Field(default_factory=dict)  # of the execution
    state: ImportState = Field(default_factory=ImportState)

    @property
    def urgent(self) -> bool:
        """Say whether a pipeline waits for this import before it trains."""
        return self.input.get("startedBy") == "import_data"

    @property
    def dataset_key(self) -> str:
        """Return the ledger's name for the dataset."""
        return f"{self.datasetGroup}/{self.dataset}"


class Rejection(BaseModel):
    """One rejected file, in short."""

    key: str
    reason: str


class Rejections(BaseModel):
    """The files that were rejected since the lease was taken: all are counted, the first are remembered."""

    count: int = 0
    files: list[Rejection] = []

    @classmethod
    def read(cls, text: str | None) -> "Rejections":
        """Return what was written down beside the lease."""
        return cls.model_validate_json(text) if text else cls()

    def plus(self, new: Sequence[Rejection]) -> "Rejections":
        """Return these and new ones; a file that was noted before a crash is not counted twice."""
        known = {file.key for file in self.files}
        fresh = [file for file in new if file.key not in known]
        return Rejections(count=self.count + len(fresh), files=[*self.files, *fresh][:_REMEMBERED])

    def __str__(self) -> str:
        changes = [f"{file.key}: {file.reason}" for file in self.files[:_SHOWN]]
        more = [f"and {self.count - _SHOWN} more"] if self.count > _SHOWN else []
        return "; ".join([*changes, *more])
