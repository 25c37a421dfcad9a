"""Say what a run goes on without: datasets that hold nothing, files that still wait."""

from typing import Any

from lambdas import wiring
from lambdas.bucket_layout import dataset_key_of
from lambdas.uploads.dataset_facts import NoDataError, is_filled

ledger, leases, personalize = wiring.ledger(), wiring.leases(), wiring.personalize()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return ``{"warnings"}`` about the datasets of ``{"datasetGroup", "datasets", "onMissingData"}``.

    Raises NoDataError instead if a dataset holds nothing and the request says FAIL.
    """
    group, datasets = event["datasetGroup"], event["datasets"]
    known = {name: leases.read(dataset_key_of(group, name)).filled for name in datasets}
    unfilled = [name for name in datasets if not is_filled(personalize, group, name, known[name])]
    empty = [f"{name}: no file of it was ever imported" for name in unfilled]
    if empty and event["onMissingData"] == "FAIL":
        raise NoDataError("; ".join(empty))
    waiting = {name: ledger.unsettled(dataset_key_of(group, name)) for name in datasets}
    late = [f"{name}: {len(rows)} file(s) wait, the first is {rows[0].key}" for name, rows in waiting.items() if rows]
    wiring.logger.info("reviewed", extra={"warnings": [*empty, *late]})
    wiring.count("DataWarnings", len(empty + late))
    return {"warnings": [*empty, *late]}
