"""Answer PutEvents and its siblings: streamed rows, visible to the next request."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from botocore.utils import parse_timestamp

from personalize_local.engine.api import DatasetRef, EngineError
from personalize_local.engine.datasets.schema import Field, Schema
from personalize_local.personalize.operations.datasets import of_group, reference_to, schema_of
from personalize_local.personalize.protocol.request_counts import count_request
from personalize_local.personalize.protocol.service_errors import (
    ServiceError,
    in_use,
    invalid_input,
    not_found,
    serialization,
)
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.reconcile import reconciled
from personalize_local.personalize.resources.records import Members, Record

Row = dict[str, Any]
_READERS: Final = {"int": int, "long": int, "float": float, "double": float}


def put_events(account: Account, request: Members) -> None:
    """Answer PutEvents; an anonymous session's events join the user who later shows up in it."""
    with reconciled(account):
        tracker = _tracker(account, request["trackingId"])
        dataset = of_group(account, tracker.group_arn).get("INTERACTIONS")
        if dataset is None:
            raise invalid_input("The dataset group of the tracking id has no Interactions dataset.")
        schema, reference = schema_of(account, dataset), reference_to(account, dataset)
        user = request.get("userId") or request["sessionId"]
        made = [(event.get("eventId"), _event(schema, user, event)) for event in request["eventList"]]
        rows = [row for event_id, row in made if account.seen_events.is_new(tracker.arn, event_id)]
        if request.get("userId"):
            rows += [{**row, "USER_ID": user} for row in account.sessions.take(tracker.arn, request["sessionId"])]
        else:
            account.sessions.keep(tracker.arn, request["sessionId"], rows)
    _put(account, dataset, reference, rows)
    named = {"DatasetGroupArn": tracker.group_arn, "DatasetArn": dataset.arn, "EventTrackerArn": tracker.arn}
    count_request(account, "PutEventsRequests", named)


def _tracker(account: Account, tracking_id: str) -> Record:
    for tracker in account.all("event_tracker", trackingId=tracking_id):
        if not (tracker.is_going() or tracker.point(account.now()).failed):  # nobody waits for a tracker of seconds
            return tracker
    raise invalid_input(f"Invalid tracking id: {tracking_id}")


def _event(schema: Schema, user: str, event: Members) -> Row:
    properties = _properties(event.get("properties"))
    impression = event.get("impression")
    row = {
        "USER_ID": user,
        "ITEM_ID": event.get("itemId"),
        "TIMESTAMP": _seconds(event["sentAt"]),
        "EVENT_TYPE": event["eventType"],
        "EVENT_VALUE": event.get("eventValue"),
        "RECOMMENDATION_ID": event.get("recommendationId"),
        "IMPRESSION": "|".join(impression) if impression else None,
        "EVENT_ATTRIBUTION_SOURCE": event.get("metricAttribution", {}).get("eventAttributionSource"),
    }
    given = {column: value for column, value in row.items() if value is not None}
    return _row(schema, {**_columns(schema, properties), **given})


def _seconds(when: Any) -> int:
    try:
        parsed: datetime = parse_timestamp(when)
        return int(parsed.timestamp())
    except (ValueError, OverflowError, OSError, RuntimeError) as error:
        raise serialization(f"Invalid timestamp: {when}") from error


def _properties(text: str | None) -> Members:
    try:
        properties = json.loads(text) if text else {}
    except (ValueError, RecursionError) as error:
        raise invalid_input("properties must be a JSON object in a string.") from error
    if not isinstance(properties, dict):
        raise invalid_input("properties must be a JSON object in a string.")
    return properties


def _columns(schema: Schema, properties: Mapping[str, Any]) -> Row:
    """Return the properties under their columns' names; what the schema does not know is left out."""
    named = {_camel(column): column for column in schema.columns} | {column: column for column in schema.columns}
    return {named[key]: value for key, value in properties.items() if key in named}


def _camel(column: str) -> str:
    first, *others = column.lower().split("_")
    return first + "".join(other.capitalize() for other in others)


