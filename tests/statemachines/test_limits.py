"""Functions and machines within AWS's limits."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from personalize_local.cloud import Cloud
from tests.statemachines.uploads_group import SCHEMA, Group, csv

_numbers = itertools.count()


@pytest.fixture
def group(cloud: Cloud) -> Group:
    return Group(cloud, f"limits-{next(_numbers)}")


@contextmanager
def configured(cloud: Cloud, verb: str, **settings: int) -> Iterator[str]:
    """Give the function of a verb other settings for a while; yield its name."""
    functions = cloud.client("lambda")
    found = functions.list_functions()["Functions"]
    (name,) = (one["FunctionName"] for one in found if one["Handler"] == f"lambdas.{verb}.handler")
    before = functions.get_function_configuration(FunctionName=name)
    functions.update_function_configuration(FunctionName=name, **settings)
    yield name
    functions.update_function_configuration(FunctionName=name, **{key: before[key] for key in settings})


def test_large_files_with_bad_rows_are_staged_in_the_functions_memory(group: Group, cloud: Cloud) -> None:
    """A third of the real case: files of 16 MiB and more, of which each was held in memory at once, in 512 MB."""
    group.create()
    group.ask(uploads={"badRows": "DROP"})
    rows = csv("a" * 200, rows=22_000) + b"bob,item1,yesterday\n"
    assert 4_500_000 < len(rows) < 16 * 2**20 / 3
    with configured(cloud, "stage_uploads", MemorySize=171) as name:
        for number in range(16):
            group.drop(f"{number}.csv", rows)
        cloud.quiesce()
    assert [error.message for error in cloud.lambda_errors if error.function_name == name] == []
    assert set(group.states()) == {f"{number}.csv" for number in range(16)}
    assert {state for states in group.states().values() for state in states} == {"IMPORTED"}


def test_a_batch_input_is_checked_within_the_functions_share_of_cpu(group: Group, cloud: Cloud) -> None:
    """A sixtieth of the function's real time-out, for a sixtieth of the 1 GB that a batch job reads."""
    line = b'{"userId": "user%d", "filterValues": {"genre": "\\"drama\\""}}\n'
    body = b"".join(line % number for number in range(290_000))
    key = f"uploads/{group.name}/batch/ranking/large.json"
    group.ask()
    with configured(cloud, "plan_request", Timeout=15) as name:
        wish = {"datasetGroup": group.name, "template": "ranking", "input": f"s3://{cloud.deployment.bucket}/{key}"}
        event = {"machine": "run_batch_inference", "execution": "by-hand", "run": "by-hand", "input": wish}
        cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body=body)
        answer = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        payload = json.load(answer["Payload"])
        cloud.quiesce()
    assert payload.get("errorType") != "Sandbox.Timedout", payload


def test_a_wide_request_does_not_fail_for_its_size(group: Group, cloud: Cloud) -> None:
    """Without data every training fails; the pipeline must end with those failures, not with its own size."""
    tags = [{"tagKey": f"key-{number}", "tagValue": "x" * 250} for number in range(45)]
    solutions = [
        {"name": f"{group.name}-{number}", "recipeArn": "aws-user-personalization-v2", "tags": tags}
        for number in range(5)
    ]
    columns = {field["name"]: field["type"] for field in json.loads(SCHEMA)["fields"]}
    request: dict[str, Any] = {
        "datasetGroup": group.name,
        "datasets": {"interactions": {"columns": columns}},
        "solutions": solutions,
    }
    assert len(json.dumps(request)) < 100_000
    ended = cloud.run("pipeline", request)
    assert ended.status == "FAILED"
    assert ended.error != "States.DataLimitExceeded", ended.cause
    assert "5 failed" in str(ended.cause)
