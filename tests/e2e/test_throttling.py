"""A fifth of all calls comes too fast, for every service at once: the example ends green all the same."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from examples import movies
from personalize_local.cloud import Cloud

SHARE = 0.2
REQUEST = json.loads(Path(movies.__file__).with_name("movies.json").read_bytes())


@pytest.fixture
def throttled(cloud: Cloud) -> Iterator[Cloud]:
    cloud.personalize.faults.throttle(SHARE, ["personalize", "dynamodb", "s3", "states"])
    yield cloud
    cloud.personalize.faults.clear()


@pytest.fixture
def files(tmp_path: Path) -> Mapping[str, bytes]:
    """Return the example's files and request, of a dataset group of their own."""
    written = {key: path.read_bytes() for key, path in movies.write(tmp_path).items() if not key.startswith("later/")}
    document = json.dumps(REQUEST).replace("movies", "crowded").encode()
    return {key.replace("movies", "crowded"): body for key, body in written.items()} | {
        "requests/crowded.json": document
    }


def test_the_example_ends_green_while_a_fifth_of_all_calls_is_refused(
    throttled: Cloud, files: Mapping[str, bytes]
) -> None:
    for key, body in files.items():
        throttled.client("s3").put_object(Bucket=throttled.deployment.bucket, Key=key, Body=body)
    throttled.quiesce(180)
    throttled.personalize.faults.clear()
    states = throttled.client("stepfunctions")
    arn = throttled.deployment.state_machines["pipeline"]
    mine = [one for one in states.list_executions(stateMachineArn=arn)["executions"] if "crowded" in one["name"]]
    (described,) = [states.describe_execution(executionArn=one["executionArn"]) for one in mine]
    assert described["status"] == "SUCCEEDED", described.get("cause")
    output = json.loads(described["output"])
    rows = {dataset["name"]: dataset["uploads"]["rows"] for dataset in output["data"]["datasets"]}
    assert rows == {"interactions": movies.INTERACTIONS, "items": movies.ITEMS, "users": movies.USERS}
    assert output["solutions"][0]["deployed"]["campaigns"]
