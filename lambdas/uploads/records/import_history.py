"""Remember what imports brought to a dataset group, and whether a training is owed to them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from lambdas.gateways.table import Item, Table

_RETRAINS_PUT_OFF: Final = "retrains"  # the partition that lists the groups whose training was put off
_JOB: Final = "import#"
_NEWEST: Final = "newest#"


class ImportHistory:
    """The finished imports of all dataset groups: each for `keep_days`, a dataset's newest for ever."""

    def __init__(self, table: Table, keep_days: int) -> None:
        self._table = table
        self._keep = timedelta(days=keep_days)

    def note_import(self, group: str, dataset: str, batch: str, rows: int, time: str) -> None:
        """Remember a finished import job, once, for the decision about the next training."""
        expiry = int((datetime.fromisoformat(time) + self._keep).timestamp())
        item: Item = {"dataset": _partition(group), "entry": f"{_JOB}{batch}", "kind": dataset, "rows": rows}
        if self._table.create({**item, "settled": time, "expires_at": expiry}):
            self._table.update(_partition(group), f"{_NEWEST}{dataset}", put={"settled": time, "kind": dataset})

    def note_deletion(self, group: str, dataset: str, time: str) -> None:
        """Remember that a dataset has changed without an import: what was trained before is out of date."""
        self._table.update(_partition(group), f"{_NEWEST}{dataset}", put={"settled": time, "kind": dataset})

    def newest(self, group: str) -> Mapping[str, datetime]:
        """Return when each dataset of the group that was ever imported was last imported."""
        items = self._table.entries(_partition(group), _NEWEST)
        return {str(item["kind"]): datetime.fromisoformat(str(item["settled"])) for item in items}

    def rows_imported(self, group: str, since: datetime | None, dataset: str | None = None) -> int:
        """Return how many rows a group's imports, or one dataset's, brought since a moment.

        It goes as far back as the ledger remembers.
        """
        imports = self._table.entries(_partition(group), _JOB)
        return sum(
            int(item["rows"])
            for item in imports
            if (since is None or datetime.fromisoformat(str(item["settled"])) > since)
            and dataset in (None, item["kind"])
        )

    def put_retrain_off(self, group: str, job_name: str) -> None:
        """Remember that the group's imports, of which this job is the newest, call for a training later."""
        self._table.update(_RETRAINS_PUT_OFF, group, put={"job_name": job_name})

    def retrains_put_off(self) -> list[tuple[str, str]]:
        """Return the groups whose training was put off, each with its newest import job."""
        return [(str(item["entry"]), str(item["job_name"])) for item in self._table.entries(_RETRAINS_PUT_OFF)]

    def forget_retrain(self, group: str) -> None:
        """Forget that the group's training was put off."""
        self._table.delete(_RETRAINS_PUT_OFF, group)


def _partition(group: str) -> str:
    return f"{group}/imports"
