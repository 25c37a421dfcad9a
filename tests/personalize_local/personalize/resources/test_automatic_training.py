"""Automatic training: on by default, within the hour, then by schedule when there is new data, until switched off."""

import pytest

from tests.personalize_local.personalize.world import DAY, World

HOUR = 3600.0


@pytest.fixture
def solution(world: World) -> str:
    group = world.make_group()
    world.make_import(world.make_dataset(group))
    return world.make_solution(group, performAutoTraining=True)


def _trainings(world: World, solution: str) -> list[str]:
    listed = world.personalize.list_solution_versions(solutionArn=solution)["solutionVersions"]
    return [each["trainingType"] for each in listed]


def test_it_is_on_unless_switched_off(world: World) -> None:
    """Fact: the default for every solution made since 19 April 2024."""
    group = world.make_group()
    arn = world.personalize.create_solution(
        name="s", datasetGroupArn=group, recipeArn="arn:aws:personalize:::recipe/aws-sims"
    )["solutionArn"]
    described = world.describe("solution", arn)
    assert described["performAutoTraining"] is True
    assert described["solutionConfig"]["autoTrainingConfig"] == {"schedulingExpression": "rate(7 days)"}


def test_the_first_training_comes_within_the_hour(world: World, solution: str) -> None:
    assert _trainings(world, solution) == []
    world.pass_time(HOUR)
    assert _trainings(world, solution) == ["AUTOMATIC"]
    assert world.describe("solution", solution)["latestSolutionVersion"]["trainingType"] == "AUTOMATIC"


def test_a_manual_training_in_that_hour_takes_its_place(world: World, solution: str) -> None:
    world.make_version(solution)
    world.pass_time(HOUR)
    assert _trainings(world, solution) == ["MANUAL"]


def test_it_is_repeated_only_when_there_is_new_data(world: World, solution: str) -> None:
    world.pass_time(HOUR)
    assert len(_trainings(world, solution)) == 1
    world.pass_time(8 * DAY)
    assert len(_trainings(world, solution)) == 1
    dataset = world.personalize.list_datasets()["datasets"][0]["datasetArn"]
    world.make_import(dataset, "news")
    assert len(_trainings(world, solution)) == 1
    world.pass_time(8 * DAY)
    assert len(_trainings(world, solution)) == 2


def test_it_ends_when_switched_off(world: World, solution: str) -> None:
    world.personalize.update_solution(solutionArn=solution, performAutoTraining=False)
    during = world.describe("solution", solution)
    assert (during["status"], during["performAutoTraining"]) == ("ACTIVE", True)
    assert during["latestSolutionUpdate"]["status"] == "CREATE PENDING"
    world.finish(120)
    assert world.describe("solution", solution)["performAutoTraining"] is False
    world.pass_time(30 * DAY)
    assert _trainings(world, solution) == []


def test_another_schedule_starts_anew(world: World, solution: str) -> None:
    world.pass_time(HOUR)
    assert len(_trainings(world, solution)) == 1
    world.make_import(world.personalize.list_datasets()["datasets"][0]["datasetArn"], "news")
    config = {"autoTrainingConfig": {"schedulingExpression": "rate(1 day)"}}
    world.personalize.update_solution(solutionArn=solution, solutionUpdateConfig=config)
    world.finish(120)
    assert world.describe("solution", solution)["solutionConfig"]["autoTrainingConfig"] == config["autoTrainingConfig"]
    world.pass_time(HOUR)
    assert len(_trainings(world, solution)) == 2


def test_a_training_sees_the_settings_of_its_start(world: World, solution: str) -> None:
    world.make_version(solution)
    spec = world.engine.trainings[-1]
    assert spec.recipe == "aws-user-personalization"
    assert [dataset.key for dataset in spec.datasets] == ["movies/INTERACTIONS"]
    assert spec.solution["trainingMode"] == "FULL"
    assert spec.version.startswith("taste/")
