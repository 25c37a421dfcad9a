"""Every fault on every type of resource: the right colour, the service's own reason, and a second run that is green.

What the service is asked for is recorded, so that nothing is made twice.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from lambdas.personalize.resources import RESOURCES
from personalize_local.cloud import Cloud, Run
from personalize_local.personalize.controls.quotas import DEFAULTS
from tests.e2e.resource_zoo import ResourceZoo, counted_creates

REASON: Final = "The popcorn machine is on fire."
ALL: Final = tuple(RESOURCES)
WITH_STATUS: Final = tuple(noun for noun, row in RESOURCES.items() if row.has_status)
DELETABLE: Final = tuple(noun for noun, row in RESOURCES.items() if row.deletable)
# UpdateSolution and UpdateDataset end at once; the service has no failure of theirs to tell.
UPDATED: Final[dict[str, Callable[[ResourceZoo], dict[str, Any]]]] = {
    "campaign": lambda zoo: {"solutionVersionArn": zoo.other_version},
    "recommender": lambda _zoo: {"recommenderConfig": {"minRecommendationRequestsPerSecond": 2}},
}
READS_OR_WRITES_S3: Final = (
    "dataset_import_job", "dataset_export_job", "data_deletion_job", "batch_inference_job", "batch_segment_job",
)  # fmt: skip
# Their Describe operations have no failureReason.
WITHOUT_REASON: Final = ("dataset", "event_tracker", "solution")
CASES: Final = {
    "fails later": WITH_STATUS,
    "refused": ALL,
    "already exists": ALL,
    "deleted meanwhile": DELETABLE,
    "slow": WITH_STATUS,
    "quota full": tuple(noun for noun in ALL if noun in DEFAULTS),
    "throttled": ALL,
    "S3 denied": READS_OR_WRITES_S3,
    "update fails": tuple(UPDATED),
}


def every(fault: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("noun", CASES[fault])


@pytest.fixture(scope="module")
def zoo(cloud: Cloud) -> ResourceZoo:
    return ResourceZoo(cloud)


@pytest.fixture(autouse=True)
def no_faults(cloud: Cloud) -> Iterator[None]:
    yield
    cloud.personalize.faults.clear()


@pytest.fixture
def creates(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    return counted_creates(monkeypatch)


def second_run(zoo: ResourceZoo, noun: str, request: dict[str, Any]) -> Run:
    """Start again as the machines do: what is named for ever, a job or version, is named after the new run."""
    row = RESOURCES[noun]
    again = request if row.deletable else {**request, row.name_key: zoo.name(noun)}
    return zoo.ensure(noun, again)


def created(creates: Counter[str], noun: str) -> int:
    return creates[f"Create{RESOURCES[noun].pascal}"]


@every("fails later")
def test_what_fails_later_ends_red_with_the_reason_and_is_made_by_the_next_run(
    zoo: ResourceZoo, noun: str, creates: Counter[str]
) -> None:
    name = zoo.name(noun)
    request = zoo.request(noun, name)
    creates.clear()
    zoo.cloud.personalize.faults.fail(noun, REASON)
    failed = zoo.ensure(noun, request)
    told = noun if noun in WITHOUT_REASON else REASON
    assert (failed.status, failed.error) == ("FAILED", "ResourceFailed")
    assert told in (failed.cause or "")
    again = second_run(zoo, noun, request)
    assert again.status == "SUCCEEDED", again.cause
    assert created(creates, noun) == 2, "one that failed, and one that works"


@every("refused")
def test_what_is_refused_ends_red_in_the_services_words(zoo: ResourceZoo, noun: str, creates: Counter[str]) -> None:
    row, name = RESOURCES[noun], zoo.name(noun)
    request = zoo.request(noun, name)
    creates.clear()
    wrong = {**request, row.name_key: "dev-no name is like this!"}
    refused = zoo.ensure(noun, wrong)
    assert refused.status == "FAILED"
    assert f"Create{row.pascal}" in (refused.cause or "")
    assert created(creates, noun) == 0
    right = zoo.ensure(noun, request)
    assert right.status == "SUCCEEDED", right.cause


@every("already exists")
def test_what_is_there_already_is_only_looked_at(zoo: ResourceZoo, noun: str, creates: Counter[str]) -> None:
    request = zoo.request(noun, zoo.name(noun))
    creates.clear()
    getattr(zoo.cloud.client("personalize"), f"create_{noun}")(**request)
    run = zoo.ensure(noun, request)
    assert run.status == "SUCCEEDED", run.cause
    assert "Create" not in run.states
    assert zoo.ensure(noun, request).status == "SUCCEEDED"
    assert created(creates, noun) == 1


@every("deleted meanwhile")
def test_what_is_deleted_meanwhile_is_made_anew(zoo: ResourceZoo, noun: str, creates: Counter[str]) -> None:
    row, request = RESOURCES[noun], zoo.request(noun, zoo.name(noun))
    creates.clear()
    arn = zoo.ensure(noun, request).output["arn"]
    getattr(zoo.cloud.client("personalize"), f"delete_{noun}")(**{row.arn_key: arn})
    again = zoo.ensure(noun, request)
    assert again.status == "SUCCEEDED", again.cause
    assert again.output["status"] == "ACTIVE"
    assert created(creates, noun) == 2


@every("slow")
def test_what_is_slow_is_waited_for(zoo: ResourceZoo, noun: str, creates: Counter[str]) -> None:
    name = zoo.name(noun)
    request = zoo.request(noun, name)
    creates.clear()
    zoo.cloud.personalize.faults.slow(noun, 3, name=name)
    run = zoo.ensure(noun, request)
    assert run.status == "SUCCEEDED", run.cause
    assert created(creates, noun) == 1


@every("quota full")
def test_a_full_quota_is_waited_for_or_told(zoo: ResourceZoo, noun: str, creates: Counter[str]) -> None:
    request = zoo.request(noun, zoo.name(noun))
    creates.clear()
    zoo.cloud.personalize.faults.fill_quota(noun)
    if DEFAULTS[noun].counts == "busy":
        arn = zoo.start(noun, request)
        zoo.wait_for_state(arn, "Create")
        zoo.cloud.personalize.faults.clear()
        run = zoo.cloud.wait(arn)
    else:
        full = zoo.ensure(noun, request)
        assert (full.status, full.error) == ("FAILED", "LimitExceededException")
        assert "More than" in (full.cause or "")
        zoo.cloud.personalize.faults.clear()
        run = zoo.ensure(noun, request)
    assert run.status == "SUCCEEDED", run.cause
    assert created(creates, noun) == 1


@every("throttled")
def test_throttling_is_waited_out(zoo: ResourceZoo, noun: str, creates: Counter[str]) -> None:
    request = zoo.request(noun, zoo.name(noun))
    creates.clear()
    zoo.cloud.personalize.faults.throttle(0.3)
    run = zoo.ensure(noun, request)
    assert run.status == "SUCCEEDED", run.cause
    assert created(creates, noun) == 1


@every("S3 denied")
def test_a_closed_bucket_ends_red_with_the_reason(zoo: ResourceZoo, noun: str) -> None:
    request = zoo.request(noun, zoo.name(noun))
    zoo.cloud.personalize.faults.deny_s3()
    denied = zoo.ensure(noun, request)
    assert denied.status == "FAILED"
    assert "s3" in (denied.cause or "").lower(), denied.cause
    zoo.cloud.personalize.faults.clear()
    assert second_run(zoo, noun, request).status == "SUCCEEDED"


@every("update fails")
def test_an_update_that_fails_leaves_the_old_and_is_tried_again_by_the_next_run(zoo: ResourceZoo, noun: str) -> None:
    row, request = RESOURCES[noun], zoo.request(noun, zoo.name(noun))
    arn = zoo.ensure(noun, request).output["arn"]
    changed = {**request, **UPDATED[noun](zoo)}
    zoo.cloud.personalize.faults.fail(noun, REASON)
    failed = zoo.ensure(noun, changed)
    assert (failed.status, failed.cause) == ("FAILED", REASON)
    described = getattr(zoo.cloud.client("personalize"), f"describe_{noun}")(**{row.arn_key: arn})[row.camel]
    assert described["status"] == "ACTIVE"
    again = zoo.ensure(noun, changed)
    assert again.status == "SUCCEEDED", again.cause


def test_a_recommender_is_stopped_and_started(zoo: ResourceZoo) -> None:
    request = zoo.request("recommender", zoo.name("recommender"))
    assert zoo.ensure("recommender", request).output["status"] == "ACTIVE"
    stopped = zoo.ensure("recommender", request, active=False)
    assert (stopped.status, stopped.output["status"]) == ("SUCCEEDED", "INACTIVE")
    assert "Stop" not in zoo.ensure("recommender", request, active=False).states
    started = zoo.ensure("recommender", request)
    assert (started.output["status"], started.states.count("Start")) == ("ACTIVE", 1)


def test_there_are_a_hundred_cases() -> None:
    """The matrix shrinks when a type or a fault is dropped; this test says so."""
    assert sum(map(len, CASES.values())) >= 100
