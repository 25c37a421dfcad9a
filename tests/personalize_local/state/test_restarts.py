"""What a cloud kept is there again after a restart: Personalize's resources, and the work that was under way."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from personalize_local.clock import CLOCK
from personalize_local.state.directory import taken
from personalize_local.state.moments import kept, restore_clock
from tests.personalize_local.personalize.world import ROLE, World, interactions_csv, running


@contextmanager
def kept_world(directory: Path) -> Iterator[World]:
    """Run the service over an engine double, its state kept."""
    with taken(directory) as state, running(state.engine_directory) as world:
        restore_clock(state)
        with kept(state):
            yield world


@pytest.fixture(autouse=True)
def _models_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do without the engine's files: its double writes none."""
    monkeypatch.setattr("personalize_local.state.saved_records.is_whole_model", lambda _folder: True)
    monkeypatch.setattr("personalize_local.state.directory.check_datasets", lambda *_: None)


def test_resources_are_as_they_were(tmp_path: Path) -> None:
    with kept_world(tmp_path / "state") as world:
        _, version = world.make_trained()
        campaign = world.make_campaign(version, tags=[{"tagKey": "k", "tagValue": "v"}])
        before = world.describe("solution_version", version)
        world.personalize.update_campaign(campaignArn=campaign, minProvisionedTPS=4)
        saved_at = CLOCK.time()
    with kept_world(tmp_path / "state") as world:
        assert CLOCK.time() >= saved_at
        assert world.describe("solution_version", version) == before
        world.finish()
        assert world.describe("campaign", campaign)["minProvisionedTPS"] == 4
        assert world.personalize.list_tags_for_resource(resourceArn=campaign)["tags"] == [
            {"tagKey": "k", "tagValue": "v"}
        ]
        metrics = world.personalize.get_solution_metrics(solutionVersionArn=version)["metrics"]
        assert metrics == {"coverage": 0.5, "precision_at_5": 0.0136}
        with pytest.raises(ClientError, match="AlreadyExists"):
            world.personalize.create_dataset_import_job(
                jobName="movies-import",
                datasetArn=world.personalize.list_datasets()["datasets"][0]["datasetArn"],
                dataSource={"dataLocation": "s3://b/f.csv"},
                roleArn=ROLE,
            )


def test_a_training_that_was_under_way_is_done_again(tmp_path: Path) -> None:
    with kept_world(tmp_path / "state") as world:
        group, version = world.make_trained()
        world.engine.hold.clear()
        begun = world.personalize.create_solution_version(solutionArn=version.rpartition("/")[0])["solutionVersionArn"]
    with kept_world(tmp_path / "state") as world:
        assert group
        assert world.status("solution_version", begun) == "CREATE PENDING"
        world.finish()
        assert world.status("solution_version", begun) == "ACTIVE"
        assert [spec.version for spec in world.engine.trainings] == [f"movies-taste/{begun.rpartition('/')[2]}"]


def test_an_import_that_the_moment_knows_as_under_way_is_done_again(tmp_path: Path) -> None:
    with kept_world(tmp_path / "state") as world:
        dataset = world.make_dataset(world.make_group())
        location = world.put_object("first.csv", interactions_csv())
        world.engine.hold_files.clear()
        job = world.personalize.create_dataset_import_job(
            jobName="first", datasetArn=dataset, dataSource={"dataLocation": location}, roleArn=ROLE
        )["datasetImportJobArn"]
    with kept_world(tmp_path / "state") as world:
        assert world.status("dataset_import_job", job) == "CREATE PENDING"
        world.finish()
        assert world.status("dataset_import_job", job) == "ACTIVE"
        assert world.engine.imports == [("movies/INTERACTIONS", "FULL", ["first.csv"])]


def test_what_cannot_be_done_again_has_failed_visibly(tmp_path: Path) -> None:
    with kept_world(tmp_path / "state") as world:
        dataset = world.make_dataset(world.make_group())
        world.make_import(dataset)
        world.engine.hold_files.clear()
        job = world.personalize.create_dataset_export_job(
            jobName="out",
            datasetArn=dataset,
            roleArn=ROLE,
            jobOutput={"s3DataDestination": {"path": f"s3://{world.bucket}/out/"}},
        )["datasetExportJobArn"]
    with kept_world(tmp_path / "state") as world:
        world.finish()
        lost = world.describe("dataset_export_job", job)
        assert (lost["status"], "stopped" in lost["failureReason"]) == ("CREATE FAILED", True)


def test_a_model_without_files_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with kept_world(tmp_path / "state") as world:
        _, version = world.make_trained()
    monkeypatch.setattr("personalize_local.state.saved_records.is_whole_model", lambda _folder: False)
    with kept_world(tmp_path / "state") as world:
        described = world.describe("solution_version", version)
        assert (described["status"], "Train again" in described["failureReason"]) == ("CREATE FAILED", True)


def test_what_was_deleted_stays_deleted(tmp_path: Path) -> None:
    with kept_world(tmp_path / "state") as world:
        dataset = world.make_dataset(world.make_group())
        world.personalize.delete_dataset(datasetArn=dataset)
        world.finish()
        assert world.personalize.list_datasets()["datasets"] == []
    with kept_world(tmp_path / "state") as world:
        assert world.personalize.list_datasets()["datasets"] == []


def test_files_go_only_when_it_is_on_disk_that_their_resource_goes(tmp_path: Path) -> None:
    with kept_world(tmp_path / "state") as world:
        dataset = world.make_dataset(world.make_group())
        dropped_before = list(world.engine.dropped)
        kept_when: list[list[str]] = []
        original = world.service.persist

        def keep() -> None:
            kept_when.append(list(world.engine.dropped))
            original()

        world.service.persist = keep
        world.personalize.delete_dataset(datasetArn=dataset)
        world.finish()
        assert kept_when == [dropped_before]
        assert len(world.engine.dropped) == len(dropped_before) + 1
