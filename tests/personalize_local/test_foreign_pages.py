"""A foreign page in a real browser has no effect on the cloud: preflighted, simple, embedded and rebound requests."""

import json
from pathlib import Path
from typing import Any

from personalize_local.aws.http.endpoint import Access
from personalize_local.cloud import Cloud
from personalize_local.personalize.controls.control_header import CONTROL_HEADER
from tests.personalize_local.foreign_page import HOST, browser, foreign_server, visit

AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=local/20261125/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
FUNCTION = {
    "FunctionName": "theirs",
    "Runtime": "python3.14",
    "Role": "arn:aws:iam::123456789012:role/anyone",
    "Handler": "code.handler",
    "Code": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},
}


def fetch(url: str, method: str, body: str | None = None, **headers: str) -> dict[str, Any]:
    return {"kind": "fetch", "url": url, "options": {"method": method, "body": body, "headers": headers}}


def simple(url: str, body: str) -> dict[str, Any]:
    return {"kind": "fetch", "url": url, "options": {"method": "POST", "body": body, "mode": "no-cors"}}


def form(url: str, enctype: str, **fields: str) -> dict[str, Any]:
    return {"kind": "form", "url": url, "enctype": enctype, "fields": fields}


def scripted(at: str) -> list[dict[str, Any]]:
    """Return what a script asks for openly; from another origin all of it has a preflight."""
    signed = AUTHORIZATION.format("lambda")
    return [
        fetch(f"{at}/2015-03-31/functions", "POST", json.dumps(FUNCTION), Authorization=signed),
        fetch(f"{at}/2015-03-31/functions/deployed/invocations", "POST", "{}", Authorization=signed),
        fetch(f"{at}/stolen", "PUT", None, Authorization=AUTHORIZATION.format("s3")),
        fetch(f"{at}/victim/object", "GET", Authorization=AUTHORIZATION.format("s3")),
        fetch(f"{at}/victim/object", "DELETE", Authorization=AUTHORIZATION.format("s3")),
        fetch(f"{at}/_local-cloud/throttle", "POST", '{"share": 0.9}', **{CONTROL_HEADER: "1"}),
        fetch(f"{at}/moto-api/reset", "POST"),
    ]


def quiet(at: str) -> list[dict[str, Any]]:
    """Return what a page can send without asking."""
    return [
        simple(f"{at}/_local-cloud/throttle", '{"share": 0.9}'),
        simple(f"{at}/_local-cloud/clear", "{}"),
        simple(f"{at}/moto-api/reset", ""),
        simple(f"{at}/2015-03-31/functions", json.dumps(FUNCTION)),
        {"kind": "beacon", "url": f"{at}/moto-api/reset", "body": ""},
        form(f"{at}/", "application/x-www-form-urlencoded", Action="CreateQueue", QueueName="theirs"),
        form(f"{at}/victim", "multipart/form-data", key="uploads/movies/items/theirs.csv", file="ITEM_ID"),
        form(f"{at}/_local-cloud/throttle", "text/plain", **{'{"share": 0.9, "x": "': '"}'}),
        {"kind": "img", "url": f"{at}/victim/object"},
        {"kind": "script", "url": f"{at}/victim/object"},
        {"kind": "iframe", "url": f"{at}/victim/page.html"},
    ]


def prepare(cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="victim")
    s3.put_object(Bucket="victim", Key="object", Body=b"object")
    s3.put_object(Bucket="victim", Key="page.html", Body=b"<script>1</script>", ContentType="text/html")


def state(cloud: Cloud) -> dict[str, Any]:
    """Return everything that the attacks mean to change."""
    s3 = cloud.client("s3")
    return {
        "buckets": [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]],
        "objects": [each["Key"] for each in s3.list_objects_v2(Bucket="victim").get("Contents", [])],
        "functions": cloud.client("lambda").list_functions()["Functions"],
        "queues": cloud.client("sqs").list_queues().get("QueueUrls", []),
        "faults": cloud.personalize.faults.in_force(),
        "errors": cloud.lambda_errors,
    }


def test_a_foreign_page_has_no_effect(tmp_path: Path) -> None:
    browser()
    with Cloud() as cloud:
        prepare(cloud)
        port = int(cloud.endpoint.rpartition(":")[2])
        before = state(cloud)
        open_, hidden = scripted(cloud.endpoint), quiet(cloud.endpoint)
        with foreign_server(port) as server:
            told = visit(server, [*open_, *hidden, *scripted(""), *quiet("")], tmp_path)
        assert state(cloud) == before
        assert told[: len(open_)] == ["TypeError"] * len(open_)  # refused by preflight, or not for the page to read
        rebound = told[len(open_) + len(hidden) :]
        assert rebound[: len(open_)] == ["403"] * len(open_)


def test_the_same_page_has_effects_where_it_is_allowed(tmp_path: Path) -> None:
    """The attacks are real: they work for an origin that the user named, but for those that would run code."""
    browser()
    # The port of the cloud is part of the foreign origin, so it must be known before.
    with Cloud() as earlier:
        port = int(earlier.endpoint.rpartition(":")[2])
    with foreign_server(port) as server:
        origin = f"http://{HOST}:{server.server_address[1]}"
        with Cloud(port=port, access=Access((origin,))) as cloud:
            prepare(cloud)
            told = visit(server, [*scripted(cloud.endpoint), *quiet(cloud.endpoint)], tmp_path)
            after = state(cloud)
    assert (told[0], after["functions"]) == ("403", [])
    assert told[3] == "200"
    assert "stolen" in after["buckets"]
    assert "object" not in after["objects"]
    assert "uploads/movies/items/theirs.csv" in after["objects"]
