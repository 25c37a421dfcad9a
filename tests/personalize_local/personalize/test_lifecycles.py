"""The exact status words, and that status depends on nothing but the clock and how the real work ended."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize_local.personalize.controls.durations import QUICK_SECONDS
from personalize_local.personalize.resources.job_runner import EndedJob
from personalize_local.personalize.resources.status_timeline import CREATE, JobOutcome, JobResult, StatusTimeline
from tests.personalize_local.personalize.world import RECIPES, ROLE, World, avro


def _words(world: World, noun: str, arn: str, seconds: float, steps: int = 60) -> list[str]:
    """Return the status words seen while so many seconds pass, each once, in order."""
    seen: list[str] = []
    world.finish(0)
    for _ in range(steps):
        try:
            status = world.status(noun, arn)
        except world.personalize.exceptions.ResourceNotFoundException:
            seen.append("gone")
            break
        if not seen or seen[-1] != status:
            seen.append(status)
        world.pass_time(seconds / steps)
    return seen


CREATED = ["CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE"]
DELETED = ["DELETE PENDING", "DELETE IN_PROGRESS", "gone"]


def test_a_dataset_group_and_a_dataset_are_created_and_deleted_in_the_documented_words(world: World) -> None:
    for what in ("create dataset_group", "create dataset", "delete dataset", "delete dataset_group"):
        world.service.durations.set_seconds(what, QUICK_SECONDS + 1)  # the clock stands: what is quick would be over
    group = world.personalize.create_dataset_group(name="movies")["datasetGroupArn"]
    assert _words(world, "dataset_group", group, 120) == CREATED
    dataset = world.personalize.create_dataset(
        name="d", schemaArn=world.make_schema(), datasetGroupArn=group, datasetType="interactions"
    )["datasetArn"]
    assert _words(world, "dataset", dataset, 120) == CREATED
    world.personalize.delete_dataset(datasetArn=dataset)
    assert _words(world, "dataset", dataset, 120) == DELETED
    world.personalize.delete_dataset_group(datasetGroupArn=group)
    assert _words(world, "dataset_group", group, 120) == DELETED


def test_a_data_deletion_job_has_words_of_its_own(world: World) -> None:
    group = world.make_group()
    world.make_dataset(group)
    location = world.put_object("gone/users.csv", "USER_ID\nu1\nu2\n")
    job = world.personalize.create_data_deletion_job(
        jobName="j", datasetGroupArn=group, dataSource={"dataLocation": location}, roleArn=ROLE
    )["dataDeletionJobArn"]
    assert _words(world, "data_deletion_job", job, 3600) == ["PENDING", "IN_PROGRESS", "COMPLETED"]
    assert world.describe("data_deletion_job", job)["numDeleted"] == 2


@pytest.mark.parametrize(
    ("choice", "words"),
    [("observed", CREATED), ("documented", ["PENDING", "IN PROGRESS", "ACTIVE"])],
)
def test_a_batch_job_speaks_as_observed_or_as_documented(world: World, choice: Any, words: list[str]) -> None:
    world.service.switches.batch_status_words = choice
    _, version = world.make_trained()
    location = world.put_object("in/users.json", '{"userId":"u1"}')
    job = world.personalize.create_batch_inference_job(
        jobName="j",
        solutionVersionArn=version,
        jobInput={"s3DataSource": {"path": location}},
        jobOutput={"s3DataDestination": {"path": f"s3://{world.bucket}/out/"}},
        roleArn=ROLE,
    )["batchInferenceJobArn"]
    assert _words(world, "batch_inference_job", job, 3600) == words
    keys = [each["Key"] for each in world.s3.list_objects_v2(Bucket=world.bucket, Prefix="out/")["Contents"]]
    assert keys == ["out/users.json.out"]


def test_a_training_stops_by_way_of_create_stopping(world: World) -> None:
    group, _ = world.make_trained()
    solution = world.make_solution(group, name="another")
    pending = world.personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    world.personalize.stop_solution_version_creation(solutionVersionArn=pending)
    assert _words(world, "solution_version", pending, 60) == ["CREATE STOPPED"]
    running = world.personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    world.pass_time(60)
    world.personalize.stop_solution_version_creation(solutionVersionArn=running)
    assert _words(world, "solution_version", running, 600) == ["CREATE STOPPING", "CREATE STOPPED"]
    with pytest.raises(world.personalize.exceptions.ResourceInUseException):
        world.personalize.get_solution_metrics(solutionVersionArn=running)


def test_a_recommender_is_stopped_and_started(world: World) -> None:
    group = world.make_group("shop", domain="ECOMMERCE")
    schema = world.make_schema("INTERACTIONS", "shop-schema", domain="ECOMMERCE")
    world.make_dataset(group, schema=schema)
    arn = world.personalize.create_recommender(
        name="views", datasetGroupArn=group, recipeArn=f"{RECIPES}aws-ecomm-popular-items-by-views"
    )["recommenderArn"]
    assert _words(world, "recommender", arn, 7200) == CREATED
    world.personalize.stop_recommender(recommenderArn=arn)
    assert _words(world, "recommender", arn, 1200) == ["STOP PENDING", "STOP IN_PROGRESS", "INACTIVE"]
    with pytest.raises(world.runtime.exceptions.ResourceNotFoundException):
        world.runtime.get_recommendations(recommenderArn=arn, userId="u1")
    world.personalize.start_recommender(recommenderArn=arn)
    assert _words(world, "recommender", arn, 2400) == ["START PENDING", "START IN_PROGRESS", "ACTIVE"]
    assert world.describe("recommender", arn)["modelMetrics"] == {"coverage": 0.5, "precision_at_5": 0.0136}
    world.personalize.delete_recommender(recommenderArn=arn)
    assert _words(world, "recommender", arn, 600) == DELETED


def test_a_dataset_tells_its_update_in_its_own_status(world: World) -> None:
    group = world.make_group()
    dataset = world.make_dataset(group, "USERS")
    before = world.describe("dataset", dataset)["schemaArn"]
    wider = avro("Users", [{"name": "CITY", "type": ["null", "string"]}])
    schema = world.personalize.create_schema(name="wider", schema=wider)["schemaArn"]
    world.personalize.update_dataset(datasetArn=dataset, schemaArn=schema)
    during = world.describe("dataset", dataset)
    assert during["status"] == "UPDATE PENDING"
    assert during["schemaArn"] == before
    assert during["latestDatasetUpdate"]["schemaArn"] == schema
    assert _words(world, "dataset", dataset, 300) == ["UPDATE PENDING", "UPDATE IN_PROGRESS", "ACTIVE"]
    assert world.describe("dataset", dataset)["schemaArn"] == schema


def test_a_failure_carries_the_engines_words(world: World) -> None:
    dataset = world.make_dataset(world.make_group())
    world.engine.fail_with = "Input CSV is missing the following columns:[TIMESTAMP]."
    job = world.describe("dataset_import_job", world.make_import(dataset))
    assert job["status"] == "CREATE FAILED"
    assert job["failureReason"] == world.engine.fail_with


def test_an_injected_failure_needs_no_work(world: World) -> None:
    dataset = world.make_dataset(world.make_group())
    world.service.faults.fail("dataset_import_job", "the cable was cut")
    assert world.describe("dataset_import_job", world.make_import(dataset))["failureReason"] == "the cable was cut"
    assert world.engine.imports == []
    assert world.status("dataset_import_job", world.make_import(dataset, "second")) == "ACTIVE"


def test_active_comes_only_when_time_and_work_are_both_done(world: World) -> None:
    group, _ = world.make_trained()
    world.engine.hold.clear()
    solution = world.make_solution(group, name="slow")
    version = world.personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    world.pass_time(24 * 3600)
    assert world.status("solution_version", version) == "CREATE IN_PROGRESS"
    world.engine.hold.set()
    deadline = time.monotonic() + 60
    while world.status("solution_version", version) != "ACTIVE":
        assert time.monotonic() < deadline
        time.sleep(0.005)


@given(
    seconds=st.floats(0, 1e6),
    ended=st.floats(0, 1e6),
    reason=st.none() | st.just("broken"),
    moments=st.lists(st.floats(0, 3e6), min_size=2).map(sorted),
)
def test_a_course_never_goes_back(seconds: float, ended: float, reason: str | None, moments: list[float]) -> None:
    timeline = StatusTimeline(CREATE, 0.0, seconds, EndedJob(JobOutcome(ended, reason, JobResult())))
    order = ["CREATE PENDING", "CREATE IN_PROGRESS", "CREATE FAILED" if reason else "ACTIVE"]
    places = [order.index(timeline.at(moment).status) for moment in moments]
    assert places == sorted(places)
    assert all(timeline.at(moment) == timeline.at(moment) for moment in moments)
    assert timeline.at(max(seconds, ended)).over
