"""Write down what an event announced, and start what it calls for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from lambdas.bucket_layout import (
    BatchInput,
    DatasetFile,
    GroupRequest,
    Ignored,
    Misplaced,
    SideFile,
    UserList,
    dataset_key_of,
    parse_key,
)
from lambdas.file_checks.csv_check import Finding, InspectionProgress
from lambdas.file_checks.reports import write_report
from lambdas.gateways.s3 import Objects
from lambdas.gateways.step_functions import Executions, execution_name
from lambdas.uploads.lease import Leases
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.records.file_row import FileRow

_UNVERSIONED: Final = frozenset({None, "", "null"})


class _Bucket(BaseModel):
    name: str


class _Object(BaseModel):
    key: str
    size: int = 0
    etag: str = ""
    version_id: str | None = Field(default=None, alias="version-id")
    sequencer: str = ""


class _Detail(BaseModel):
    bucket: _Bucket
    object: _Object


class ObjectCreated(BaseModel):
    """The event `Object Created` of S3, as EventBridge delivers it. Its keys are not URL-encoded."""

    model_config = ConfigDict(extra="ignore")

    time: str
    detail: _Detail


@dataclass(frozen=True)
class Machines:
    """The state machines that objects start directly."""

    pipeline: str
    run_batch_inference: str
    forget_users: str


class ForeignBucketError(Exception):
    """The event is about a bucket that is not ours: a rule is wrong."""


class Recorder:
    """Takes events in any order, any number of times."""

    def __init__(
        self, ledger: Ledger, leases: Leases, executions: Executions, objects: Objects, machines: Machines
    ) -> None:
        self._ledger = ledger
        self._leases = leases
        self._executions = executions
        self._objects = objects
        self._machines = machines
        self._known: set[str] = set()

    def record(self, body: Mapping[str, Any]) -> str | None:
        """Write down what an event announced; return the dataset that has something to import now, if any."""
        event = ObjectCreated.model_validate(body)
        if event.detail.bucket.name != self._objects.bucket:
            raise ForeignBucketError(f"{event.detail.bucket.name} is not {self._objects.bucket}")
        created = event.detail.object
        versioned = created.version_id not in _UNVERSIONED
        row = FileRow(
            dataset_key="",
            key=created.key,
            version=str(created.version_id) if versioned else created.etag,
            versioned=versioned,
            sequencer=created.sequencer,
            size_bytes=created.size,
            arrived=event.time,
        )
        return self.record_object(row)

    def record_object(self, row: FileRow) -> str | None:
        """Write down an object, found by an event or a sweep; its `dataset_key` is filled in here."""
        meaning = parse_key(row.key)
        match meaning:
            case DatasetFile():
                filed = replace(row, dataset_key=meaning.dataset_key, full=meaning.full)
                self._know(meaning.dataset_key)
                self._ledger.record(filed)
                return meaning.dataset_key
            case SideFile():
                if self._ledger.record_ignored(replace(row, dataset_key=meaning.dataset_key)):
                    self._leases.count_ignored(meaning.dataset_key)
            case Misplaced():
                self._reject(replace(row, dataset_key=meaning.dataset_key), meaning.reason)
            case GroupRequest() | BatchInput() | UserList():
                machine_arn, execution_input = self._target(meaning)
                self._executions.start(machine_arn, _name(row), execution_input)
                self._ledger.record_started(self.filed(row) or row)
            case Ignored():
                pass
        return None

    def _reject(self, row: FileRow, reason: str) -> None:
        """Report an object in a wrong place, then write it down: whatever dies in between, the report is there."""
        finding = Finding(line=0, column="", value="", rule="place", advice=reason)
        progress = InspectionProgress(faults=1, hopeless=True, findings=[finding])
        report = write_report(self._objects, row.key, row.version, progress, "rejected")
        self._ledger.record_rejected(row, f"{reason} (report: {report})")

    def has_started(self, row: FileRow) -> bool | None:
        """Say whether an object has started its machine; None for one that starts none.

        Step Functions is asked, not the ledger: a local cloud that was killed remembers the row and not the execution.
        """
        meaning = parse_key(row.key)
        if not isinstance(meaning, (GroupRequest, BatchInput, UserList)):
            return None
        return self._executions.was_started(self._target(meaning)[0], _name(row))

    def filed(self, row: FileRow) -> FileRow | None:
        """Return the row with the dataset that it stands under in the ledger; None for what is never written down."""
        meaning = parse_key(row.key)
        match meaning:
            case DatasetFile() | SideFile() | Misplaced():
                return replace(row, dataset_key=meaning.dataset_key)
            case GroupRequest():
                return replace(row, dataset_key="requests")
            case BatchInput():
                return replace(row, dataset_key=dataset_key_of(meaning.group, "batch"))
            case UserList():
                return replace(row, dataset_key=dataset_key_of(meaning.group, "deletions"))
        return None

    def _target(self, meaning: GroupRequest | BatchInput | UserList) -> tuple[str, dict[str, str]]:
        """Return the state machine that an object starts, and its input."""
        if isinstance(meaning, GroupRequest):
            return self._machines.pipeline, {"datasetGroup": meaning.group}
        if isinstance(meaning, UserList):
            users = f"s3://{self._objects.bucket}/{meaning.key}"
            return self._machines.forget_users, {"datasetGroup": meaning.group, "users": users}
        execution_input = {"template": meaning.template, "input": f"s3://{self._objects.bucket}/{meaning.key}"}
        return self._machines.run_batch_inference, {"datasetGroup": meaning.group, **execution_input}

    def _know(self, dataset_key: str) -> None:
        """Put the dataset on the sweep's list before its first file: whatever dies in between, it is looked after."""
        if dataset_key not in self._known:
            self._ledger.know_dataset(dataset_key)
            self._known.add(dataset_key)


def _name(row: FileRow) -> str:
    # Named after the version of the object: whether an event comes twice or the sweep finds the object too (and
    # knows no sequencer), one execution starts.
    return execution_name(row.key, row.version)
