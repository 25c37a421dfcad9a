"""Programs hear of every change on the stage's bus, and find what they call in Parameter Store."""

import json
from collections import Counter
from typing import Any, Final

import pytest

from docs.event_pages import EVENTS, sample_of
from examples.recommendation_client import RecommendationClient
from lambdas.notices.stage_events import StageEvent
from personalize_local.cloud import Cloud, Run
from tests.e2e.resource_zoo import interactions
from tests.e2e.test_paid_once import REQUEST

GROUP: Final = "heard"
BUS: Final = "personalize-dev-events"
PATH: Final = f"/personalize/personalize-dev/{GROUP}"
MODELS: Final = {model.detail_type(): model for model in StageEvent.__subclasses__()}
Events = list[dict[str, Any]]


@pytest.fixture(scope="module")
def queue(cloud: Cloud) -> str:
    """Return a queue that gets every event of the stage's bus."""
    url = cloud.client("sqs").create_queue(QueueName="heard")["QueueUrl"]
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    events = cloud.client("events")
    events.put_rule(Name="heard", EventBusName=BUS, EventPattern=json.dumps({"source": ["personalize-control-plane"]}))
    events.put_targets(Rule="heard", EventBusName=BUS, Targets=[{"Id": "queue", "Arn": attributes["QueueArn"]}])
    return str(url)


def heard(cloud: Cloud, queue: str) -> Events:
    """Return the events since the last time, each held against the model of its detail type."""
    cloud.quiesce()
    found: Events = []
    while messages := cloud.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            cloud.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            found.append(json.loads(message["Body"]))
    for event in found:
        MODELS[event["detail-type"]].model_validate(event["detail"])
    return found


def details(events: Events, detail_type: str) -> list[dict[str, Any]]:
    return [event["detail"] for event in events if event["detail-type"] == detail_type]


def parameters(cloud: Cloud) -> dict[str, str]:
    pages = cloud.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=PATH, Recursive=True)
    return {one["Name"].removeprefix(f"{PATH}/"): one["Value"] for page in pages for one in page["Parameters"]}


def pipeline(cloud: Cloud) -> Run:
    run = cloud.run("pipeline", {"datasetGroup": GROUP})
    assert run.status == "SUCCEEDED", run.cause
    return run


@pytest.fixture(scope="module")
def first(cloud: Cloud, queue: str) -> Events:
    """Build a group, and return what was heard of it."""
    request = json.loads(json.dumps(REQUEST).replace("paid", GROUP))
    request["eventTracker"] = {"name": GROUP}
    request["solutions"][0].pop("batchInferenceJobs")
    request["solutions"][0]["recipeArn"] = "aws-user-personalization"
    key = f"uploads/{GROUP}/interactions/all.csv"
    s3, bucket = cloud.client("s3"), cloud.deployment.bucket
    s3.put_object(Bucket=bucket, Key=key, Body=interactions().encode())
    cloud.quiesce()
    s3.put_object(Bucket=bucket, Key=f"requests/{GROUP}.json", Body=json.dumps(request).encode())
    return heard(cloud, queue)


def test_each_stage_is_heard_to_begin_and_to_end(first: Events) -> None:
    runs = details(first, "Run Status Change")
    stages = ("pipeline", "import_data", "train_solution", "update_campaign")
    for machine in stages:
        assert {run["status"] for run in runs if run["machine"] == machine} == {"RUNNING", "SUCCEEDED"}
    assert {run["datasetGroup"] for run in runs} == {GROUP}
    known = {run["executionArn"] for run in runs}
    assert {run["startedBy"] for run in runs if run["machine"] in stages[1:]} <= known


def test_each_resource_is_heard_once_with_its_group(first: Events) -> None:
    made = [one for one in details(first, "Resource Change") if one["change"] == "CREATED"]
    assert {one["datasetGroup"] for one in made} == {GROUP}
    types = (
        "dataset_group",
        "schema",
        "dataset",
        "solution",
        "solution_version",
        "campaign",
        "event_tracker",
        "filter",
    )
    counted = Counter(one["resourceType"] for one in made)
    assert {noun: counted[noun] for noun in types} == dict.fromkeys(types, 1)
    assert all(one["arn"] and one["status"] for one in made)


