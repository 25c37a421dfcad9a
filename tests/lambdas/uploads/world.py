"""Everything around the uploads' domain, in memory: executions that can be killed between and inside their states."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.personalize.request import UploadPolicy
from lambdas.uploads.claims import Claims
from lambdas.uploads.dataset_facts import DatasetFacts, MissingDatasetError
from lambdas.uploads.import_starter import Waker
from lambdas.uploads.import_state import Errand, Phase, Work
from lambdas.uploads.inspection import Inspecting
from lambdas.uploads.lease import LeaseLostError, Leases
from lambdas.uploads.ledger import FileRow, Ledger, State
from lambdas.uploads.recorder import Machines, Recorder
from lambdas.uploads.settlement import Settling
from lambdas.uploads.staging import Staging
from lambdas.uploads.sweep import Sweeper, Swept
from tests.lambdas.gateways.memory_objects import MemoryObjects
from tests.lambdas.gateways.memory_table import CrashError, MemoryTable

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
    lane: str
    states: Iterator[str]
    input: dict[str, Any] = field(default_factory=dict)
    status: str = "RUNNING"
    work: Work = field(default_factory=Work)
    error: str = ""
    cause: str = ""


class World:
    """Bucket, ledger, Step Functions and the service."""

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
        self.ledger = Ledger(self.table)
        self.leases = Leases(self.table, self.is_running)
        self.claims = Claims(self.ledger, self.leases)
        self.staging = Staging(self.ledger, self.leases, self.claims, self.objects, "role")  # type: ignore[arg-type]
        self.settling = Settling(self.ledger, self.leases, self.claims, self.objects)  # type: ignore[arg-type]
        self.waker = Waker(self.leases, self, MACHINE)  # type: ignore[arg-type]
        self.inspecting = Inspecting(
            self.ledger,
            self.leases,
            self.claims,
            self.objects,  # type: ignore[arg-type]
            lambda: self.out_of_time,
        )
        self.recorder = Recorder(self.ledger, self, "bucket", Machines("pipeline", "batch"))  # type: ignore[arg-type]
        self.sweeper = Sweeper(self.ledger, self.leases, self.objects, self.recorder, self.waker, self)  # type: ignore[arg-type]

    # What the gateways to Step Functions and Personalize offer.

    def is_running(self, arn: str) -> bool:
        return arn in self.executions and self.executions[arn].status == "RUNNING"

    def was_started(self, machine_arn: str, name: str) -> bool:
        return f"{machine_arn}:{name}" in self.executions

    def start(self, machine_arn: str, name: str, execution_input: dict[str, Any]) -> bool:
        arn = f"{machine_arn}:{name}"
        if arn in self.executions:
            return self.is_running(arn)
        lane = f"{execution_input['datasetGroup']}/{execution_input.get('dataset', '-')}"
        self.executions[arn] = execution = Execution(arn, lane, iter(()), execution_input)
        if machine_arn == MACHINE:
            execution.states = self._states(execution)
        return True

    def facts(self, group: str, dataset: str) -> DatasetFacts:
        if not self.exists:
            raise MissingDatasetError(f"the dataset {group}/{dataset} does not exist yet")
        return DatasetFacts(arn=f"arn/{group}/{dataset}", schema_text=INTERACTIONS, filled=self.filled)

    def is_ready(self, _lane: str) -> bool:
        return self.exists

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
        if lane := self.recorder.record(event):
            self.waker.announce(lane)

    def drop(self, key: str, content: bytes) -> None:
        self.deliver(self.upload(key, content))

    def begin(self, lane: str = "movies/interactions", name: str = "by-hand", *, urgent: bool = False) -> Execution:
        group, _, dataset = lane.partition("/")
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
        while running := [one for one in self.executions.values() if one.status == "RUNNING" and one.lane[-1] != "-"]:
            for execution in running:
                while self.step(execution):
                    pass

    def sweep(self) -> list[str]:
        """Let a quarter of an hour pass and sweep; return the datasets that were woken."""
        return self.sweep_closely().woken

    def sweep_closely(self) -> Swept:
        self.now += timedelta(minutes=15)
        return self.sweeper.sweep(self.now)

    def states_of(self, key: str) -> list[str]:
        lane = "/".join(key.split("/")[1:3])
        return [str(row.state) for row in self.ledger.versions(lane, key)]

    def rows(self, lane: str = "movies/interactions") -> list[FileRow]:
        group, _, _ = lane.partition("/")
        assert group
        items = self.table.entries(lane, "file#")
        return [next(self.ledger.versions(lane, str(item["key"]))) for item in items]

    def _errand(self, execution: Execution) -> Errand:
        group, _, dataset = execution.lane.partition("/")
        return Errand(
            datasetGroup=group,
            dataset=dataset,
            execution=execution.arn,
            time=self.time,
            input=execution.input,
            work=execution.work,
        )

    def _states(self, execution: Execution) -> Iterator[str]:
        """Walk the graph of import_uploads.asl.json; whatever fails ends red and gives the lease back."""
        try:
            yield from self._try(execution)
        except JobFailedError as failure:
            execution.error, execution.cause = "ResourceFailed", str(failure)
        if execution.error:
            yield "Explain"
            self.settling.failed(self._errand(execution), execution.error, execution.cause, self.policy, self.waker)
            yield "Release uploads"
        execution.status = "FAILED" if execution.error else "SUCCEEDED"

    def _try(self, execution: Execution) -> Iterator[str]:
        execution.work = self.claims.claim(self._errand(execution), self)  # type: ignore[arg-type]
        yield "Claim uploads"
        while True:
            phase = execution.work.phase
            if phase is Phase.INSPECT:
                execution.work = self.inspecting.inspect(self._errand(execution), self.policy)
                yield "Inspect uploads"
            if phase in {Phase.INSPECT, Phase.STAGE}:
                execution.work = self.staging.stage(self._errand(execution))
                yield "Stage uploads"
            elif phase is Phase.IMPORT and execution.work.batch:
                arn = self.ensure_job(execution.work.batch.request)
                yield "Ensure import job"
                execution.work = self.settling.succeeded(self._errand(execution), arn, self)  # type: ignore[arg-type]
                yield "Settle uploads"
            else:
                break
        if execution.work.phase is Phase.REJECTED:
            execution.error, execution.cause = execution.work.error, execution.work.cause


class JobFailedError(Exception):
    """The import job ended CREATE FAILED."""


SETTLED = {State.IMPORTED, State.REJECTED, State.SUPERSEDED}
