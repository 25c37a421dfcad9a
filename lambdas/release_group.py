"""Let a dataset group go, and start the imports of what came while it was held."""

from typing import Any

from lambdas import wiring
from lambdas.groups.group_leases import GroupLeases

leases, ledger, starter = wiring.leases(), wiring.ledger(), wiring.import_starter()


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, list[str]]:
    """Return the datasets for which an import was started; ``event`` is ``{"datasetGroup", "execution"}``."""
    woken = GroupLeases(leases).let_go(event["datasetGroup"], event["execution"], ledger, starter)
    wiring.logger.info("released", extra={"dataset_group": event["datasetGroup"], "woken": woken})
    return {"woken": woken}
