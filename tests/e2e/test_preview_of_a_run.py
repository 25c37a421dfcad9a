"""The first state of a run says what the run will do, for whoever looks at it in the console."""

import json
from typing import Any

from personalize_local.cloud import Cloud
from tests.e2e.resource_zoo import INTERACTIONS, interactions

GROUP = "foreseen"
REQUEST: dict[str, Any] = {
    "datasetGroup": GROUP,
    "datasets": {"interactions": {"schema": json.loads(INTERACTIONS)}},
    "solutions": [
        {"name": "foreseen", "recipeArn": "aws-sims", "campaigns": [{"name": "foreseen", "minProvisionedTPS": 2}]}
    ],
    "schedules": [{"name": "weekly", "scheduleExpression": "cron(0 3 ? * SUN *)", "action": "TRAIN"}],
}


def preview(cloud: Cloud, execution_arn: str) -> dict[str, Any]:
    history = cloud.client("stepfunctions").get_execution_history(executionArn=execution_arn, maxResults=1000)["events"]
    exited = (event.get("stateExitedEventDetails", {}) for event in history)
    (output,) = (json.loads(one["output"]) for one in exited if one.get("name") == "Plan")
    told: dict[str, Any] = output["plan"]["preview"]
    return told


def put(cloud: Cloud, key: str, body: str) -> None:
    cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body=body.encode())
    cloud.quiesce()


def test_a_run_tells_its_changes_hours_and_money_first_and_nothing_when_nothing_is_new(cloud: Cloud) -> None:
    put(cloud, f"uploads/{GROUP}/interactions/monday.csv", interactions())
    put(cloud, f"requests/{GROUP}.json", json.dumps(REQUEST))
    pipeline = cloud.deployment.state_machines["pipeline"]
    (first,) = cloud.client("stepfunctions").list_executions(stateMachineArn=pipeline)["executions"]
    assert first["status"] == "SUCCEEDED"
    told = preview(cloud, first["executionArn"])
    assert [(one["verb"], one["type"]) for one in told["changes"]] == [
        ("create", "dataset_group"),
        ("create", "schema"),
        ("create", "dataset"),
        ("import", "dataset_import_job"),
        ("create", "schedule"),
        ("create", "solution"),
        ("train", "solution_version"),
        ("create", "campaign"),
    ]
    assert (told["total"]["hours"] > 0, told["total"]["once"] > 0, told["total"]["monthly"]) == (True, True, 292.23)
    assert (told["prices"]["region"], told["note"]) == ("us-east-1", "")

    second = cloud.run("pipeline", {"datasetGroup": GROUP})
    again = preview(cloud, second.arn)
    assert (again["changes"], again["total"]["monthly"]) == ([], 0)
    assert again["left"] > 0
