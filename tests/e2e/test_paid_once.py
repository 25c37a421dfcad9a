"""A training is paid for once: no edit that needs none trains, and a run that failed behind it goes on from it."""

import copy
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto.awslambda.models import lambda_backends
from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT

from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud, Run
from tests.e2e.resource_zoo import counted_creates, interactions

Request = dict[str, Any]

REQUEST: Request = {
    "datasetGroup": {"name": "paid"},
    "datasets": {
        "interactions": {
            "columns": {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long", "EVENT_TYPE": "string"}
        }
    },
    "filters": [
        {
            "name": "paid-seen",
            "filterExpression": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Watch")',
            "replace": True,
        }
    ],
    "solutions": [
        {
            "name": "paid",
            "recipeArn": "aws-sims",
            "gates": [{"metric": "coverage", "minimum": 0.0}],
            "campaigns": [{"name": "paid", "minProvisionedTPS": 1}],
            "batchInferenceJobs": [{"template": "similar"}],
        }
    ],
}
TAGS = [{"tagKey": "team", "tagValue": "films"}]


def solution(**parts: Any) -> Callable[[Request], None]:
    return lambda request: request["solutions"][0].update(parts)


def campaign(**parts: Any) -> Callable[[Request], None]:
    return lambda request: request["solutions"][0]["campaigns"][0].update(parts)


def top(**parts: Any) -> Callable[[Request], None]:
    return lambda request: request.update(parts)


def turned_round(request: Request) -> None:
    items = list(request.items())
    request.clear()
    request.update(reversed(items))


EDITS: dict[str, Callable[[Request], None]] = {
    "throughput": campaign(minProvisionedTPS=2),
    "a campaign more": solution(campaigns=[{"name": "paid"}, {"name": "paid-2", "minProvisionedTPS": 1}]),
    "no campaign": solution(campaigns=[]),
    "a campaign's tags": campaign(tags=TAGS),
    "a solution's tags": solution(tags=TAGS),
    "the group's tags": top(datasetGroup={"name": "paid", "tags": TAGS}),
    "a filter more": lambda request: request["filters"].append({**request["filters"][0], "name": "paid-seen-2"}),
    "no filter": top(filters=[]),
    "another filter": lambda request: request["filters"][0].update(
        filterExpression='INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Watch")'
    ),
    "an event tracker": top(eventTracker={"name": "paid-events"}),
    "a looser gate": solution(gates=[{"metric": "coverage", "minimum": -1.0}]),
    "a stricter gate": solution(gates=[{"metric": "coverage", "minimum": 2.0}]),
    "no gates": solution(gates=[]),
    "a retrain policy": top(retrain={"rowsSince": 10**9}),
    "an upload policy": top(uploads={"badRows": "DROP"}),
    "what missing data means": top(onMissingData="FAIL"),
    "more results of a batch job": solution(batchInferenceJobs=[{"template": "similar", "numResults": 5}]),
    "a batch job without input": solution(batchInferenceJobs=[{"template": "similar"}, {"template": "later"}]),
    "no batch job": solution(batchInferenceJobs=[]),
    "a training mode that the recipe lacks": solution(trainingMode="UPDATE", fullEveryDays=7),
    "training never": top(train="NEVER"),
    "another order of keys": turned_round,
}


@pytest.fixture(scope="module")
def trained(cloud: Cloud) -> Run:
    """Return the group's first run, which trains."""

    def put(key: str, body: str) -> None:
        cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=f"uploads/paid/{key}", Body=body.encode())

    put("interactions/all.csv", interactions())
    put("batch/similar/items.json", '{"itemId": "item1"}\n')
    cloud.quiesce()
    run = pipeline(cloud, REQUEST)
    assert run.status == "SUCCEEDED", run.cause
    assert run.output["solutions"][0]["trained"]["training"]["action"] == "TRAIN"
    return run


