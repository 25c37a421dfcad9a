"""A gate keeps a version back, says so, and gives way to a person; a rollback goes back, once."""

import copy
import json
from typing import Any

import pytest

from personalize_local.cloud import Cloud, Run
from tests.e2e.resource_zoo import interactions
from tests.e2e.test_paid_once import REQUEST

GROUP = "gated"
BUS = "personalize-dev-events"


@pytest.fixture(scope="module")
def gated(cloud: Cloud) -> dict[str, Any]:
    """Upload the group's data, and return its request without a gate."""
    for key, body in (("interactions/all.csv", interactions()), ("batch/similar/items.json", '{"itemId": "item1"}\n')):
        cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=f"uploads/{GROUP}/{key}", Body=body.encode())
    cloud.quiesce()
    request = json.loads(json.dumps(REQUEST).replace("paid", GROUP))
    request["solutions"][0]["gates"] = []
    cloud.client("s3").put_object(
        Bucket=cloud.deployment.bucket, Key=f"requests/{GROUP}.json", Body=json.dumps(request).encode()
    )
    cloud.quiesce()
    return dict(request)


@pytest.fixture(scope="module")
def queue(cloud: Cloud) -> str:
    """Return a queue that gets what is told of versions on the stage's bus."""
    url = cloud.client("sqs").create_queue(QueueName="told")["QueueUrl"]
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    events = cloud.client("events")
    events.put_rule(
        Name="told", EventBusName=BUS, EventPattern=json.dumps({"detail-type": ["Solution Version Kept Back"]})
    )
    events.put_targets(Rule="told", EventBusName=BUS, Targets=[{"Id": "queue", "Arn": attributes["QueueArn"]}])
    return str(url)


def told(cloud: Cloud, queue: str) -> list[dict[str, Any]]:
    cloud.quiesce()
    messages = cloud.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in messages]


def serving(cloud: Cloud) -> str:
    (campaign,) = (
        one for one in cloud.client("personalize").list_campaigns()["campaigns"] if one["name"] == f"dev-{GROUP}"
    )
    described = cloud.client("personalize").describe_campaign(campaignArn=campaign["campaignArn"])["campaign"]
    return str(described["solutionVersionArn"])


def succeeded(run: Run) -> dict[str, Any]:
    assert run.status == "SUCCEEDED", run.cause
    output: dict[str, Any] = run.output
    return output


def versions(cloud: Cloud) -> list[str]:
    """Return the solution's versions, the oldest first."""
    (solution,) = (
        one for one in cloud.client("personalize").list_solutions()["solutions"] if one["name"] == f"dev-{GROUP}"
    )
    found = cloud.client("personalize").list_solution_versions(solutionArn=solution["solutionArn"])["solutionVersions"]
    return [one["solutionVersionArn"] for one in sorted(found, key=lambda one: one["creationDateTime"])]


def test_a_version_that_misses_a_gate_is_kept_back_and_told(cloud: Cloud, gated: dict[str, Any], queue: str) -> None:
    first = serving(cloud)
    strict = copy.deepcopy(gated)
    strict["solutions"][0]["gates"] = [{"metric": "coverage", "minimum": 2.0}]
    kept = succeeded(cloud.run("pipeline", {**strict, "train": "ALWAYS"}))
    trained = kept["solutions"][0]["trained"]
    assert (trained["decision"], trained["solutionVersionArn"]) == ("KEEP", first)
    assert "KEEP: coverage is" in kept["summary"]
    (event,) = told(cloud, queue)
    assert event["detail-type"] == "Solution Version Kept Back"
    assert event["detail"]["trainedSolutionVersionArn"] == trained["trainedSolutionVersionArn"]
    assert serving(cloud) == first
    executions = cloud.client("stepfunctions").list_executions(
        stateMachineArn=cloud.deployment.state_machines["update_campaign"]
    )["executions"]
    assert any(execution["name"].startswith("KEEP-") for execution in executions)


def test_nobody_deploys_it_by_hand_without_saying_who_and_why(cloud: Cloud, gated: dict[str, Any]) -> None:
    """Goes on where the test above ended."""
    assert gated
    _, second = versions(cloud)
    by_hand = cloud.run("update_campaign", {"datasetGroup": GROUP, "solutionVersionArn": second})
    assert (by_hand.status, by_hand.error) == ("FAILED", "InvalidRequestError")
    assert "was kept back: coverage is" in (by_hand.cause or "")
    name = cloud.client("personalize").describe_solution_version(solutionVersionArn=second)["solutionVersion"]["name"]
    order = {"solutionVersion": name, "by": "Ann", "why": "the gate was wrong"}
    approved = succeeded(cloud.run("update_campaign", {"datasetGroup": GROUP, "approve": order}))
    assert f"{name} was approved by Ann: the gate was wrong" in approved["summary"]
    assert serving(cloud) == second


def test_a_rollback_is_done_once_and_holds_until_it_is_released(cloud: Cloud, gated: dict[str, Any]) -> None:
    """Goes on where the test above ended."""
    first, _ = versions(cloud)
    for _ in range(2):
        back = succeeded(cloud.run("update_campaign", {"datasetGroup": GROUP, "rollback": True}))
        assert serving(cloud) == first
    assert "serves since the rollback" in back["summary"]
    pinned = succeeded(cloud.run("pipeline", {**gated, "train": "ALWAYS"}))
    assert "is pinned" in pinned["summary"]
    assert serving(cloud) == first
    succeeded(cloud.run("update_campaign", {"datasetGroup": GROUP, "unpin": True}))
    free = succeeded(cloud.run("pipeline", gated))
    assert free["solutions"][0]["trained"]["decision"] == "DEPLOY"
    assert serving(cloud) == pinned["solutions"][0]["trained"]["trainedSolutionVersionArn"]
