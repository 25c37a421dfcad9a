"""Everything around the uploads' domain, in memory: executions that can be killed between and inside their states."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import statemachines
from lambdas.gateways.transient import TransientError
from lambdas.personalize.resources import ResourceType
from lambdas.requests.request import UploadPolicy
from lambdas.uploads.claims import Claims
from lambdas.uploads.file_inspection import Inspection
from lambdas.uploads.import_starter import ImportStarter
from lambdas.uploads.import_state import ImportState, ImportStepInput
from lambdas.uploads.lease import LeaseLostError, Leases
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.recorder import Machines, Recorder
from lambdas.uploads.records.file_row import FileRow, FileState
from lambdas.uploads.records.import_history import ImportHistory
from lambdas.uploads.retraining import Retraining
from lambdas.uploads.settlement import Settlement
from lambdas.uploads.staging import ImportJobs, Staging
from lambdas.uploads.sweep import Cursors, Sweeper, Swept
from tests.lambdas.gateways.memory_objects import MemoryObjects
from tests.lambdas.gateways.memory_table import CrashError, MemoryTable
from tests.lambdas.personalize.fake_personalize import FakePersonalize

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_DEFINITION = statemachines.definition("import_uploads")
_CHILD = f"${{{statemachines.RUN_MACHINE}}}"
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:import"
INTERACTIONS = json.dumps(
    {
        "type": "record",
        "name": "Interactions",
        "fields": [
            {"name": "USER_ID", "type": "string"},
            {"name": "ITEM_ID", "type": "string"},
            {"name": "TIMESTAMP", "type": "long"},
        ],
    }
)


def csv(*users: str, rows: int = 1000) -> bytes:
    """Return a file of interactions, `rows` of each user."""
    lines = [f"{user},item{number},{1_700_000_000 + number}" for user in users for number in range(rows)]
    return "\n".join(["USER_ID,ITEM_ID,TIMESTAMP", *lines, ""]).encode()


@dataclass
class Execution:
    """One run of `import_uploads`: its states one by one, and how it ended."""

    arn: str
    dataset_key: str
    states: Iterator[str]
    input: dict[str, Any] = field(default_factory=dict)
    status: str = "RUNNING"
    state: ImportState = field(default_factory=ImportState)
    error: str = ""
    cause: str = ""
    job_arn: str = ""
    retries: int = 0


class MemoryDatasets(FakePersonalize):
    """What the service says of the world's datasets, all with the same schema and history."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.listings = 0  # of import jobs

    def describe(self, row: ResourceType, arn: str) -> dict[str, Any] | None:
        if row.noun == "schema":
            return {"schema": INTERACTIONS}
        found = {"datasetArn": arn, "schemaArn": "arn/schema", "status": "ACTIVE", "creationDateTime": BEGINNING}
        return found if self._world.exists else None

    def summaries(self, row: ResourceType, parent_arn: str | None = None) -> Iterator[dict[str, Any]]:
        if row.noun == "solution":  # nobody has trained yet
            return iter([])
        assert (row.noun, parent_arn is None) == ("dataset_import_job", False)
        self.listings += 1
        return iter([{"status": "ACTIVE", "creationDateTime": BEGINNING}] if self._world.filled else [])


