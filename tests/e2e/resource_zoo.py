"""Every type of resource, each on what it needs, so that every fault can be tried on every type."""

import itertools
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, cast

import pytest

from lambdas.personalize.resources import RESOURCES
from personalize_local.cloud import Cloud, Run
from personalize_local.personalize.protocol import dispatch

_RECIPES: Final = "arn:aws:personalize:::recipe"
_COLUMNS: Final = {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long", "EVENT_TYPE": "string"}
_USERS = 30
_ITEMS = 40

INTERACTIONS: Final = json.dumps(
    {
        "type": "record",
        "name": "Interactions",
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [{"name": name, "type": kind} for name, kind in _COLUMNS.items()],
        "version": "1.0",
    }
)


WRITES: Final = ("Create", "Update", "Delete", "Start", "Stop", "Tag", "Untag")


def counted_creates(monkeypatch: pytest.MonkeyPatch, verbs: tuple[str, ...] = ("Create",)) -> Counter[str]:
    """Count, from now on, what the service was asked to create, or to do otherwise, and accepted, by operation."""
    counted = Counter[str]()

    def counting(name: str, operation: dispatch.Operation) -> dispatch.Operation:
        def call(account: Any, members: Any) -> Any:
            answer = operation(account, members)
            counted[name] += 1
            return answer

        return call

    operations = cast("dict[str, dispatch.Operation]", dispatch.CONTROL_PLANE)
    for name, operation in list(operations.items()):
        if name.startswith(verbs):
            monkeypatch.setitem(operations, name, counting(name, operation))
    return counted


class ResourceZoo:
    """Two groups with data, custom and domain, and valid Create parameters for every type under a new name."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.bucket = cloud.deployment.bucket
        self._numbers = itertools.count()
        for noun in ("dataset_group", "solution", "campaign", "recommender", "filter", "dataset_import_job"):
            cloud.personalize.quotas.set_limit(noun, 500)
        for noun in ("batch_inference_job", "batch_segment_job", "data_deletion_job"):
            cloud.personalize.quotas.set_limit(noun, 500)
        self.role = cloud.deployment.personalize_role_arn
        self._put("zoo/interactions.csv", interactions())
        self._put("zoo/forget.csv", "USER_ID\nnobody\n")
        self._put("zoo/users.json", '{"userId": "user1"}\n')
        self._put("zoo/items.json", '{"itemId": "item1"}\n')
        self.group, self.dataset = self._filled_group("custom")
        self.domain_group, _ = self._filled_group("domain", domain="VIDEO_ON_DEMAND")
        self.solution = self._trained_by("aws-sims")
        self.version = self.made("solution_version", solutionArn=self.solution, name="first")
        self.other_version = self.made("solution_version", solutionArn=self.solution, name="second")
        self.segments = self.made("solution_version", solutionArn=self._trained_by("aws-item-affinity"), name="first")

    def request(self, noun: str, name: str) -> dict[str, Any]:
        """Return valid Create parameters for a new resource of the type."""
        make: Callable[[str], dict[str, Any]] = getattr(self, f"_{noun}")
        return make(name)

    def name(self, noun: str) -> str:
        """Return a name that no other resource has."""
        return f"dev-{noun.replace('_', '-')}-{next(self._numbers)}"

    def start(self, noun: str, request: dict[str, Any], **options: Any) -> str:
        """Start the wait loop for a resource; return the execution's ARN."""
        return self.cloud.start("ensure_resource", {"type": noun, "request": request, **options})

    def ensure(self, noun: str, request: dict[str, Any], **options: Any) -> Run:
        """Run the wait loop for a resource to its end."""
        return self.cloud.wait(self.start(noun, request, **options))

    def wait_for_state(self, execution_arn: str, state: str) -> None:
        """Wait until an execution has entered a state."""
        states = self.cloud.client("stepfunctions")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            events = states.get_execution_history(executionArn=execution_arn)["events"]
            if state in [
                event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event
            ]:
                return
        raise TimeoutError(f"{execution_arn} did not come to {state}")

    def made(self, noun: str, **request: Any) -> str:
        """Make a resource by the service's own calls, which is quicker than a machine, and return its ARN."""
        row, client = RESOURCES[noun], self.cloud.client("personalize")
        arn: str = getattr(client, f"create_{noun}")(**request)[row.arn_key]
        deadline = time.monotonic() + 120
        while row.has_status and time.monotonic() < deadline:
            described = getattr(client, f"describe_{noun}")(**{row.arn_key: arn})[row.camel]
            if described["status"] == "ACTIVE":
                break
            assert "FAILED" not in described["status"], (noun, described)
            time.sleep(0.02)
        return arn

    def _put(self, key: str, body: str) -> None:
        self.cloud.client("s3").put_object(Bucket=self.bucket, Key=f"uploads/{key}", Body=body.encode())

    def _filled_group(self, kind: str, **domain: str) -> tuple[str, str]:
        group = self.made("dataset_group", name=f"dev-zoo-{kind}", **domain)
        schema = self.made("schema", name=f"dev-zoo-{kind}", schema=INTERACTIONS, **domain)
        dataset = self.made("dataset", name="zoo", datasetGroupArn=group, schemaArn=schema, datasetType="INTERACTIONS")
        self.made("dataset_import_job", **self._import(dataset, f"dev-zoo-{kind}"))
        return group, dataset

    def _trained_by(self, recipe: str) -> str:
        return self.made(
            "solution", name=f"dev-zoo-{recipe}", datasetGroupArn=self.group, recipeArn=f"{_RECIPES}/{recipe}"
        )

    def _import(self, dataset: str, name: str) -> dict[str, Any]:
        source = {"dataLocation": f"s3://{self.bucket}/uploads/zoo/interactions.csv"}
        return {"jobName": name, "datasetArn": dataset, "dataSource": source, "roleArn": self.role}

    def _schema(self, name: str) -> dict[str, Any]:
        return {"name": name, "schema": INTERACTIONS}

    def _dataset_group(self, name: str) -> dict[str, Any]:
        return {"name": name}

    def _dataset(self, name: str) -> dict[str, Any]:
        group, schema = self.made("dataset_group", name=name), self.made("schema", name=name, schema=INTERACTIONS)
        return {"name": name, "datasetGroupArn": group, "schemaArn": schema, "datasetType": "INTERACTIONS"}

    def _event_tracker(self, name: str) -> dict[str, Any]:
        return {"name": name, "datasetGroupArn": self.made("dataset_group", name=name)}

    def _filter(self, name: str) -> dict[str, Any]:
        expression = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Watch")'
        return {"name": name, "datasetGroupArn": self.group, "filterExpression": expression}

    def _metric_attribution(self, name: str) -> dict[str, Any]:
        group = self.made("dataset_group", name=name)
        metric = {"eventType": "Watch", "metricName": "watched", "expression": "SAMPLECOUNT()"}
        return {
            "name": name,
            "datasetGroupArn": group,
            "metrics": [metric],
            "metricsOutputConfig": {"roleArn": self.role},
        }

    def _solution(self, name: str) -> dict[str, Any]:
        return {"name": name, "datasetGroupArn": self.group, "recipeArn": f"{_RECIPES}/aws-sims"}

    def _solution_version(self, name: str) -> dict[str, Any]:
        return {"name": name, "solutionArn": self.solution}

    def _campaign(self, name: str) -> dict[str, Any]:
        return {"name": name, "solutionVersionArn": self.version, "minProvisionedTPS": 1}

    def _recommender(self, name: str) -> dict[str, Any]:
        recipe = f"{_RECIPES}/aws-vod-most-popular"
        return {"name": name, "datasetGroupArn": self.domain_group, "recipeArn": recipe}

    def _dataset_import_job(self, name: str) -> dict[str, Any]:
        return self._import(self.dataset, name)

    def _dataset_export_job(self, name: str) -> dict[str, Any]:
        output = {"s3DataDestination": {"path": f"s3://{self.bucket}/results/{name}/"}}
        job = {"jobName": name, "datasetArn": self.dataset, "ingestionMode": "BULK"}
        return {**job, "roleArn": self.role, "jobOutput": output}

    def _data_deletion_job(self, name: str) -> dict[str, Any]:
        source = {"dataLocation": f"s3://{self.bucket}/uploads/zoo/forget.csv"}
        return {"jobName": name, "datasetGroupArn": self.group, "dataSource": source, "roleArn": self.role}

    def _batch_inference_job(self, name: str) -> dict[str, Any]:
        return self._batch(name, self.version, "items")

    def _batch_segment_job(self, name: str) -> dict[str, Any]:
        return self._batch(name, self.segments, "items")

    def _batch(self, name: str, version: str, lines: str) -> dict[str, Any]:
        return {
            "jobName": name,
            "solutionVersionArn": version,
            "roleArn": self.role,
            "jobInput": {"s3DataSource": {"path": f"s3://{self.bucket}/uploads/zoo/{lines}.json"}},
            "jobOutput": {"s3DataDestination": {"path": f"s3://{self.bucket}/results/{name}/"}},
        }


def interactions() -> str:
    """Return enough for every recipe: histories of thirty users, every event a view."""
    lines = [
        f"user{user},item{(user * 7 + step * step) % _ITEMS},{1_700_000_000 + 3600 * step + user},Watch"
        for user in range(_USERS)
        for step in range(40)
    ]
    return "\n".join([",".join(_COLUMNS), *lines, ""])
