"""Tell the history of a group: file → job → rows → version → metrics → decision → campaign → who approved."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from control.connection import Connection
from control.printing import moment
from lambdas.bucket_layout import dataset_key_of
from lambdas.releases.release_history import ReleaseHistory, VersionRecord, release_history
from lambdas.uploads.records.file_row import FileRow


@dataclass(frozen=True)
class FileJourney:
    """One version of an upload, and every version that was trained after it was imported."""

    row: FileRow
    trained: tuple[VersionRecord, ...]


def history_of(connection: Connection, group: str) -> ReleaseHistory:
    """Return what is remembered of a group's versions."""
    return release_history(connection.table, group)


def history_document(history: ReleaseHistory) -> dict[str, Any]:
    """Return the history for programs."""
    return {"versions": history.versions, "serving": history.serving, "pins": history.pins}


def history_lines(group: str, history: ReleaseHistory) -> Iterator[str]:
    """Yield the history of a group, the oldest version first."""
    if not history.versions:
        yield f"no version of {group} was judged yet"
    for version in history.versions:
        yield from _version_lines(version, history)
    for solution, pin in history.pins.items():
        yield f"{solution} is pinned to {pin}"


def journeys_of(connection: Connection, group: str, key: str, history: ReleaseHistory) -> list[FileJourney]:
    """Return what became of each version of one upload, the oldest first."""
    dataset = key.split("/")[2] if key.count("/") > 1 else ""
    rows = sorted(connection.ledger.versions(dataset_key_of(group, dataset), key), key=lambda row: row.queue_position)
    return [FileJourney(row, tuple(_trained_after(row, dataset, history))) for row in rows]


def journey_lines(key: str, journeys: Sequence[FileJourney], history: ReleaseHistory) -> Iterator[str]:
    """Yield what became of one upload: its job, and the versions that were trained after it."""
    if not journeys:
        yield f"the ledger knows nothing of {key}"
    for journey in journeys:
        row = journey.row
        yield f"{key} ({row.version}): {row.state} {moment(row.settled)} {row.rows:,} rows {row.job_arn}".rstrip()
        for version in journey.trained:
            yield from (f"  {line}" for line in _version_lines(version, history))


def _trained_after(row: FileRow, dataset: str, history: ReleaseHistory) -> Iterator[VersionRecord]:
    if not row.job_arn:
        return
    for version in history.versions:
        known = version.imported.get(dataset)
        if known and datetime.fromisoformat(known) >= datetime.fromisoformat(row.settled):
            yield version


def _version_lines(version: VersionRecord, history: ReleaseHistory) -> Iterator[str]:
    yield f"{version.solution} {version.name}: {version.verdict} ({moment(version.judged)})"
    facts = {
        "trained because": version.training_reasons,
        "data imported until": ", ".join(f"{name} {moment(time)}" for name, time in sorted(version.imported.items())),
        "metrics": ", ".join(f"{name} {value:.4g}" for name, value in sorted(version.metrics.items())),
        "kept back because": version.reasons if version.verdict == "KEEP" else "",
        "approved": version.approved,
        "withdrawn": version.withdrawn,
        "served": ", ".join(
            f"{one.campaign} since {moment(one.since)}" for one in history.served_by(version.version_arn)
        ),
    }
    yield from (f"  {name}: {fact}" for name, fact in facts.items() if fact)
