"""Keeping resources across restarts: one JSON file. Models and datasets are files of the engine's already."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from emulator.clock import CLOCK
from emulator.personalize import lifecycle
from emulator.personalize.account import Account
from emulator.personalize.lifecycle import Course, Gain, Outcome, Words
from emulator.personalize.models import personalize_backends
from emulator.personalize.records import Members, Record, Update
from emulator.personalize.resource_types import TYPES

_FILE: Final = "personalize.json"
_INTERRUPTED: Final = "The service was stopped while this was under way."
_WORDS: Final[Mapping[str, Words]] = {
    name: value for name, value in vars(lifecycle).items() if isinstance(value, Words)
}


@dataclass(frozen=True)
class PastWork:
    """Real work of a former run, known by how it ended."""

    outcome: Outcome


def save(directory: Path) -> None:
    """Write every resource of every account and region; real work still under way is saved as failed."""
    accounts = [region.account for regions in personalize_backends.values() for region in regions.values()]
    state = {"now": CLOCK.time(), "accounts": [_account(account) for account in accounts]}
    directory.mkdir(parents=True, exist_ok=True)
    unfinished = directory / f"{_FILE}.partial"
    unfinished.write_text(json.dumps(state), encoding="utf-8")
    unfinished.replace(directory / _FILE)


def restore(directory: Path) -> bool:
    """Take back what `save` wrote, after `start` and the start of moto's mock; tell whether there was anything.

    The clock goes on from the saved moment if that is later than now: it ran faster than the machine's.
    """
    file = directory / _FILE
    if not file.exists():
        return False
    state = json.loads(file.read_text(encoding="utf-8"))
    CLOCK.go_on_from(state["now"])
    for saved in state["accounts"]:
        account = personalize_backends[saved["accountId"]][saved["region"]].account
        with account.lock:
            for members in saved["records"]:
                account.restore(_record(members))
    return True


def _account(account: Account) -> Members:
    with account.lock:
        account.settle()
        records = sorted(account.everything(), key=lambda record: record.number)
        return {
            "accountId": account.account_id,
            "region": account.region,
            "records": [_saved(record) for record in records],
        }


def _saved(record: Record) -> Members:
    update = record.update
    return {
        "type": record.type.noun,
        "arn": record.arn,
        "members": record.members,
        "course": _saved_course(record.course),
        "created": record.created,
        "number": record.number,
        "update": update
        and {
            "changes": update.changes,
            "effect": update.effect,
            "course": _saved_course(update.course),
            "applied": update.applied,
        },
        "tags": record.tags,
        "notes": record.notes,
        "touched": record.touched,
        "arrived": record.arrived,
    }


def _saved_course(course: Course) -> Members:
    words = next(name for name, value in _WORDS.items() if value == course.words)
    outcome = course.work.outcome or Outcome(CLOCK.time(), reason=_INTERRUPTED) if course.work else None
    return {
        "words": words,
        "started": course.started,
        "seconds": course.seconds,
        "failure": course.failure,
        "outcome": asdict(outcome) if outcome else None,
    }


def _record(saved: Mapping[str, Any]) -> Record:
    told = saved["update"]
    update = told and Update(told["changes"], told["effect"], _course(told["course"]), told["applied"])
    kept = {key: saved[key] for key in ("arn", "members", "created", "number", "tags", "notes", "touched", "arrived")}
    return Record(type=TYPES[saved["type"]], course=_course(saved["course"]), update=update, **kept)


def _course(saved: Mapping[str, Any]) -> Course:
    work = None
    if saved["outcome"] is not None:
        work = PastWork(Outcome(**{**saved["outcome"], "gain": Gain(**saved["outcome"]["gain"])}))
    return Course(_WORDS[saved["words"]], saved["started"], saved["seconds"], work, saved["failure"])