@pytest.fixture
def creates(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    return counted_creates(monkeypatch)


@pytest.fixture(autouse=True)
def no_faults(cloud: Cloud) -> Iterator[None]:
    yield
    cloud.personalize.faults.clear()


def pipeline(cloud: Cloud, request: Request) -> Run:
    return cloud.run("pipeline", request, timeout_seconds=120)


def test_twenty_kinds_of_edits_are_tried() -> None:
    assert len(EDITS) >= 20


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_that_needs_no_training_trains_nothing(
    cloud: Cloud, trained: Run, creates: Counter[str], edit: str
) -> None:
    version = trained.output["solutions"][0]["trained"]["solutionVersionArn"]
    request = copy.deepcopy(REQUEST)
    EDITS[edit](request)
    assert request != REQUEST or list(request) != list(REQUEST)
    run = pipeline(cloud, request)
    assert run.status == "SUCCEEDED", run.cause
    assert creates["CreateSolutionVersion"] == 0
    assert run.output["solutions"][0]["trained"]["trainedSolutionVersionArn"] == version
    assert next(iter(run.output)) == "summary"
    assert len(run.output["summary"].encode()) < 500


@contextmanager
def missing(cloud: Cloud, verb: str) -> Iterator[None]:
    """Take a handler's code away for a while, from all its versions: no API changes one that is published."""
    found = cloud.client("lambda").list_functions()["Functions"]
    (name,) = (one["FunctionName"] for one in found if one["Handler"] == f"lambdas.{verb}.handler")
    versions = lambda_backends[ACCOUNT]["us-east-1"].list_versions_by_function(name)
    for version in versions:
        version.handler = "lambdas.nowhere.handler"
    yield
    for version in versions:
        version.handler = f"lambdas.{verb}.handler"


@contextmanager
def failing(cloud: Cloud, noun: str) -> Iterator[None]:
    cloud.personalize.faults.fail(noun, "The popcorn machine is on fire.")
    yield


BEHIND_TRAINING: dict[str, Callable[[Cloud], Any]] = {
    "judge solution version": lambda cloud: missing(cloud, "judge_solution"),
    "update campaign": lambda cloud: failing(cloud, "campaign"),
    "record serving": lambda cloud: missing(cloud, "record_serving"),
    "run batch inference": lambda cloud: failing(cloud, "batch_inference_job"),
    "summarise run": lambda cloud: missing(cloud, "summarise_run"),
}


@pytest.mark.parametrize("state", BEHIND_TRAINING)
def test_a_run_that_failed_behind_the_training_goes_on_from_it(
    cloud: Cloud, trained: Run, creates: Counter[str], state: str
) -> None:
    assert trained
    with BEHIND_TRAINING[state](cloud):
        failed = pipeline(cloud, {**REQUEST, "train": "ALWAYS"})
    assert failed.status == "FAILED"
    assert creates["CreateSolutionVersion"] == 1
    again = pipeline(cloud, REQUEST)
    assert again.status == "SUCCEEDED", again.cause
    assert creates["CreateSolutionVersion"] == 1, "the second run paid for a training that was there"
    result = again.output["solutions"][0]
    serving = cloud.client("personalize").describe_campaign(campaignArn=result["deployed"]["campaigns"][0]["arn"])
    assert serving["campaign"]["solutionVersionArn"] == result["trained"]["trainedSolutionVersionArn"]


def test_what_is_imported_after_all_is_trained_on(cloud: Cloud, trained: Run, creates: Counter[str]) -> None:
    assert trained
    body = interactions().replace("user", "member")
    key = "uploads/paid/interactions/more.csv"
    cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body=body.encode())
    cloud.quiesce()
    run = pipeline(cloud, REQUEST)
    assert run.status == "SUCCEEDED", run.cause
    assert creates["CreateSolutionVersion"] == 1
    assert "imported since" in json.dumps(run.output["solutions"][0]["trained"]["training"]["reasons"])


def test_enough_streamed_events_make_a_training_due(cloud: Cloud, trained: Run, creates: Counter[str]) -> None:
    """PutEvents requests are counted as CloudWatch counts them."""
    assert trained
    request = {**REQUEST, "eventTracker": {"name": "paid-events"}, "trainAfterPutEvents": 3}
    first = pipeline(cloud, request)
    assert first.status == "SUCCEEDED", first.cause
    trackers = cloud.client("personalize").list_event_trackers()["eventTrackers"]
    (arn,) = (one["eventTrackerArn"] for one in trackers if one["name"] == "dev-paid-events")
    tracking = cloud.client("personalize").describe_event_tracker(eventTrackerArn=arn)["eventTracker"]["trackingId"]
    creates.clear()
    for requests in (2, 1):
        for number in range(requests):
            event = {"eventType": "Watch", "itemId": f"item{number}", "sentAt": CLOCK.now()}
            cloud.client("personalize-events").put_events(
                trackingId=tracking, userId="user1", sessionId="session", eventList=[event]
            )
        run = pipeline(cloud, request)
        assert run.status == "SUCCEEDED", run.cause
        assert creates["CreateSolutionVersion"] == (0 if requests == 2 else 1)
    assert "3 PutEvents requests since" in json.dumps(run.output["solutions"][0]["trained"]["training"]["reasons"])
