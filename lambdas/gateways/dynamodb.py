"""Read and write the ledger's table in DynamoDB."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lambdas.gateways.table import ABSENT, Absence, AtMost, Condition, Item, Put, Requirement, Value, Write
from lambdas.gateways.transient import TransientError

_BEGINS: Final = "dataset = :dataset AND begins_with(entry, :prefix)"
# Why a transaction was cancelled that may succeed in a moment: another one was at the same item, or all too fast.
_PASSING: Final = frozenset({"TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError"})


class DynamoTable:
    """The table in DynamoDB: its keys are `dataset` and `entry`, and every read is consistent."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def create(self, item: Item) -> bool:
        """Put the item if its key is free."""
        try:
            self._client.put_item(
                TableName=self._name, Item=_encode(item), ConditionExpression="attribute_not_exists(entry)"
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def get(self, dataset: str, entry: str) -> Item | None:
        """Read one item consistently."""
        answer = self._client.get_item(TableName=self._name, Key=_key(dataset, entry), ConsistentRead=True)
        return _decode(answer["Item"]) if "Item" in answer else None

    def update(
        self,
        dataset: str,
        entry: str,
        *,
        put: Mapping[str, Value] | None = None,
        remove: Sequence[str] = (),
        add: Mapping[str, int] | None = None,
        when: Condition | None = None,
    ) -> Item | None:
        """Update one item under a condition."""
        answer = self._update(dataset, entry, _Update(put or {}, remove, add or {}, when or {}), "ALL_NEW")
        return _decode(answer["Attributes"]) if answer else None

    def change(
        self,
        dataset: str,
        entry: str,
        *,
        put: Mapping[str, Value],
        remove: Sequence[str] = (),
        when: Condition | None = None,
    ) -> bool:
        """Update one item, and have nothing sent back."""
        return self._update(dataset, entry, _Update(put, remove, {}, when or {}), "NONE") is not None

    def _update(self, dataset: str, entry: str, update: "_Update", returned: str) -> Mapping[str, Any] | None:
        expression = _Expression()
        arguments: dict[str, Any] = {"UpdateExpression": expression.update(update.put, update.remove, update.add)}
        if update.when:
            arguments["ConditionExpression"] = expression.condition(update.when)
        if expression.values:
            arguments["ExpressionAttributeValues"] = expression.values
        arguments["ExpressionAttributeNames"] = expression.names
        try:
            answer: Mapping[str, Any] = self._client.update_item(
                TableName=self._name, Key=_key(dataset, entry), ReturnValues=returned, **arguments
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        return answer

    def delete(self, dataset: str, entry: str) -> None:
        """Delete one item."""
        self._client.delete_item(TableName=self._name, Key=_key(dataset, entry))

    def commit(self, *writes: Write) -> bool:
        """Make the writes in one transaction.

        boto3 gives it a token that its own retries repeat, so that one whose answer was lost is not made twice. Who
        calls again finds its conditions broken by its own first call.
        """
        try:
            self._client.transact_write_items(TransactItems=[self._part(write) for write in writes])
        except self._client.exceptions.TransactionCanceledException as error:
            codes = {reason.get("Code") for reason in error.response.get("CancellationReasons", ())}
            if "ConditionalCheckFailed" in codes:
                return False
            if codes & _PASSING:
                raise TransientError(str(error)) from error
            raise
        return True

    def _part(self, write: Write) -> dict[str, Any]:
        expression = _Expression()
        part: dict[str, Any] = {"TableName": self._name}
        if write.when:
            part["ConditionExpression"] = expression.condition(write.when)
            part["ExpressionAttributeNames"] = expression.names
        if expression.values:
            part["ExpressionAttributeValues"] = expression.values
        if isinstance(write, Put):
            return {"Put": {**part, "Item": _encode(write.item)}}
        return {"Delete": {**part, "Key": _key(write.dataset, write.entry)}}

    def entries(self, dataset: str, prefix: str = "") -> Iterator[Item]:
        """Query a part of one partition."""
        if not prefix:
            return self._query("dataset = :dataset", {":dataset": dataset})
        values: Item = {":dataset": dataset, ":prefix": prefix}
        return self._query(_BEGINS, values)

    def has_entries(self, dataset: str, prefix: str) -> bool:
        """Query the first item of a part of one partition."""
        answer = self._client.query(
            TableName=self._name,
            KeyConditionExpression=_BEGINS,
            ExpressionAttributeValues=_encode({":dataset": dataset, ":prefix": prefix}),
            ConsistentRead=True,
            Limit=1,
        )
        return bool(answer["Items"])

    def between(self, dataset: str, first: str, last: str) -> Iterator[Item]:
        """Query a range of one partition."""
        values: Item = {":dataset": dataset, ":first": first, ":last": last}
        return self._query("dataset = :dataset AND entry BETWEEN :first AND :last", values)

    def _query(self, condition: str, values: Item) -> Iterator[Item]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=_encode(values),
            ConsistentRead=True,
        )
        for page in pages:
            yield from map(_decode, page["Items"])


@dataclass(frozen=True)
class _Update:
    put: Mapping[str, Value]
    remove: Sequence[str]
    add: Mapping[str, int]
    when: Condition


class _Expression:
    """Collects the names and values that DynamoDB's expressions refer to."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def update(self, put: Mapping[str, Value], remove: Sequence[str], add: Mapping[str, int]) -> str:
        clauses = {
            "SET": [f"{self._name(name)} = {self._value(value)}" for name, value in put.items()],
            "REMOVE": [self._name(name) for name in remove],
            "ADD": [f"{self._name(name)} {self._value(value)}" for name, value in add.items()],
        }
        return " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts)

    def condition(self, when: Condition) -> str:
        return " AND ".join(self._any(name, wanted) for name, wanted in when.items())

    def _any(self, name: str, wanted: Requirement | tuple[Requirement, ...]) -> str:
        alternatives = wanted if isinstance(wanted, tuple) else (wanted,)
        return f"({' OR '.join(self._requirement(name, one) for one in alternatives)})"

    def _requirement(self, name: str, requirement: Requirement) -> str:
        if requirement is ABSENT:
            return f"attribute_not_exists({self._name(name)})"
        if isinstance(requirement, AtMost):
            return f"{self._name(name)} <= {self._value(requirement.limit)}"
        assert not isinstance(requirement, Absence)  # noqa: S101 -- ABSENT is its only member; this tells mypy so
        return f"{self._name(name)} = {self._value(requirement)}"

    def _name(self, name: str) -> str:
        self.names[f"#{name}"] = name
        return f"#{name}"

    def _value(self, value: Value) -> str:
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = _attribute(value)
        return placeholder


def _key(dataset: str, entry: str) -> dict[str, Any]:
    return _encode({"dataset": dataset, "entry": entry})


def _encode(item: Mapping[str, Value]) -> dict[str, Any]:
    return {name: _attribute(value) for name, value in item.items()}


def _attribute(value: Value) -> dict[str, str | bool]:
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def _decode(attributes: Mapping[str, Mapping[str, Any]]) -> Item:
    return {name: int(value["N"]) if "N" in value else next(iter(value.values())) for name, value in attributes.items()}
