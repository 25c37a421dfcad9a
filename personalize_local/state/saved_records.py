"""Personalize's resources as rows and back. Datasets and models are files of the engine's; rows tell of them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from personalize_local.clock import CLOCK
from personalize_local.personalize.protocol.models import accounts, personalize_backends
from personalize_local.personalize.protocol.service_errors import ServiceError
from personalize_local.personalize.resources import status_timeline
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.job_runner import EndedJob, RunningJob
from personalize_local.personalize.resources.records import Record, Update
from personalize_local.personalize.resources.resource_types import TYPES
from personalize_local.personalize.resources.resumption import resumed_task
from personalize_local.personalize.resources.status_timeline import (
    STOP_TRAINING,
    JobOutcome,
    JobResult,
    StatusTimeline,
    StatusWords,
)
from personalize_local.state.database import Changes, Database, Row, RowKey
from personalize_local.state.engine_files import is_whole_model

RECORD: Final = "record"
_INTERRUPTED: Final = "The service was stopped while this was under way."
_NO_MODEL: Final = "The files of its model are missing or damaged. Train again."
_WORDS: Final[Mapping[str, StatusWords]] = {
    name: value for name, value in vars(status_timeline).items() if isinstance(value, StatusWords)
}
_KEPT: Final = ("arn", "members", "created", "number", "tags", "notes", "touched", "arrived")


class RecordWriter:
    """Turns the resources of all accounts into rows, if any changed since the last time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[Account, int] = {}
        self._under_way: list[Any] = []

    def is_due(self) -> bool:
        """Tell whether something changed, or real work has ended."""
        ended = any(job.outcome is not None for job in self._under_way)
        return ended or any(self._seen.get(account) != account.changes for account in accounts())

    def changes(self) -> Changes:
        """Return what came, changed and went; hold the locks of all accounts."""
        found: dict[RowKey, Row | None] = {}
        self._under_way = []
        for account in accounts():
            self._seen[account] = account.changes
            owner = json.dumps([account.account_id, account.region])
            known = self._database.of(RECORD, owner)
            rows = {RowKey(RECORD, owner, record.arn): self._row(account, record) for record in account.everything()}
            found |= dict.fromkeys(known.keys() - rows.keys())
            found |= {row_key: row for row_key, row in rows.items() if known.get(row_key) != row}
        return found

    def start_over(self) -> None:
        """Forget what was seen: it has not come to disk."""
        self._seen.clear()

    def _row(self, account: Account, record: Record) -> Row:
        update = record.update
        told = {
            "type": record.type.noun,
            **{name: getattr(record, name) for name in _KEPT},
            "course": self._timeline(record.timeline),
            "update": update
            and {
                "changes": update.changes,
                "effect": update.effect,
                "course": self._timeline(update.timeline),
                "applied": update.applied,
            },
            "holds_rows": _holds_rows(account, record),
            "folder": "/".join(record.arn.split("/")[1:]),
        }
        return Row(json.dumps(told))

    def _timeline(self, timeline: StatusTimeline) -> dict[str, Any]:
        outcome = timeline.job.outcome if timeline.job else None
        if timeline.job is not None and outcome is None:
            self._under_way.append(timeline.job)
        return {
            "words": next(name for name, value in _WORDS.items() if value == timeline.words),
            "started": timeline.started,
            "seconds": timeline.seconds,
            "failure": timeline.failure,
            "works": timeline.job is not None,
            "outcome": _saved_outcome(outcome) if outcome else None,
        }


def _saved_outcome(outcome: JobOutcome) -> dict[str, Any]:
    return {"at": outcome.at, "reason": outcome.reason, "gain": asdict(outcome.result)}


def _holds_rows(account: Account, record: Record) -> bool:
    """Tell whether the engine must have rows of it."""
    if record.type.noun != "dataset" or record.is_going():
        return False
    jobs = (each.timeline.job for each in account.all("dataset_import_job", datasetArn=record.arn))
    outcomes = [job.outcome for job in jobs if job is not None]
    # An import whose dataset was deleted since stays on record, so what counts is what ended after the creation.
    return any(each and each.reason is None and each.at >= record.created for each in outcomes)


def check_record(owner: list[str], document: dict[str, Any]) -> None:
    """Raise unless a row is as `restore_records` needs it."""
    _account_id, _region = owner
    _record(document)


def restore_records(database: Database, engine_directory: Path) -> None:
    """Take resources back, and begin the work again that was under way."""
    for owner, told in _by_owner(database).items():
        account_id, region = json.loads(owner)
        account: Account = personalize_backends[account_id][region].account
        with account.lock:
            for each in sorted(told, key=lambda record: int(record["number"])):
                record = _record(each)
                account.restore(record)
                _check_model(record, engine_directory / account_id / region / "models")
            account.apply_due_changes()
            for record in list(account.everything()):
                _go_on(account, record)


def _by_owner(database: Database) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row_key, row in database.all(RECORD):
        found.setdefault(row_key.owner, []).append(json.loads(row.document))
    return found


def _record(told: Mapping[str, Any]) -> Record:
    update = told["update"]
    if update is not None:
        update = Update(update["changes"], update["effect"], _timeline(update["course"]), update["applied"])
    return Record(
        type=TYPES[told["type"]],
        timeline=_timeline(told["course"]),
        update=update,
        **{name: told[name] for name in _KEPT},
    )


def _timeline(told: Mapping[str, Any]) -> StatusTimeline:
    outcome = told["outcome"]
    job: Any = RunningJob() if told["works"] else None  # under way, until it is begun again
    if outcome is not None:
        job = EndedJob(JobOutcome(outcome["at"], outcome["reason"], JobResult(**outcome["gain"])))
    return StatusTimeline(_WORDS[told["words"]], told["started"], told["seconds"], job, told["failure"])


def _check_model(record: Record, models: Path) -> None:
    outcome = record.timeline.job.outcome if record.timeline.job else None
    trained = "model" in record.notes and outcome is not None and outcome.reason is None
    if trained and not is_whole_model(models / record.notes["model"]):
        record.timeline = replace(record.timeline, failure=_NO_MODEL)


def _go_on(account: Account, record: Record) -> None:
    timeline = record.timeline
    if timeline.job is None or timeline.job.outcome is not None:
        return
    try:
        task = resumed_task(account, record)
    except ServiceError:  # what it needs is gone
        task = None
    if task is not None:
        record.timeline = replace(timeline, job=account.start(task))
        return
    reason = None if timeline.words == STOP_TRAINING else _INTERRUPTED
    record.timeline = replace(timeline, job=EndedJob(JobOutcome(CLOCK.time(), reason=reason)))
