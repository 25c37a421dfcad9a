"""Write the items of a transaction, or none of them, at the cost of these items.

moto copies every table of the transaction first, all its items, and puts the copies back if a condition does not hold:
it takes a second for ten thousand items, and what others wrote in that second is lost.
"""

import copy
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import (
    ConditionalCheckFailed,
    MultipleTransactionsException,
    TooManyTransactionsException,
    TransactionCanceledException,
)
from moto.dynamodb.models import DynamoDBBackend

from personalize_local.aws.corrections import Correction
from personalize_local.aws.dynamodb import item_collections
from personalize_local.aws.limits import TRANSACTION_ITEMS

Operation = Mapping[str, Any]
Outcome = tuple[str | None, str | None, Any]  # code, message, item; of an operation that can be made all are None

_MADE: Outcome = (None, None, None)
_one_at_a_time = threading.RLock()
_EXPRESSIONS = {
    "ConditionExpression": "condition_expression",
    "ExpressionAttributeNames": "expression_attribute_names",
    "ExpressionAttributeValues": "expression_attribute_values",
    "UpdateExpression": "update_expression",
}


def transact_write_items(backend: Any, transact_items: list[dict[str, Operation]]) -> None:
    """Make all operations, or raise TransactionCanceledException with the reason of each that cannot be made."""
    if len(transact_items) > TRANSACTION_ITEMS.value:
        raise TooManyTransactionsException
    operations = [next(iter(item.items())) for item in transact_items]
    with _one_at_a_time:
        _check_that_items_differ(backend, operations)
        _raise_reasons([_judge(backend, operation) for _, operation in operations])
        with _all_or_nothing(backend, operations):
            _raise_reasons([_make(backend, verb, operation) for verb, operation in operations])


def _key(backend: Any, operation: Operation) -> dict[str, Any]:
    if "Key" in operation:
        return dict(operation["Key"])
    table, item = backend.get_table(operation["TableName"]), operation["Item"]
    return {name: item[name] for name in (table.hash_key_attr, table.range_key_attr) if name in item}


def _check_that_items_differ(backend: Any, operations: list[tuple[str, Operation]]) -> None:
    keys = {(one["TableName"], str(sorted(_key(backend, one).items()))) for _, one in operations}
    if len(keys) < len(operations):
        raise MultipleTransactionsException


def _judge(backend: Any, operation: Operation) -> Outcome:
    item = backend.get_item(operation["TableName"], _key(backend, operation))
    names, values = operation.get("ExpressionAttributeNames"), operation.get("ExpressionAttributeValues")
    if get_filter_expression(operation.get("ConditionExpression"), names, values).expr(item):
        return _MADE
    wanted = operation.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and item
    return "ConditionalCheckFailed", ConditionalCheckFailed().message, item.to_json()["Attributes"] if wanted else None


def _make(backend: Any, verb: str, operation: Operation) -> Outcome:
    given = {ours: operation[name] for name, ours in _EXPRESSIONS.items() if name in operation}
    try:
        if verb == "Put":
            backend.put_item(operation["TableName"], operation["Item"], **given)
        elif verb == "Delete":
            backend.delete_item(operation["TableName"], operation["Key"], **given)
        elif verb == "Update":
            backend.update_item(operation["TableName"], operation["Key"], **given)
    except Exception as error:  # noqa: BLE001 - it is this operation's reason, whatever it is
        return type(error).__name__, str(error), None
    return _MADE


@contextmanager
def _all_or_nothing(backend: Any, operations: list[tuple[str, Operation]]) -> Iterator[None]:
    tables = [(backend.get_table(operation["TableName"]), _key(backend, operation)) for _, operation in operations]
    before = [copy.deepcopy(item_collections.find(table, key)) for table, key in tables]
    try:
        yield
    except TransactionCanceledException:
        for (table, key), item in zip(tables, before, strict=True):
            item_collections.count(table, item_collections.find(table, key), item)
            item_collections.put_back(table, key, item)
        raise


def _raise_reasons(outcomes: list[Outcome]) -> None:
    if any(code for code, _, _ in outcomes):
        raise TransactionCanceledException(outcomes)


CORRECTIONS = (
    Correction(DynamoDBBackend, "transact_write_items", transact_write_items, "it copies every table as a whole"),
)
