"""Put events on the stage's own bus, for whoever wants to be told of decisions."""

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol

from lambdas.gateways.transient import TransientError

SOURCE: Final = "personalize-control-plane"


class BusEvent(Protocol):
    """An event, as the bus needs it."""

    def detail_type(self) -> str:
        """Return what rules know it by."""

    def detail(self) -> Mapping[str, Any]:
        """Return what it tells, as JSON has it."""


class EventBus:
    """The stage's bus in EventBridge, through a client of boto3."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def put(self, event: BusEvent) -> None:
        """Put one event on the bus. Raises TransientError when EventBridge did not take it."""
        detail_type, detail = event.detail_type(), json.dumps(event.detail())
        entry = {"EventBusName": self._name, "Source": SOURCE, "DetailType": detail_type, "Detail": detail}
        answer = self._client.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            failed = answer["Entries"][0]
            raise TransientError(
                f"the event {detail_type!r} was not taken: {failed['ErrorCode']}: {failed['ErrorMessage']}"
            )