def test_applications_find_what_they_call(cloud: Cloud, first: Events) -> None:
    personalize = cloud.client("personalize")
    (tracker,) = personalize.list_event_trackers()["eventTrackers"]
    described = personalize.describe_event_tracker(eventTrackerArn=tracker["eventTrackerArn"])["eventTracker"]
    expected = {
        f"campaign/{GROUP}": personalize.list_campaigns()["campaigns"][0]["campaignArn"],
        f"filter/{GROUP}-seen": personalize.list_filters()["Filters"][0]["filterArn"],
        f"event-tracker/{GROUP}": tracker["eventTrackerArn"],
        f"tracking-id/{GROUP}": described["trackingId"],
    }
    assert parameters(cloud) == expected
    changes = details(first, "Application Parameter Change")
    assert {one["parameter"].removeprefix(f"{PATH}/"): one["value"] for one in changes} == expected
    assert {one["previous"] for one in changes} == {None}


def test_a_run_that_changes_nothing_is_heard_as_a_run_only(cloud: Cloud, queue: str, first: Events) -> None:
    assert first
    pipeline(cloud)
    assert {event["detail-type"] for event in heard(cloud, queue)} == {"Run Status Change"}


def test_a_parameter_that_somebody_removed_comes_back_with_the_next_run(cloud: Cloud, queue: str) -> None:
    """Goes on where the test above ended."""
    before = parameters(cloud)
    cloud.client("ssm").delete_parameter(Name=f"{PATH}/campaign/{GROUP}")
    pipeline(cloud)
    (change,) = details(heard(cloud, queue), "Application Parameter Change")
    assert change["value"] == before[f"campaign/{GROUP}"]
    assert parameters(cloud) == before


def test_a_failure_is_heard_with_the_services_reason(cloud: Cloud, queue: str, first: Events) -> None:
    assert first
    cloud.personalize.faults.fail("filter", "The projector has no lamp.")
    expression = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Watch", "Buy")'
    (group,) = cloud.client("personalize").list_dataset_groups()["datasetGroups"]
    request = {"name": "dev-broken", "datasetGroupArn": group["datasetGroupArn"], "filterExpression": expression}
    cloud.run("ensure_resource", {"type": "filter", "request": request})
    cloud.personalize.faults.clear()
    (change,) = details(heard(cloud, queue), "Resource Change")
    assert (change["change"], change["reason"]) == ("FAILED", "The projector has no lamp.")
    assert (change["datasetGroup"], change["name"], change["startedBy"]) == (GROUP, "dev-broken", None)


def test_the_samples_can_be_replayed(cloud: Cloud, queue: str, first: Events) -> None:
    assert first
    heard(cloud, queue)
    samples = [sample_of(model) for model in EVENTS]
    cloud.client("events").put_events(Entries=samples)
    replayed = {event["detail-type"]: event["detail"] for event in heard(cloud, queue)}
    assert replayed == {sample["DetailType"]: json.loads(sample["Detail"]) for sample in samples}


def test_the_example_of_a_client_recommends_and_hears_of_changes(cloud: Cloud, first: Events) -> None:
    assert first
    client = RecommendationClient("personalize-dev", GROUP, client=cloud.client)
    every, unseen = client.recommend(GROUP, "user1"), client.recommend(GROUP, "user1", filter_name=f"{GROUP}-seen")
    assert unseen
    assert set(every) - set(unseen)
    cloud.client("ssm").put_parameter(Name=f"{PATH}/filter/by-hand", Value="any", Type="String")
    with pytest.raises(KeyError):  # it is not asked for again
        client.find("filter", "by-hand")
    client.forget()
    assert client.find("filter", "by-hand") == "any"
    cloud.client("ssm").delete_parameter(Name=f"{PATH}/filter/by-hand")


def test_what_a_teardown_removes_is_heard_and_no_parameter_stays(cloud: Cloud, queue: str, first: Events) -> None:
    assert first
    before = parameters(cloud)
    heard(cloud, queue)
    run = cloud.run("teardown", {"datasetGroup": GROUP, "dryRun": False})
    assert run.status == "SUCCEEDED", run.cause
    events = heard(cloud, queue)
    gone = [one for one in details(events, "Resource Change") if one["change"] == "DELETED"]
    assert {one["datasetGroup"] for one in gone} == {GROUP}
    assert {"campaign", "solution", "event_tracker", "filter", "dataset", "dataset_group"} <= {
        one["resourceType"] for one in gone
    }
    assert parameters(cloud) == {}
    removed = details(events, "Application Parameter Change")
    assert {one["previous"]: one["value"] for one in removed} == dict.fromkeys(before.values())