class World:
    """Bucket, ledger, Step Functions and the service."""

    tags_imported = False
    poison: frozenset[str] = frozenset()  # contents that every job fails with

    def __init__(self, *, filled: bool = False, policy: UploadPolicy | None = None) -> None:
        self.table = MemoryTable()
        self.objects = MemoryObjects()
        self.policy = policy or UploadPolicy()
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.executions: dict[str, Execution] = {}
        self.exists = True
        self.filled = filled
        self.jobs: dict[str, tuple[str, tuple[str, ...]]] = {}  # name -> (mode, contents read)
        self.failing: str = ""  # why the next job fails
        self.failed_jobs: dict[str, str] = {}
        self.held: list[str] = []  # what the dataset holds: the contents of files, in the order they were imported
        self.read_in_place: set[str] = set()
        self.out_of_time = False
        self._sequence = 0
        self._wire()

    def _wire(self) -> None:
        """Make the domain's objects around the table, as `wiring` does."""
        self.ledger = Ledger(self.table)
        self.history = ImportHistory(self.table, 90)
        self.leases = Leases(self.table, self.is_running)
        self.claims = Claims(self.ledger, self.leases)
        self.staging = Staging(
            self.ledger, self.leases, self.claims, self.objects, ImportJobs("role"), lambda: self.out_of_time
        )
        self.personalize = MemoryDatasets(self)
        self.starter = ImportStarter(self.leases, self, MACHINE)
        self.settlement = Settlement(self.ledger, self.history, self.leases, self.claims, self.objects, self.starter)
        self.inspection = Inspection(
            self.ledger,
            self.leases,
            self.claims,
            self.objects,
            lambda: self.out_of_time,
        )
        self.recorder = Recorder(self.ledger, self.leases, self, self.objects, Machines("pipeline", "batch", "forget"))
        self.retraining = Retraining(self.history, self.leases, self.objects, self.personalize, self, "pipeline")
        self.sweeper = Sweeper(self.ledger, self.leases, self.objects, self.recorder, self.starter, Cursors(self.table))

    # What the gateways to Step Functions and Personalize offer.

    def is_running(self, arn: str) -> bool:
        return arn in self.executions and self.executions[arn].status == "RUNNING"

    def was_started(self, machine_arn: str, name: str) -> bool:
        return f"{machine_arn}:{name}" in self.executions

    def start(self, machine_arn: str, name: str, execution_input: dict[str, Any]) -> bool:
        arn = f"{machine_arn}:{name}"
        if arn in self.executions:
            return self.is_running(arn)
        dataset_key = f"{execution_input['datasetGroup']}/{execution_input.get('dataset', '-')}"
        self.executions[arn] = execution = Execution(arn, dataset_key, iter(()), execution_input)
        if machine_arn == MACHINE:
            execution.states = self._states(execution)
        return True

    def ensure_job(self, request: dict[str, Any]) -> str:
        """Find or create the job, and let it end: what the wait loop does with a deterministic name."""
        name = request["jobName"]
        if name in self.failed_jobs:
            raise JobFailedError(self.failed_jobs[name])
        if name in self.jobs:
            return f"arn/{name}"
        if self.failing:
            self.failed_jobs[name], self.failing = self.failing, ""
            raise JobFailedError(self.failed_jobs[name])
        contents = tuple(self._read(request["dataSource"]["dataLocation"].removeprefix("s3://bucket/")))
        if self.poison & set(contents):
            self.failed_jobs[name] = "a row cannot be read"
            raise JobFailedError(self.failed_jobs[name])
        if request["importMode"] == "FULL":
            self.held = []
        else:
            assert self.filled, "the first import of a dataset must be FULL"
        self.held += contents
        self.filled = True
        self.jobs[name] = (request["importMode"], contents)
        if not request["dataSource"]["dataLocation"].endswith("/"):
            self.read_in_place |= set(contents)
        return f"arn/{name}"

    def _read(self, location: str) -> Iterator[str]:
        keys = self.objects.keys(location) if location.endswith("/") else [location]
        return (self.objects.text(key) or "" for key in keys)

    # What happens in it.

    def upload(self, key: str, content: bytes, seconds: float = 1) -> dict[str, Any]:
        """Put an object into the bucket and return the event that S3 sends; nobody has got it yet."""
        self.now += timedelta(seconds=seconds)
        self._sequence += 1
        version = self.objects.upload(key, content, self.now)
        return {
            "time": self.time,
            "detail": {
                "bucket": {"name": "bucket"},
                "object": {
                    "key": key,
                    "size": len(content),
                    "etag": "etag",
                    "version-id": version.number,
                    "sequencer": f"{self._sequence:016X}",
                },
            },
        }

    @property
    def time(self) -> str:
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def deliver(self, event: dict[str, Any]) -> None:
        if dataset_key := self.recorder.record(event):
            self.starter.announce(dataset_key)

    def drop(self, key: str, content: bytes) -> None:
        self.deliver(self.upload(key, content))

    def begin(
        self, dataset_key: str = "movies/interactions", name: str = "by-hand", *, urgent: bool = False
    ) -> Execution:
        group, _, dataset = dataset_key.partition("/")
        started_by = {"startedBy": "import_data"} if urgent else {}
        self.start(MACHINE, name, {"datasetGroup": group, "dataset": dataset, **started_by})
        return self.executions[f"{MACHINE}:{name}"]

    def step(self, execution: Execution) -> bool:
        """Run an execution's next state; False when it has ended."""
        self.now += timedelta(seconds=1)
        try:
            next(execution.states)
        except StopIteration:
            return False
        except (CrashError, LeaseLostError):
            execution.status = "ABORTED"
            return False
        return execution.status == "RUNNING"

    def kill(self, execution: Execution) -> None:
        execution.status = "ABORTED"

    def haunt(self, execution: Execution) -> None:
        """Let the function that a killed execution had started go on to its end."""
        with contextlib.suppress(StopIteration, CrashError, LeaseLostError):
            next(execution.states)
        execution.status = "ABORTED"

    def run(self) -> None:
        """Let every execution run to its end."""
        while running := [
            one for one in self.executions.values() if one.status == "RUNNING" and one.dataset_key[-1] != "-"
        ]:
            for execution in running:
                while self.step(execution):
                    pass

    def sweep(self) -> list[str]:
        """Let a quarter of an hour pass and sweep; return the datasets that were woken."""
        return self.sweep_closely().woken

    def sweep_closely(self) -> Swept:
        self.now += timedelta(minutes=15)
        self.retraining.take_up(self.time)
        return self.sweeper.sweep(self.now, self.personalize)

    def states_of(self, key: str) -> list[str]:
        dataset_key = "/".join(key.split("/")[1:3])
        return [str(row.state) for row in self.ledger.versions(dataset_key, key)]

    def rows(self, dataset_key: str = "movies/interactions") -> list[FileRow]:
        group, _, _ = dataset_key.partition("/")
        assert group
        items = self.table.entries(dataset_key, "file#")
        return [next(self.ledger.versions(dataset_key, str(item["key"]))) for item in items]

    def _step_input(self, execution: Execution) -> ImportStepInput:
        group, _, dataset = execution.dataset_key.partition("/")
        return ImportStepInput(
            datasetGroup=group,
            dataset=dataset,
            execution=execution.arn,
            time=self.time,
            retries=execution.retries,
            input=execution.input,
            state=execution.state,
        )

    def _states(self, execution: Execution) -> Iterator[str]:
        """Walk the graph of import_uploads.asl.json, from state to state as its own Next, Choices and Catch say."""
        states, name = _DEFINITION["States"], _DEFINITION["StartAt"]
        while (state := states[name])["Type"] != "Fail":
            if state["Type"] == "Choice":
                name = _choice(state, {"state": execution.state.model_dump(mode="json")})
                continue
            if state["Type"] == "Pass":
                break
            try:
                self._retry(state, execution)
                following = state["Next"]
            except (JobFailedError, TransientError) as failure:
                execution.error, execution.cause = "ResourceFailed", str(failure)
                if isinstance(failure, TransientError):
                    execution.error = "TransientError"
                following = state["Catch"][0]["Next"]
            yield name
            name = following
        if state["Type"] == "Pass":
            execution.status = "SUCCEEDED"
            return
        if not execution.error:
            execution.error, execution.cause = execution.state.error, execution.state.cause
        execution.status = "FAILED"

    def _retry(self, state: Mapping[str, Any], execution: Execution) -> None:
        """Run a task as often as its Retry says."""
        (retrier,) = state["Retry"]
        for retries in range(retrier["MaxAttempts"] + 1):
            execution.retries = retries
            try:
                return self._tasks[state["Resource"]](execution)
            except TransientError:
                if retries == retrier["MaxAttempts"]:
                    raise
        return None

    @property
    def _tasks(self) -> dict[str, Callable[[Execution], None]]:
        return {
            "${claim_uploads}": self._claim,
            "${inspect_upload}": self._inspect,
            "${stage_uploads}": self._stage,
            _CHILD: self._ensure_import_job,
            "${settle_uploads}": self._settle,
            "${decide_retrain}": self._decide_retrain,
            "${explain_failure}": lambda _: None,
            "${release_uploads}": self._release,
        }

    def _claim(self, execution: Execution) -> None:
        execution.state = self.claims.claim(self._step_input(execution), self.personalize)

    def _inspect(self, execution: Execution) -> None:
        execution.state = self.inspection.inspect(self._step_input(execution), self.policy)

    def _stage(self, execution: Execution) -> None:
        execution.state = self.staging.stage(self._step_input(execution), self.policy)

    def _ensure_import_job(self, execution: Execution) -> None:
        assert execution.state.batch is not None
        execution.job_arn = self.ensure_job(execution.state.batch.request)

    def _settle(self, execution: Execution) -> None:
        step = self._step_input(execution)
        execution.state = self.settlement.succeeded(
            step, execution.job_arn, self.personalize, tags_imported=self.tags_imported
        )

    def _decide_retrain(self, execution: Execution) -> None:
        decision = self.retraining.after_import(
            execution.input["datasetGroup"], execution.state.jobs[-1].jobName, self.time
        )
        execution.state = execution.state.model_copy(update={"retrain": decision})

    def _release(self, execution: Execution) -> None:
        step = self._step_input(execution)
        self.settlement.failed(step, execution.error, execution.cause, self.policy)


def _choice(state: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Return the state that follows a Choice of texts."""
    for rule in state["Choices"]:
        value: Any = data
        for part in rule["Variable"].removeprefix("$.").split("."):
            value = value[part]
        if value == rule["StringEquals"]:
            return str(rule["Next"])
    return str(state["Default"])


class JobFailedError(Exception):
    """The import job ended CREATE FAILED."""


SETTLED = {FileState.IMPORTED, FileState.REJECTED, FileState.SUPERSEDED}
