"""The mirror of the wait loop, run on the local cloud against the emulated service."""

import json
from typing import Any

from personalize_local.cloud import Cloud, Run

LOOK = ["Find", "Decide"]


def run(cloud: Cloud, machine: str, noun: str, **request: Any) -> Run:
    return cloud.run(machine, {"type": noun, "request": request})


def test_deletes_and_waits_until_it_is_gone(cloud: Cloud) -> None:
    run(cloud, "ensure_resource", "dataset_group", name="dev-movies")
    removed = run(cloud, "remove_resource", "dataset_group", name="dev-movies")
    assert removed.status == "SUCCEEDED"
    assert list(removed.states[:4]) == [*LOOK, "Delete", "Wait"]
    assert removed.states[-1] == "Gone"
    assert cloud.client("personalize").list_dataset_groups()["datasetGroups"] == []


def test_what_is_not_there_is_gone_already(cloud: Cloud) -> None:
    assert list(run(cloud, "remove_resource", "campaign", name="dev-never").states) == [*LOOK, "Gone"]


def made(cloud: Cloud, noun: str, **request: Any) -> str:
    made = run(cloud, "ensure_resource", noun, **request)
    assert made.status == "SUCCEEDED", made.cause
    return str(made.output["arn"])


SCHEMA = {
    "type": "record",
    "name": "Interactions",
    "namespace": "com.amazonaws.personalize.schema",
    "fields": [{"name": name, "type": "string"} for name in ("USER_ID", "ITEM_ID", "EVENT_TYPE")]
    + [{"name": "TIMESTAMP", "type": "long"}],
    "version": "1.0",
}


def test_every_kind_that_can_go_goes_by_its_name(cloud: Cloud) -> None:
    """In the order that the service demands; nothing is named by an ARN."""
    group = made(cloud, "dataset_group", name="dev-by-name")
    schema = made(cloud, "schema", name="dev-by-name", schema=json.dumps(SCHEMA))
    made(cloud, "dataset", name="dev-by-name", datasetGroupArn=group, schemaArn=schema, datasetType="INTERACTIONS")
    made(cloud, "event_tracker", name="dev-by-name", datasetGroupArn=group)
    expression = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")'
    made(cloud, "filter", name="dev-by-name", datasetGroupArn=group, filterExpression=expression)
    recipe = "arn:aws:personalize:::recipe/aws-sims"
    made(cloud, "solution", name="dev-by-name", datasetGroupArn=group, recipeArn=recipe)
    order = ["solution", "filter", "event_tracker", "dataset", "schema", "dataset_group"]
    for noun in order:
        removed = run(cloud, "remove_resource", noun, name="dev-by-name")
        assert (noun, removed.status, removed.states[-1]) == (noun, "SUCCEEDED", "Gone"), removed.cause
        assert "Delete" in removed.states, f"{noun} was not found by its name"


def test_a_group_with_children_says_at_once_which(cloud: Cloud) -> None:
    group = made(cloud, "dataset_group", name="dev-family")
    made(cloud, "event_tracker", name="dev-family-events", datasetGroupArn=group)
    kept = run(cloud, "remove_resource", "dataset_group", name="dev-family")
    assert (kept.status, kept.error) == ("FAILED", "StillInUseError")
    assert "event_tracker dev-family-events (ACTIVE)" in (kept.cause or "")
    assert kept.states.count("Delete") == 1
    assert run(cloud, "remove_resource", "event_tracker", name="dev-family-events").status == "SUCCEEDED"
    assert run(cloud, "remove_resource", "dataset_group", name="dev-family").status == "SUCCEEDED"


def test_what_is_meant_has_to_be_said(cloud: Cloud) -> None:
    unsaid = run(cloud, "remove_resource", "event_tracker")
    assert (unsaid.status, unsaid.error) == ("FAILED", "UnidentifiedResourceError")
    assert "eventTrackerArn" in (unsaid.cause or "")
