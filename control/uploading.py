"""Upload files, and look what becomes of them, until nobody is at work for them."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from control.connection import Connection
from control.histories.file_history import OPEN, waiting_reason
from control.runs.execution_reader import RUNNING
from lambdas.bucket_layout import UPLOADS, dataset_key_of
from lambdas.uploads.records.file_row import FileRow, FileState

_PIECE_BYTES: Final = 8 << 20
# So many looks in a row with nobody at work mean that nothing will come: an event may take some seconds.
_IDLE_LOOKS: Final = 4


@dataclass(frozen=True)
class Upload:
    """A file on this machine, and where it goes."""

    path: Path
    key: str
    dataset_key: str


@dataclass(frozen=True)
class FileNews:
    """What became of an upload, or why it waits; `state` is the ledger's, or empty while it is not recorded."""

    key: str
    state: str
    text: str

    @property
    def is_bad(self) -> bool:
        """Say whether the file was not taken."""
        return self.state == FileState.REJECTED


def upload_of(path: Path, group: str, dataset: str, *, full: bool) -> Upload:
    """Return where a file goes."""
    folder = f"{UPLOADS}{group}/{dataset}/{'full/' if full else ''}"
    return Upload(path, f"{folder}{path.name}", dataset_key_of(group, dataset))


class Uploader:
    """Uploads files, and looks at the ledger every `pause_seconds` for at most `patience_seconds`."""

    def __init__(
        self,
        connection: Connection,
        *,
        pause_seconds: float,
        patience_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._pause_seconds = pause_seconds
        self._looks = max(1, round(patience_seconds / pause_seconds))
        self._sleep = sleep

    def put(self, upload: Upload) -> set[str]:
        """Upload a file; return the ledger's entries of earlier versions, which are not about this one."""
        known = {row.entry for row in self._rows(upload)}
        with upload.path.open("rb") as file:
            self._connection.objects.write_stream(upload.key, iter(lambda: file.read(_PIECE_BYTES), b""))
        return known

    def follow(
        self, group: str, uploads: Mapping[str, tuple[Upload, set[str]]], run: str | None = None
    ) -> Iterator[FileNews]:
        """Yield what becomes of uploads, by key with the entries known before, whenever it changes.

        It ends when all are settled, or wait and nobody is at work for them, the execution `run` included, or when
        patience ends.
        """
        told: dict[str, FileNews] = {}
        idle_looks = 0
        for _ in range(self._looks):
            news = [self._news(upload, known) for upload, known in uploads.values()]
            for one in news:
                if told.get(one.key) != one:
                    told[one.key] = one
                    yield one
            if all(one.state and one.state not in OPEN for one in news):
                return
            idle_looks = 0 if self._somebody_works(group, uploads, run) else idle_looks + 1
            if idle_looks == _IDLE_LOOKS:
                return
            self._sleep(self._pause_seconds)

    def _somebody_works(self, group: str, uploads: Mapping[str, tuple[Upload, set[str]]], run: str | None) -> bool:
        if run and self._connection.executions.read(run).status == RUNNING:
            return True
        names = {dataset_key_of(group, "pipeline"), *(upload.dataset_key for upload, _ in uploads.values())}
        return any(self._connection.leases.holder_of(name) for name in names)

    def _rows(self, upload: Upload) -> list[FileRow]:
        return list(self._connection.ledger.versions(upload.dataset_key, upload.key))

    def _news(self, upload: Upload, known: set[str]) -> FileNews:
        new = [row for row in self._rows(upload) if row.entry not in known]
        if not new:
            return FileNews(upload.key, "", "uploaded; not recorded yet")
        row = max(new, key=lambda row: row.queue_position)
        return FileNews(upload.key, row.state, news_text(self._connection, row))


def news_text(connection: Connection, row: FileRow) -> str:
    """Return what became of a file, or why it waits, in a line."""
    if reason := waiting_reason(row, connection.table):
        return reason
    facts = [
        f"{row.rows:,} rows" if row.inspected else "",
        f"{row.bad_rows:,} bad ones left out" if row.bad_rows and row.state is FileState.IMPORTED else "",
        f"by {row.job_arn.rpartition('/')[2]}" if row.job_arn else "",
        row.reason,
    ]
    return ", ".join(fact for fact in facts if fact)
