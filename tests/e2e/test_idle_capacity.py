"""A campaign that nobody asks is lowered once, by the machine that changes resources, and told on the bus."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud
from tests.e2e.resource_zoo import INTERACTIONS, interactions

GROUP = "drowsy"
REQUEST: dict[str, Any] = {
    "datasetGroup": GROUP,
    "datasets": {"interactions": {"schema": json.loads(INTERACTIONS)}},
    "solutions": [
        {"name": "drowsy", "recipeArn": "aws-sims", "campaigns": [{"name": "drowsy", "minProvisionedTPS": 3}]}
    ],
    "idle": {"hours": 24, "then": "LOWER"},
    "freshnessHours": 48,
}


def review(cloud: Cloud, hours_later: float) -> dict[str, Any]:
    """Have the capacity reviewed as if so much time had passed."""
    functions = cloud.client("lambda")
    names = {one["Handler"]: one["FunctionName"] for one in functions.list_functions()["Functions"]}
    later = datetime.fromtimestamp(CLOCK.time(), UTC) + timedelta(hours=hours_later)
    answer = functions.invoke(
        FunctionName=names["lambdas.review_capacity.handler"], Payload=json.dumps({"time": later.isoformat()})
    )
    told: dict[str, Any] = json.load(answer["Payload"])
    cloud.quiesce()
    return told


def tps(cloud: Cloud) -> int:
    client = cloud.client("personalize")
    (arn,) = (one["campaignArn"] for one in client.list_campaigns()["campaigns"] if one["name"] == "dev-drowsy")
    return int(client.describe_campaign(campaignArn=arn)["campaign"]["minProvisionedTPS"])


def emitted(cloud: Cloud, module: str, metric: str) -> list[float]:
    """Return the values of a metric in the order in which a handler logged them, as CloudWatch reads them off."""
    logs, group = cloud.client("logs"), f"/aws/lambda/personalize-dev-{module.replace('_', '-')}"
    lines = [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
    found = [json.loads(line) for line in lines if line.startswith('{"_aws"')]
    found.sort(key=lambda one: one["_aws"]["Timestamp"])
    return [value for one in found for value in one.get(metric, ())]


def test_what_nobody_asks_is_lowered_once(cloud: Cloud) -> None:
    s3, bucket = cloud.client("s3"), cloud.deployment.bucket
    s3.put_object(Bucket=bucket, Key=f"uploads/{GROUP}/interactions/monday.csv", Body=interactions().encode())
    cloud.quiesce()
    s3.put_object(Bucket=bucket, Key=f"requests/{GROUP}.json", Body=json.dumps(REQUEST).encode())
    cloud.quiesce()
    assert tps(cloud) == 3
    assert review(cloud, 1)["idle"] == {}
    found = review(cloud, 30)["idle"]
    assert found == {
        GROUP: [{"type": "campaign", "name": "dev-drowsy", "hours": 24, "monthly": 438.35, "done": "lower"}]
    }
    assert tps(cloud) == 1

    # A run brings it back to what the request says; nobody asked it since, so it is left alone.
    run = cloud.run("pipeline", {"datasetGroup": GROUP})
    assert run.status == "SUCCEEDED", run.cause
    assert tps(cloud) == 3
    late = review(cloud, 60)
    assert late["idle"] == {}
    assert tps(cloud) == 3

    # Its model is older than the request wants by now; the alarms on both read these metrics.
    assert late["overdue"] == {GROUP: ["dev-drowsy"]}
    assert emitted(cloud, "review_capacity", "OverdueModels") == [0, 0, 1]
    assert emitted(cloud, "review_capacity", "IdleCapacity") == [0, 1, 0]
    assert emitted(cloud, "review_capacity", "OldestModelHours")[-1] >= 60
    assert sum(emitted(cloud, "publish_change", "TrainingHours")) > 0
