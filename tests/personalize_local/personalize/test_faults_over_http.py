"""Trouble on request, from Python, over HTTP and from the command line."""

import argparse
import json
from collections.abc import Iterator

import pytest
import urllib3
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from personalize_local.personalize.controls import faults_cli
from personalize_local.personalize.controls.control_header import CONTROL_HEADER
from tests.personalize_local.personalize.world import World, client


@pytest.fixture
def endpoint(world: World) -> Iterator[str]:
    assert world.account
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def _run(endpoint: str, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    faults_cli.add_arguments(parser)
    return faults_cli.run(parser.parse_args(["--endpoint", endpoint, *arguments]))


def test_the_command_line_reaches_a_running_service(
    world: World, endpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(endpoint, "fail", "solution_version", "out of memory", "--times", "2") == 0
    assert json.loads(capsys.readouterr().out)["failures"][0]["times"] == 2
    _, version = world.make_trained()
    assert world.describe("solution_version", version)["failureReason"] == "out of memory"
    assert _run(endpoint, "switch", "list_order", "oldest first") == 0
    assert world.service.switches.list_order == "oldest first"
    assert _run(endpoint, "quota", "filter", "3") == 0
    assert _run(endpoint, "duration", "create campaign", "12.5") == 0
    assert _run(endpoint, "clear") == 0
    capsys.readouterr()
    assert _run(endpoint, "show") == 0
    state = json.loads(capsys.readouterr().out)
    assert state["faults"]["failures"] == []
    assert (state["quotas"]["filter"], state["durations"]["create campaign"]) == (3, 12.5)


@pytest.mark.parametrize(
    "arguments",
    [
        ("throttle", "7"),
        ("switch", "colour", "red"),
        ("switch", "quotas", "maybe"),
        ("switch", "list_order", "any"),
        ("duration", "nothing", "1"),
    ],
)
def test_nonsense_is_refused_with_a_reason(
    endpoint: str, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(endpoint, *arguments) == 1
    assert capsys.readouterr().err.strip()


def test_an_endpoint_that_does_not_answer_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("http://127.0.0.1:9", "show") == 2
    assert "does not answer" in capsys.readouterr().err


def test_the_back_door_needs_no_signature(endpoint: str) -> None:
    http = urllib3.PoolManager()
    answer = http.request("GET", f"{endpoint}/_local-cloud/state")
    assert set(answer.json()) == {"faults", "switches", "quotas", "durations", "clock"}
    headers = {CONTROL_HEADER: "1"}
    assert http.request("POST", f"{endpoint}/_local-cloud/explode", body=b"{}", headers=headers).status == 404
    assert http.request("POST", f"{endpoint}/_local-cloud/fail", body=b"nonsense", headers=headers).status == 400
    assert http.request("POST", f"{endpoint}/_local-cloud/fail", body=b"[]", headers=headers).status == 400


def test_what_a_form_can_send_changes_nothing(endpoint: str) -> None:
    http = urllib3.PoolManager()
    body = json.dumps({"share": 0.5}).encode()
    refused = http.request(
        "POST", f"{endpoint}/_local-cloud/throttle", body=body, headers={"Content-Type": "text/plain"}
    )
    assert (refused.status, CONTROL_HEADER in refused.json()["message"]) == (403, True)
    assert http.request("GET", f"{endpoint}/_local-cloud/state").json()["faults"]["throttledShares"] == {}
    accepted = http.request("POST", f"{endpoint}/_local-cloud/throttle", body=body, headers={CONTROL_HEADER: "1"})
    assert accepted.json()["faults"]["throttledShares"] == {"personalize": 0.5}


def test_all_three_apis_answer_on_one_endpoint(world: World, endpoint: str) -> None:
    assert client("personalize", endpoint).list_schemas()["schemas"] == []
    with pytest.raises(ClientError) as caught:
        client("personalize-runtime", endpoint).get_recommendations(campaignArn="arn:aws:personalize:r:a:campaign/c")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    with pytest.raises(ClientError) as caught:
        client("personalize-events", endpoint).put_users(datasetArn=f"{'x' * 300}", users=[{"userId": "u"}])
    assert caught.value.response["Error"]["Code"] == "InvalidInputException"
    assert world.account


def test_a_share_of_calls_is_throttled(world: World) -> None:
    world.service.faults.throttle(0.5)
    codes = []
    for _ in range(60):
        try:
            world.personalize.list_schemas()
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
    assert set(codes) == {"ThrottlingException"}
    assert 15 < len(codes) < 45


def test_slow_resources_take_as_many_times_longer(world: World) -> None:
    world.service.faults.slow("dataset_group", 100, name="slow")
    slow = world.make_group("slow")
    quick = world.make_group("quick")
    assert (world.status("dataset_group", slow), world.status("dataset_group", quick)) == (
        "CREATE IN_PROGRESS",
        "ACTIVE",
    )


def test_denied_s3_fails_the_job(world: World) -> None:
    dataset = world.make_dataset(world.make_group())
    world.service.faults.deny_s3(f"s3://{world.bucket}/first")
    job = world.describe("dataset_import_job", world.make_import(dataset))
    assert job["failureReason"].endswith("Insufficient privileges for accessing data in Amazon S3. Access Denied")
    assert world.status("dataset_import_job", world.make_import(dataset, "second")) == "ACTIVE"
