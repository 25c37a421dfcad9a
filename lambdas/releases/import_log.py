"""Read when the datasets of a group were last imported: what decides whether a training would learn anything new."""

from collections.abc import Mapping
from datetime import datetime

from lambdas.gateways.dynamodb import Table


class ImportLog:
    """The group's imports, as settlements of import jobs have written them down."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def newest(self, group: str) -> Mapping[str, datetime]:
        """Return when each dataset of the group that was ever imported was last imported."""
        items = self._table.entries(f"{group}/imports", "newest#")
        return {str(item["kind"]): datetime.fromisoformat(str(item["settled"])) for item in items}
