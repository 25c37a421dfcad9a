"""The service over the real engine: what is imported is trained, what is trained answers."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from personalize_local.clock import CLOCK
from tests.personalize_local.personalize.planted import TASTES, import_csv, make_planted_group, running_for_real
from tests.personalize_local.personalize.world import ROLE, World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_for_real(Path(tmp_path_factory.mktemp("engine"))) as made:
        yield made


@pytest.fixture(scope="module")
def group(world: World) -> str:
    return make_planted_group(world)


@pytest.fixture(scope="module")
def version(world: World, group: str) -> str:
    return world.make_version(world.make_solution(group, "aws-user-personalization-v2"))


@pytest.fixture(scope="module")
def recommend(world: World, version: str) -> Callable[..., list[str]]:
    campaign = world.make_campaign(version)

    def ask(user: str, **more: Any) -> list[str]:
        answer = world.runtime.get_recommendations(campaignArn=campaign, userId=user, **more)
        return [each["itemId"] for each in answer["itemList"]]

    return ask


def _share(items: list[str], genre: str) -> float:
    return sum(int(item[1:]) in TASTES[genre] for item in items) / len(items)


def test_recommendations_follow_taste(recommend: Callable[..., list[str]]) -> None:
    assert _share(recommend("u1", numResults=8), "drama") > 0.7
    assert _share(recommend("u2", numResults=8), "horror") > 0.7


def test_metrics_are_the_documented_keys_with_four_decimals(world: World, version: str) -> None:
    metrics = world.personalize.get_solution_metrics(solutionVersionArn=version)["metrics"]
    assert {"coverage", "mean_reciprocal_rank_at_25", "precision_at_5"} <= set(metrics)
    assert all(value == round(value, 4) for value in metrics.values())
    assert world.describe("solution_version", version)["trainingHours"] > 0


def test_a_filter_with_values_narrows_the_answer(world: World, group: str, recommend: Callable[..., list[str]]) -> None:
    expression = "INCLUDE ItemID WHERE Items.GENRES IN ($GENRE)"
    arn = world.personalize.create_filter(name="genre", datasetGroupArn=group, filterExpression=expression)["filterArn"]
    world.finish(120)
    found = recommend("u1", filterArn=arn, filterValues={"GENRE": '"horror"'}, numResults=10)
    assert found
    assert _share(found, "horror") == 1
    with pytest.raises(world.runtime.exceptions.InvalidInputException):
        recommend("u1", filterArn=arn)


def test_a_batch_job_answers_every_line(world: World, version: str) -> None:
    lines = [{"userId": f"u{n}"} for n in range(5)] + [{"itemId": "i1"}]
    source = world.put_object("in/users.json", "\n".join(map(json.dumps, lines)))
    arn = world.personalize.create_batch_inference_job(
        jobName="batch",
        solutionVersionArn=version,
        numResults=3,
        jobInput={"s3DataSource": {"path": source}},
        jobOutput={"s3DataDestination": {"path": f"s3://{world.bucket}/out/"}},
        roleArn=ROLE,
    )["batchInferenceJobArn"]
    world.finish()
    assert world.status("batch_inference_job", arn) == "ACTIVE"
    body = world.s3.get_object(Bucket=world.bucket, Key="out/users.json.out")["Body"].read().decode()
    answers = [json.loads(line) for line in body.splitlines()]
    assert sorted(json.dumps(each["input"]) for each in answers) == sorted(map(json.dumps, lines))
    wrong = [each for each in answers if each["error"]]
    assert [each["input"] for each in wrong] == [{"itemId": "i1"}]
    assert all(len(each["output"]["recommendedItems"]) == 3 for each in answers if not each["error"])


def test_streamed_events_count_at_once(world: World, group: str, recommend: Callable[..., list[str]]) -> None:
    tracking_id = world.personalize.create_event_tracker(name="t", datasetGroupArn=group)["trackingId"]
    world.finish(120)
    assert set(recommend("stranger", numResults=6)) != set()
    events = [{"eventType": "view", "sentAt": CLOCK.now(), "itemId": f"i{n}"} for n in range(8)]
    world.events.put_events(trackingId=tracking_id, userId="stranger", sessionId="s", eventList=events)
    assert _share(recommend("stranger", numResults=6), "drama") > 0.7


def test_a_file_that_lacks_a_column_fails_its_job_and_leaves_the_data(world: World, group: str) -> None:
    dataset = f"{group.replace('dataset-group', 'dataset')}/INTERACTIONS"
    job = import_csv(world, dataset, "broken", "USER_ID,ITEM_ID\nu1,i1\n", importMode="FULL")
    assert job["status"] == "CREATE FAILED"
    assert "TIMESTAMP" in job["failureReason"]
    assert world.status("dataset", dataset) == "ACTIVE"


def test_an_export_and_a_deletion_of_users_work_on_the_rows(world: World, group: str) -> None:
    dataset = f"{group.replace('dataset-group', 'dataset')}/INTERACTIONS"
    location = world.put_object("forget/users.csv", "USER_ID\nu0\nu1\n")
    deletion = world.personalize.create_data_deletion_job(
        jobName="forget", datasetGroupArn=group, dataSource={"dataLocation": location}, roleArn=ROLE
    )["dataDeletionJobArn"]
    world.finish(7200)
    assert world.describe("data_deletion_job", deletion)["status"] == "COMPLETED"
    world.personalize.create_dataset_export_job(
        jobName="export",
        datasetArn=dataset,
        ingestionMode="ALL",
        roleArn=ROLE,
        jobOutput={"s3DataDestination": {"path": f"s3://{world.bucket}/export/"}},
    )
    world.finish()
    keys = [each["Key"] for each in world.s3.list_objects_v2(Bucket=world.bucket, Prefix="export/")["Contents"]]
    rows = [
        line
        for key in keys
        for line in world.s3.get_object(Bucket=world.bucket, Key=key)["Body"].read().decode().splitlines()
    ]
    assert not [row for row in rows if row.startswith(("u0,", "u1,"))]
    assert len(rows) > 1000


@pytest.mark.parametrize("recipe", ["aws-item-affinity", "aws-item-attribute-affinity"])
def test_segments_are_lists_of_users(world: World, group: str, recipe: str) -> None:
    version = world.make_version(world.make_solution(group, recipe, name=recipe))
    line = {"itemId": "i1"} if recipe == "aws-item-affinity" else {"itemAttributes": 'ITEMS.GENRES = "drama"'}
    source = world.put_object(f"segments/{recipe}.json", json.dumps(line))
    arn = world.personalize.create_batch_segment_job(
        jobName=recipe,
        solutionVersionArn=version,
        numResults=10,
        jobInput={"s3DataSource": {"path": source}},
        jobOutput={"s3DataDestination": {"path": f"s3://{world.bucket}/segments-out/"}},
        roleArn=ROLE,
    )["batchSegmentJobArn"]
    world.finish()
    assert world.status("batch_segment_job", arn) == "ACTIVE"
    key = f"segments-out/{recipe}.json.out"
    answer = json.loads(world.s3.get_object(Bucket=world.bucket, Key=key)["Body"].read())
    users = answer["output"]["usersList"]
    assert len(users) == 10
    assert sum(int(user[1:]) % 2 for user in users) >= 9
