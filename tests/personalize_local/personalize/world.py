"""The service as tests use it: clients, a clock to jump with, and resources made ready in one call."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from botocore.config import Config
from moto import mock_aws

from personalize_local import personalize
from personalize_local.clock import CLOCK
from personalize_local.personalize.protocol.models import personalize_backends
from personalize_local.personalize.resources import service as service_module
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.job_runner import RunningJob
from personalize_local.personalize.resources.service import PersonalizeService
from tests.personalize_local.personalize.engine_double import EngineDouble

ACCOUNT = "123456789012"
REGION = "us-east-1"
PREFIX = f"arn:aws:personalize:{REGION}:{ACCOUNT}:"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/personalize"
RECIPES = "arn:aws:personalize:::recipe/"
DAY = 86_400.0

FIELDS: dict[str, list[dict[str, Any]]] = {
    "Interactions": [
        {"name": "USER_ID", "type": "string"},
        {"name": "ITEM_ID", "type": "string"},
        {"name": "TIMESTAMP", "type": "long"},
        {"name": "EVENT_TYPE", "type": "string"},
        {"name": "EVENT_VALUE", "type": ["null", "float"]},
    ],
    "Items": [
        {"name": "ITEM_ID", "type": "string"},
        {"name": "PRICE", "type": "float"},
        {"name": "CATEGORY_L1", "type": "string", "categorical": True},
        {"name": "GENRES", "type": ["null", "string"], "categorical": True},
        {"name": "CREATION_TIMESTAMP", "type": "long"},
        {"name": "TITLE", "type": ["null", "string"]},
        {"name": "DESCRIPTION", "type": ["null", "string"], "textual": True},
    ],
    "Users": [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": "int"}],
    "Actions": [{"name": "ACTION_ID", "type": "string"}, {"name": "VALUE", "type": "long"}],
    "ActionInteractions": [
        {"name": "USER_ID", "type": "string"},
        {"name": "ACTION_ID", "type": "string"},
        {"name": "TIMESTAMP", "type": "long"},
        {"name": "EVENT_TYPE", "type": "string"},
    ],
}
RECORDS = {
    "INTERACTIONS": "Interactions",
    "ITEMS": "Items",
    "USERS": "Users",
    "ACTIONS": "Actions",
    "ACTION_INTERACTIONS": "ActionInteractions",
}


def avro(record: str, extra: list[dict[str, Any]] | None = None) -> str:
    return json.dumps(
        {
            "type": "record",
            "name": record,
            "namespace": "com.amazonaws.personalize.schema",
            "fields": [*FIELDS[record], *(extra or [])],
            "version": "1.0",
        }
    )


def interactions_csv(rows: int = 1200) -> str:
    lines = [f"u{n % 60},i{(n * 7) % 40},{1_700_000_000 + n},view,1.0" for n in range(rows)]
    return "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\n" + "\n".join(lines) + "\n"


@cache
def client(service: str, endpoint: str | None = None) -> Any:
    """Return a client that tells every error at once: by itself botocore tries LimitExceededException again."""
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=32)
    return boto3.client(service, REGION, config=config, endpoint_url=endpoint)  # type: ignore[call-overload] # any service


@dataclass
class World:
    """Clients of a running service; every `make_…` returns the ARN of something that is ACTIVE."""

    service: PersonalizeService
    personalize: Any = field(default_factory=lambda: client("personalize"))
    runtime: Any = field(default_factory=lambda: client("personalize-runtime"))
    events: Any = field(default_factory=lambda: client("personalize-events"))
    s3: Any = field(default_factory=lambda: client("s3"))
    bucket: str = "uploads-of-tests"

    @property
    def engine(self) -> Any:
        return self.service.engine(ACCOUNT, REGION)

    @property
    def account(self) -> Account:
        backend: Account = personalize_backends[ACCOUNT][REGION].account
        return backend

    def pass_time(self, seconds: float) -> None:
        CLOCK.go_on_from(CLOCK.time() + seconds)

    def finish(self, seconds: float = 3 * 3600) -> None:
        """Let all real work end and so many simulated seconds pass."""
        for record in self.account.everything():
            for timeline in (record.timeline, *([record.update.timeline] if record.update else ())):
                if isinstance(timeline.job, RunningJob):
                    assert timeline.job.wait(60)
        self.pass_time(seconds)

    def describe(self, noun: str, arn: str) -> dict[str, Any]:
        camel = "".join(part.capitalize() for part in noun.split("_"))
        key = camel[0].lower() + camel[1:]
        answer = getattr(self.personalize, f"describe_{noun}")(**{f"{key}Arn": arn})
        described: dict[str, Any] = answer[key]
        return described

    def status(self, noun: str, arn: str) -> str:
        return str(self.describe(noun, arn)["status"])

    def put_object(self, key: str, body: str) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body.encode())
        return f"s3://{self.bucket}/{key}"

    def make_group(self, name: str = "movies", **more: Any) -> str:
        arn = self.personalize.create_dataset_group(name=name, **more)["datasetGroupArn"]
        self.finish(120)
        return str(arn)

    def make_schema(self, kind: str = "INTERACTIONS", name: str | None = None, **more: Any) -> str:
        text = avro(RECORDS[kind])
        arn = self.personalize.create_schema(name=name or f"{kind.lower()}-schema", schema=text, **more)["schemaArn"]
        return str(arn)

    def make_dataset(self, group: str, kind: str = "INTERACTIONS", schema: str | None = None) -> str:
        schema = schema or self.make_schema(kind, f"{kind.lower()}-of-{group.rpartition('/')[2]}")
        answer = self.personalize.create_dataset(
            name=kind.lower(), schemaArn=schema, datasetGroupArn=group, datasetType=kind
        )
        self.finish(120)
        return str(answer["datasetArn"])

    def make_import(self, dataset: str, name: str = "first", **more: Any) -> str:
        location = self.put_object(f"{name}.csv", interactions_csv())
        answer = self.personalize.create_dataset_import_job(
            jobName=name, datasetArn=dataset, dataSource={"dataLocation": location}, roleArn=ROLE, **more
        )
        self.finish()
        return str(answer["datasetImportJobArn"])

    def make_solution(self, group: str, recipe: str = "aws-user-personalization", **more: Any) -> str:
        settings = {"name": "taste", "performAutoTraining": False, **more}
        answer = self.personalize.create_solution(datasetGroupArn=group, recipeArn=f"{RECIPES}{recipe}", **settings)
        self.finish(120)
        return str(answer["solutionArn"])

    def make_version(self, solution: str, **more: Any) -> str:
        arn = self.personalize.create_solution_version(solutionArn=solution, **more)["solutionVersionArn"]
        self.finish()
        return str(arn)

    def make_campaign(self, version: str, name: str = "home", **more: Any) -> str:
        arn = self.personalize.create_campaign(name=name, solutionVersionArn=version, **more)["campaignArn"]
        self.finish()
        return str(arn)

    def make_trained(self, group_name: str = "movies", recipe: str = "aws-user-personalization") -> tuple[str, str]:
        """Return a group with imported interactions and a version trained on them."""
        group = self.make_group(group_name)
        dataset = self.make_dataset(group)
        self.make_import(dataset, f"{group_name}-import")
        return group, self.make_version(self.make_solution(group, recipe, name=f"{group_name}-taste"))


@contextmanager
def running(directory: Path) -> Iterator[World]:
    """Run the service over an engine double, on a clock that moves by `pass_time` and next to nothing by itself."""
    CLOCK.set_speed(1e-6)
    with patch.object(service_module, "Engine", EngineDouble):
        service = personalize.start(directory)
        try:
            with mock_aws():
                made = World(service)
                made.s3.create_bucket(Bucket=made.bucket)
                yield made
        finally:
            personalize.stop()
            CLOCK.set_speed(1)
