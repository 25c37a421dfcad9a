"""The first state of a run says what the run will do, for whoever looks at it in the console."""

import json
from typing import Any

from personalize_local.cloud import Cloud, Run
from tests.e2e.resource_zoo import INTERACTIONS, interactions

GROUP = "foreseen"
REQUEST: dict[str, Any] = {
    "datasetGroup": GROUP,
    "datasets": {"interactions": {"schema": json.loads(INTERACTIONS)}},
    "solutions": [
        {"name": "foreseen", "recipeArn": "aws-sims", "campaigns": [{"name": "foreseen", "minProvisionedTPS": 2}]}
    ],
}


def preview(cloud: Cloud, run: Run) -> dict[str, Any]:
    history = cloud.client("stepfunctions").get_execution_history(executionArn=run.arn, maxResults=1000)["events"]
    exited = (event.get("stateExitedEventDetails", {}) for event in history)
    (output,) = (json.loads(one["output"]) for one in exited if one.get("name") == "Plan")
    told: dict[str, Any] = output["plan"]["preview"]
    return told


def test_a_run_tells_its_changes_hours_and_money_first_and_nothing_when_nothing_is_new(cloud: Cloud) -> None:
    key = f"uploads/{GROUP}/interactions/monday.csv"
    cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body=interactions().encode())
    cloud.quiesce()
    first = cloud.run("pipeline", REQUEST)
    assert first.status == "SUCCEEDED", first.cause
    told = preview(cloud, first)
    assert [(one["verb"], one["type"]) for one in told["changes"]] == [
        ("create", "dataset_group"),
        ("create", "schema"),
        ("create", "dataset"),
        ("import", "dataset_import_job"),
        ("create", "solution"),
        ("train", "solution_version"),
        ("create", "campaign"),
    ]
    assert (told["total"]["hours"] > 0, told["total"]["once"] > 0, told["total"]["monthly"]) == (True, True, 292.23)
    assert (told["prices"]["region"], told["note"]) == ("us-east-1", "")

    second = cloud.run("pipeline", REQUEST)
    again = preview(cloud, second)
    assert (again["changes"], again["total"]["monthly"]) == ([], 0)
    assert again["left"] > 0
