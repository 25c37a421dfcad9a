"""Where the facts are asked: the local service, or a real account, with one dataset group that they share."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from botocore.exceptions import ClientError

from personalize_local.testing.local_personalize import running_personalize

PATIENCE_SECONDS = 600
LOOK_SECONDS = 5
RECIPES = "arn:aws:personalize:::recipe/"


def avro(name: str, *fields: dict[str, Any]) -> str:
    """Return a schema's text."""
    namespace = "com.amazonaws.personalize.schema"
    return json.dumps(
        {"type": "record", "name": name, "namespace": namespace, "fields": list(fields), "version": "1.0"}
    )


def _field(name: str, kind: str | list[str] = "string", **flags: bool) -> dict[str, Any]:
    return {"name": name, "type": kind, **flags}


_OR_NULL = ["null", "string"]
SCHEMAS = {
    "INTERACTIONS": avro(
        "Interactions", *map(_field, ("USER_ID", "ITEM_ID", "EVENT_TYPE")), _field("TIMESTAMP", "long"),
        _field("EVENT_VALUE", ["float", "null"]),
    ),
    "ITEMS": avro(
        "Items", _field("ITEM_ID"), _field("GENRES", _OR_NULL, categorical=True), _field("PRICE", ["float", "null"]),
        _field("TITLE", _OR_NULL), _field("DESCRIPTION", _OR_NULL, textual=True),
        _field("AVAILABLE", ["boolean", "null"]), _field("CREATION_TIMESTAMP", "long"),
    ),
    "USERS": avro("Users", _field("USER_ID"), _field("AGE", ["int", "null"]), _field("CITY", _OR_NULL)),
    "ACTIONS": avro("Actions", _field("ACTION_ID"), _field("VALUE", "long"), _field("CLUB", _OR_NULL)),
    "ACTION_INTERACTIONS": avro(
        "ActionInteractions", *map(_field, ("USER_ID", "ACTION_ID", "EVENT_TYPE")), _field("TIMESTAMP", "long")
    ),
}  # fmt: skip


@dataclass
class Target:
    """A Personalize to ask. What is made is taken away at the end, newest first."""

    client: Callable[[str], Any]
    is_aws: bool
    prefix: str = field(default_factory=lambda: f"conformance-{uuid.uuid4().hex[:8]}")
    _undo: list[Callable[[], object]] = field(default_factory=list)

    @cached_property
    def personalize(self) -> Any:
        """The client of the control plane."""
        return self.client("personalize")

    def name(self, end: str) -> str:
        """Return a name that is ours."""
        return f"{self.prefix}-{end}"

    def create(self, noun: str, **request: Any) -> str:
        """Create a resource, to be deleted at the end, and return its ARN."""
        key = _camel(noun)
        arn = str(getattr(self.personalize, f"create_{noun}")(**request)[f"{key}Arn"])
        self._undo.append(lambda: self.delete(noun, arn))
        return arn

    def describe(self, noun: str, arn: str) -> dict[str, Any]:
        """Describe a resource."""
        key = _camel(noun)
        described: dict[str, Any] = getattr(self.personalize, f"describe_{noun}")(**{f"{key}Arn": arn})[key]
        return described

    def words(self, noun: str, arn: str) -> list[str]:
        """Return the status words until it is made or failed, each once."""
        seen: list[str] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            status = str(self.describe(noun, arn)["status"])
            seen += [] if status in seen else [status]
            if status == "ACTIVE" or status.endswith("FAILED"):
                return seen
            time.sleep(LOOK_SECONDS if self.is_aws else 0)
        raise TimeoutError(f"{arn} is still {seen[-1]}")

    def delete(self, noun: str, arn: str) -> None:
        """Delete a resource and wait until it is gone; one that is gone is fine."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                with suppress(self.personalize.exceptions.ResourceInUseException):
                    getattr(self.personalize, f"delete_{noun}")(**{f"{_camel(noun)}Arn": arn})
                self.describe(noun, arn)
            except self.personalize.exceptions.ResourceNotFoundException:
                return
            time.sleep(LOOK_SECONDS if self.is_aws else 0)

    @cached_property
    def group(self) -> str:
        """A dataset group with a dataset of each type, without data."""
        arn = self.create("dataset_group", name=self.name("group"))
        self.words("dataset_group", arn)
        for kind, text in SCHEMAS.items():
            schema = self.create("schema", name=self.name(kind.lower()), schema=text)
            dataset = self.create(
                "dataset", name=self.name(kind.lower()), schemaArn=schema, datasetGroupArn=arn, datasetType=kind
            )
            self.words("dataset", dataset)
        return arn

    @cached_property
    def empty_group(self) -> str:
        """A dataset group with nothing in it."""
        arn = self.create("dataset_group", name=self.name("empty"))
        self.words("dataset_group", arn)
        return arn

    def take_away(self) -> None:
        """Delete what was made."""
        for undo in reversed(self._undo):
            undo()


def refused(call: Callable[..., Any], **request: Any) -> tuple[str, str] | None:
    """Return the exception and the words of a refusal, or None when the call was accepted."""
    try:
        call(**request)
    except ClientError as error:
        return error.response["Error"]["Code"].removesuffix("Exception"), error.response["Error"]["Message"]
    return None


def _camel(noun: str) -> str:
    first, *rest = noun.split("_")
    return first + "".join(part.capitalize() for part in rest)


@contextmanager
def running_target(*, is_aws: bool) -> Iterator[Target]:
    """Give a target, and take away what the facts have made there."""
    if is_aws:
        target = Target(boto3.client, is_aws=True)  # type: ignore[arg-type] # any service
        try:
            yield target
        finally:
            target.take_away()
        return
    with running_personalize("child", automatic=True) as local:
        yield Target(local.client, is_aws=False)
