"""What is signed for a region that AWS does not have is refused by every service, and never as an HTML page."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from personalize_local.aws.http.regions import is_region
from personalize_local.cloud import Cloud

SERVICES = ("personalize", "s3", "sqs", "iam", "dynamodb", "stepfunctions", "lambda", "events")
FIRST = {
    "personalize": "list_schemas",
    "s3": "list_buckets",
    "sqs": "list_queues",
    "iam": "list_roles",
    "dynamodb": "list_tables",
    "stepfunctions": "list_state_machines",
    "lambda": "list_functions",
    "events": "list_event_buses",
}


@pytest.fixture(scope="module")
def running() -> Iterator[Cloud]:
    with Cloud(schedules=False) as cloud:
        yield cloud


def _ask(endpoint: str | None, service: str, region: str) -> dict[str, object]:
    client = boto3.client(  # type: ignore[call-overload] # any service
        service, region, endpoint_url=endpoint, aws_access_key_id="a", aws_secret_access_key="b",
        config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    answer: dict[str, object] = getattr(client, FIRST[service])()
    return answer


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("region", ["mars-1", "eu-nowhere-9"])
def test_a_region_that_aws_does_not_have(running: Cloud, service: str, region: str) -> None:
    with pytest.raises(ClientError) as caught:
        _ask(running.endpoint, service, region)
    error = caught.value.response["Error"]
    assert error["Code"].startswith("InvalidSignature")
    assert error["Message"] == f"Credential should be scoped to a valid region; {region!r} is none."


def test_without_a_network_personalize_says_the_same(running: Cloud) -> None:
    assert running.endpoint
    with pytest.raises(ClientError, match="scoped to a valid region"):
        _ask(None, "personalize", "eu-nowhere-9")


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-3", "cn-north-1", "us-gov-west-1"])
def test_personalize_answers_in_every_region_of_aws(running: Cloud, region: str) -> None:
    assert is_region(region)
    assert _ask(running.endpoint, "personalize", region)["schemas"] == []
