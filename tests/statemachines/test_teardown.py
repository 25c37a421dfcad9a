"""A dataset group, or one resource, goes with everything that depends on it; first it is said what would go."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from examples import movies
from lambdas.personalize.resources import RESOURCES
from personalize_local.cloud import Cloud, Run
from tests.e2e.test_pipeline import LATER, REQUEST
from tests.statemachines.test_remove_resource import SCHEMA, made, run

GROUP = "arn:aws:personalize:us-east-1:123456789012:dataset-group"


def summaries(cloud: Cloud, noun: str) -> list[Any]:
    row, client = RESOURCES[noun], cloud.client("personalize")
    return list(getattr(client, f"list_{noun}s")()[row.summaries_key])


def left(cloud: Cloud) -> list[str]:
    return [row.noun for row in RESOURCES.values() if row.deletable and summaries(cloud, row.noun)]


def teardown(cloud: Cloud, **given: Any) -> Run:
    return cloud.run("teardown", given)


def names(levels: list[list[dict[str, Any]]]) -> list[list[str]]:
    return [[f"{one['type']} {one['name']}" for one in level] for level in levels]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    written = movies.write(tmp_path_factory.mktemp("movies"))
    return {key: path.read_bytes() for key, path in written.items()}


@pytest.fixture(scope="module")
def demo(cloud: Cloud, files: Mapping[str, bytes]) -> Cloud:
    """Build the example, with a schedule."""
    nightly = {"name": "nightly", "scheduleExpression": "cron(0 3 * * ? *)", "action": "TRAIN"}
    request = json.dumps({**REQUEST, "schedules": [nightly]}).encode()
    objects = {key: body for key, body in files.items() if key != LATER}
    for key, body in {**objects, "requests/movies.json": request}.items():
        cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body=body)
    cloud.quiesce(180)
    assert set(left(cloud)) >= {"campaign", "solution", "dataset", "dataset_group", "schema"}
    return cloud


def test_first_it_is_told_what_would_go_and_what_bills(demo: Cloud) -> None:
    dry = teardown(demo, datasetGroup="movies")
    assert (dry.status, dry.output["notOurs"]) == ("SUCCEEDED", [])
    assert "would go; nothing was changed" in dry.output["summary"]
    (campaign,) = [one for one in dry.output["levels"][0] if one["type"] == "campaign"]
    assert campaign["bills"] == {"minProvisionedTPS": 1}
    assert "campaign" in left(demo)


def test_after_the_teardown_of_the_demo_the_service_is_empty(demo: Cloud) -> None:
    dry = teardown(demo, datasetGroup="movies")
    real = teardown(demo, datasetGroup="movies", dryRun=False)
    assert real.status == "SUCCEEDED", real.cause
    assert names(real.output["levels"]) == names(dry.output["levels"])
    assert left(demo) == []
    assert demo.client("scheduler").list_schedules()["Schedules"] == []
    again = teardown(demo, datasetGroup="movies", dryRun=False)
    assert (again.status, again.output["count"]) == ("SUCCEEDED", 0)


def test_rows_and_files_stay_until_somebody_says_so(demo: Cloud) -> None:
    s3, bucket = demo.client("s3"), demo.deployment.bucket
    assert s3.list_objects_v2(Bucket=bucket, Prefix="uploads/movies/")["KeyCount"] > 0
    told = teardown(demo, datasetGroup="movies", dryRun=False, alsoRecords=True, alsoFiles=True)
    assert told.status == "SUCCEEDED", told.cause
    versions = s3.list_object_versions(Bucket=bucket)
    kept = [one["Key"] for one in (*versions.get("Versions", ()), *versions.get("DeleteMarkers", ()))]
    assert [key for key in kept if "movies" in key] == []
    rows = demo.client("dynamodb").scan(TableName=demo.deployment.tables["ledger"])["Items"]
    assert {row["entry"]["S"] for row in rows if row["dataset"]["S"].startswith("movies")} == {"lease"}


def test_what_the_stage_did_not_make_stays_unless_it_is_told(cloud: Cloud) -> None:
    personalize = cloud.client("personalize")
    personalize.create_dataset_group(name="dev-by-hand")
    assert run(cloud, "ensure_resource", "dataset_group", name="dev-by-hand").status == "SUCCEEDED"
    refused = teardown(cloud, datasetGroup="by-hand", dryRun=False)
    assert (refused.status, refused.error) == ("FAILED", "NotOursError")
    assert "did not make dataset_group dev-by-hand" in str(refused.cause)
    assert teardown(cloud, datasetGroup="by-hand").output["notOurs"] == ["dataset_group dev-by-hand"]
    gone = teardown(cloud, datasetGroup="by-hand", dryRun=False, alsoNotOurs=True)
    assert gone.status == "SUCCEEDED", gone.cause
    assert "dev-by-hand" not in [one["name"] for one in summaries(cloud, "dataset_group")]


def test_one_resource_goes_with_its_dependants_and_the_rest_stays(cloud: Cloud) -> None:
    group = made(cloud, "dataset_group", name="dev-part")
    schema = made(cloud, "schema", name="dev-part-interactions-0123abcd", schema=json.dumps(SCHEMA))
    made(cloud, "dataset", name="dev-part", datasetGroupArn=group, schemaArn=schema, datasetType="INTERACTIONS")
    made(cloud, "solution", name="dev-part", datasetGroupArn=group, recipeArn="arn:aws:personalize:::recipe/aws-sims")
    about = {"type": "solution", "request": {"name": "dev-part"}}
    assert names(teardown(cloud, **about).output["levels"]) == [["solution dev-part"]]
    assert teardown(cloud, **about, dryRun=False).status == "SUCCEEDED"
    assert (summaries(cloud, "solution"), len(summaries(cloud, "dataset"))) == ([], 1)
    # A crash after some levels: what is left is found, and goes.
    assert run(cloud, "remove_resource", "dataset", name="dev-part").status == "SUCCEEDED"
    ended = teardown(cloud, datasetGroup="part", dryRun=False)
    assert names(ended.output["levels"]) == [["dataset_group dev-part"], ["schema dev-part-interactions-0123abcd"]]
    assert left(cloud) == []


def test_a_schema_that_another_group_uses_stays(cloud: Cloud) -> None:
    schema = made(cloud, "schema", name="dev-one-interactions-0123abcd", schema=json.dumps(SCHEMA))
    for name in ("dev-one", "dev-other"):
        group = made(cloud, "dataset_group", name=name)
        made(cloud, "dataset", name=name, datasetGroupArn=group, schemaArn=schema, datasetType="INTERACTIONS")
    first = teardown(cloud, datasetGroup="one", dryRun=False)
    assert names(first.output["levels"]) == [["dataset dev-one"], ["dataset_group dev-one"]]
    assert [one["name"] for one in summaries(cloud, "dataset_group")] == ["dev-other"]
    assert teardown(cloud, datasetGroup="other", dryRun=False).status == "SUCCEEDED"
    assert teardown(cloud, datasetGroup="one", dryRun=False).output["count"] == 1
    assert left(cloud) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "give datasetGroup, or the type"),
        ({"datasetGroup": "a", "type": "campaign", "request": {"name": "b"}}, "give datasetGroup, or the type"),
        ({"datasetGroup": "a", "dryrun": False}, "unknown key dryrun"),
        ({"datasetGroup": "a", "dryRun": "no"}, "dryRun is true or false"),
        ({"type": "campaign", "request": {"name": "b"}, "alsoFiles": True}, "records and files belong to"),
    ],
)
def test_an_input_that_could_mean_something_else_is_refused(cloud: Cloud, given: dict[str, Any], said: str) -> None:
    ended = teardown(cloud, **given)
    assert (ended.status, ended.error) == ("FAILED", "InvalidTeardownError")
    assert said in str(ended.cause)
