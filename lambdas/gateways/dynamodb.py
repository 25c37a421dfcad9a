"""Read and write the ledger's table in the few ways that are needed: a Protocol, and DynamoDB behind it.

Conditions are values (`{"state": ("WAITING", "CLAIMED")}`), so that a table in memory can judge them as DynamoDB does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol

Value = str | int | bool
Item = dict[str, Value]


class Absence(Enum):
    """The condition that an attribute is not there."""

    ABSENT = "absent"


ABSENT: Final = Absence.ABSENT


@dataclass(frozen=True)
class AtMost:
    """The condition that a number is not greater than a limit."""

    limit: int


Requirement = Value | AtMost | Absence
Condition = Mapping[str, Requirement | tuple[Requirement, ...]]  # every attribute, any of its alternatives


class Table(Protocol):
    """The ledger's table, as the domain sees it: items by (dataset, entry).

    Every read sees every write that was answered before it.
    """

    def create(self, item: Item) -> bool:
        """Write an item unless its key is taken; say whether it was written."""

    def get(self, dataset: str, entry: str) -> Item | None:
        """Return one item."""

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
        """Change an item (made if absent) in one step and return it; None when the condition does not hold."""

    def change(
        self,
        dataset: str,
        entry: str,
        *,
        put: Mapping[str, Value],
        remove: Sequence[str] = (),
        when: Condition | None = None,
    ) -> bool:
        """Update an item without reading it back; say whether the condition held."""

    def delete(self, dataset: str, entry: str) -> None:
        """Remove an item; one that is not there is removed already."""

    def unsettled(self, dataset: str) -> Iterator[Item]:
        """Yield the items of a dataset that carry `open`, in the order of that attribute."""

    def has_unsettled(self, dataset: str) -> bool:
        """Say whether any item of a dataset carries `open`; reads one."""

    def entries(self, dataset: str, prefix: str = "") -> Iterator[Item]:
        """Yield the items of a dataset whose entry begins with the prefix, in the order of `entry`."""

    def between(self, dataset: str, first: str, last: str) -> Iterator[Item]:
        """Yield the items of a dataset from one entry to another, both included, in the order of `entry`."""


class DynamoTable:
    """The table in DynamoDB: keys `dataset` and `entry`, and the local index `open`, which can be read consistently."""

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

    def unsettled(self, dataset: str) -> Iterator[Item]:
        """Query the sparse index."""
        return self._query("dataset = :dataset", {":dataset": dataset}, IndexName="open")

    def has_unsettled(self, dataset: str) -> bool:
        """Query the first entry of the sparse index."""
        answer = self._client.query(
            TableName=self._name,
            IndexName="open",
            KeyConditionExpression="dataset = :dataset",
            ExpressionAttributeValues=_encode({":dataset": dataset}),
            ConsistentRead=True,
            Limit=1,
        )
        return bool(answer["Items"])

    def entries(self, dataset: str, prefix: str = "") -> Iterator[Item]:
        """Query a part of one partition."""
        if not prefix:
            return self._query("dataset = :dataset", {":dataset": dataset})
        values: Item = {":dataset": dataset, ":prefix": prefix}
        return self._query("dataset = :dataset AND begins_with(entry, :prefix)", values)

    def between(self, dataset: str, first: str, last: str) -> Iterator[Item]:
        """Query a range of one partition."""
        values: Item = {":dataset": dataset, ":first": first, ":last": last}
        return self._query("dataset = :dataset AND entry BETWEEN :first AND :last", values)

    def _query(self, condition: str, values: Item, **arguments: str) -> Iterator[Item]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=_encode(values),
            ConsistentRead=True,
            **arguments,
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
