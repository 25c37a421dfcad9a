"""What a test suite gets works the same in its own process and in a child process."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

import pytest
from botocore.exceptions import ClientError

from personalize_local.testing.local_personalize import LocalPersonalize, running_personalize
from personalize_local.testing.trained_campaign import example_interactions


@pytest.fixture(params=["process", "child"], scope="module")
def where(request: pytest.FixtureRequest) -> Literal["process", "child"]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def local(where: Literal["process", "child"]) -> Iterator[LocalPersonalize]:
    with running_personalize(where, automatic=True) as running:
        yield running


def test_a_campaign_in_one_line_recommends_what_its_users_like(local: LocalPersonalize) -> None:
    campaign = local.trained_campaign("aws-sims", name="similar")
    runtime = local.client("personalize-runtime")
    listed = runtime.get_recommendations(campaignArn=campaign.campaign_arn, itemId="i3", numResults=5)["itemList"]
    same_taste = [each for each in listed if int(each["itemId"][1:]) % 4 == 3]
    assert len(same_taste) >= 3


def test_too_little_data_fails_with_the_services_reason(local: LocalPersonalize) -> None:
    with pytest.raises(RuntimeError, match=r"CREATE FAILED: .*1,?000"):
        local.trained_campaign(interactions=example_interactions()[:10], name="small")


def test_a_fault_lasts_as_long_as_its_block(local: LocalPersonalize) -> None:
    personalize = local.client()
    with local.faults.fail("dataset_group", "no room", times=2) as fault:
        arn = personalize.create_dataset_group(name="full")["datasetGroupArn"]
        local.settle()
        group = personalize.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]
        assert (group["status"], group["failureReason"]) == ("CREATE FAILED", "no room")
    fault.undo()  # twice is fine
    arn = personalize.create_dataset_group(name="fine")["datasetGroupArn"]
    local.settle()
    assert personalize.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]["status"] == "ACTIVE"


def test_a_fault_leaves_earlier_ones_alone(local: LocalPersonalize) -> None:
    personalize = local.client()
    with local.faults.fill_quota("schema"):
        with local.faults.throttle(1.0), pytest.raises(ClientError, match="ThrottlingException"):
            personalize.list_schemas()
        with pytest.raises(ClientError, match="LimitExceeded"):
            personalize.create_schema(name="s", schema="sth")
    personalize.list_schemas()


def test_the_clock_stands_jumps_and_runs(local: LocalPersonalize) -> None:
    personalize = local.client()
    local.clock.freeze()
    before = local.clock.now
    arn = personalize.create_dataset_group(name="slow")["datasetGroupArn"]
    assert personalize.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]["status"] == "CREATE PENDING"
    local.clock.advance(days=1, hours=1, minutes=1, seconds=1)
    passed = local.clock.now - before
    assert timedelta(days=1, hours=1, minutes=1, seconds=1) <= passed < timedelta(days=1, hours=1, minutes=1, seconds=2)
    assert personalize.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"]["status"] == "ACTIVE"
    local.clock.automatic()


def test_what_it_is_told_wrongly_it_says(local: LocalPersonalize) -> None:
    with pytest.raises(ValueError, match="no resource type 'film'"):
        local.faults.fail("film", "none")
    with pytest.raises(ValueError, match="no duration"):
        local.set_duration("create film", 3)
    local.set_quota("schema", 500)
    local.switch("list_order", "newest first")


def test_calls_of_other_services_are_throttled_over_http(
    local: LocalPersonalize, where: Literal["process", "child"]
) -> None:
    if where == "process":
        assert local.endpoint is None
        return
    with local.faults.throttle(1.0, "s3"), pytest.raises(ClientError, match="SlowDown"):
        local.client("s3").list_buckets()


def test_there_is_one_in_a_process_at_a_time(where: Literal["process", "child"], local: LocalPersonalize) -> None:
    assert local.environment["AWS_REGION"]
    if where == "process":
        with pytest.raises(RuntimeError, match="has been started already"), running_personalize():
            pass