def _row(schema: Schema, values: Mapping[str, Any]) -> Row:
    return {field.name: _value(field, values.get(field.name)) for field in schema.fields if _has(field, values)}


def _has(field: Field, values: Mapping[str, Any]) -> bool:
    present = values.get(field.name) is not None
    if not present and not field.nullable:
        raise invalid_input(f"The required field {field.name} is missing.")
    return present


def _value(field: Field, value: Any) -> Any:
    try:
        if field.type == "boolean":
            return _boolean(value)
        if field.type in _READERS:
            return _READERS[field.type](value)
    except (TypeError, ValueError, OverflowError) as error:
        raise invalid_input(f"The value of {field.name} must be of type {field.type}.") from error
    if isinstance(value, list):
        return "|".join(str(each) for each in value)
    return value if isinstance(value, str) else json.dumps(value)


def _boolean(value: Any) -> bool:
    if str(value).lower() not in {"true", "false"}:
        raise ValueError(value)
    return str(value).lower() == "true"


def put_items(account: Account, request: Members) -> None:
    """Answer PutItems."""
    _put_entities(account, request, "ITEMS", "items", "ITEM_ID", "itemId")


def put_users(account: Account, request: Members) -> None:
    """Answer PutUsers."""
    _put_entities(account, request, "USERS", "users", "USER_ID", "userId")


def put_actions(account: Account, request: Members) -> None:
    """Answer PutActions."""
    _put_entities(account, request, "ACTIONS", "actions", "ACTION_ID", "actionId")


def _put_entities(account: Account, request: Members, kind: str, list_name: str, column: str, id_name: str) -> None:
    with reconciled(account):
        dataset = account.find("dataset", request["datasetArn"])
        _check_usable(account, dataset, kind)
        schema, reference = schema_of(account, dataset), reference_to(account, dataset)
        rows = [
            _row(schema, {**_columns(schema, _properties(each.get("properties"))), column: each[id_name]})
            for each in request[list_name]
        ]
    _put(account, dataset, reference, rows)


def _check_usable(account: Account, dataset: Record, kind: str) -> None:
    if dataset.members["datasetType"] != kind:
        raise invalid_input(f"{dataset.arn} is not a dataset of type {kind}.")
    if dataset.is_going() or not dataset.point(account.now()).over:
        raise in_use(f"{dataset.arn} is not ACTIVE.")
    account.require_active(dataset)


def put_action_interactions(account: Account, request: Members) -> None:
    """Answer PutActionInteractions; the tracking id is the dataset's own."""
    with reconciled(account):
        dataset = next(account.all("dataset", trackingId=request["trackingId"]), None)
        if dataset is None:
            raise not_found(request["trackingId"])
        _check_usable(account, dataset, "ACTION_INTERACTIONS")
        schema, reference = schema_of(account, dataset), reference_to(account, dataset)
        rows = [_action_interaction(schema, each) for each in request["actionInteractions"]]
    _put(account, dataset, reference, rows)


def _action_interaction(schema: Schema, event: Members) -> Row:
    impression = event.get("impression")
    row = {
        "USER_ID": event.get("userId") or event["sessionId"],
        "ACTION_ID": event["actionId"],
        "TIMESTAMP": _seconds(event["timestamp"]),
        "EVENT_TYPE": event["eventType"],
        "RECOMMENDATION_ID": event.get("recommendationId"),
        "IMPRESSION": "|".join(impression) if impression else None,
    }
    given = {column: value for column, value in row.items() if value is not None}
    return _row(schema, {**_columns(schema, _properties(event.get("properties"))), **given})


def _put(account: Account, dataset: Record, reference: DatasetRef, rows: Sequence[Row]) -> None:
    with account.lock:
        dataset.notes["streamedAt"] = account.now()
        account.changes += 1
    try:
        account.engine.put_rows(reference, rows)
    except EngineError as error:
        raise ServiceError("InvalidInputException", str(error)) from error
