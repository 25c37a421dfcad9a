"""Files on their way through the ledger: which import takes them, in which mode, and what become of the others."""

from datetime import timedelta
from functools import partial

import pytest

from lambdas.gateways.transient import TransientError
from lambdas.personalize.resources import RESOURCES
from lambdas.requests.request import UploadPolicy
from lambdas.uploads.records.file_row import FileState
from lambdas.uploads.sweep import Swept
from tests.lambdas.uploads.world import BEGINNING, World, csv

KEY = "uploads/movies/interactions/{}.csv"
MONDAY, TUESDAY, FULL = KEY.format("monday"), KEY.format("tuesday"), KEY.format("full/all")


def modes(world: World) -> list[str]:
    return [mode for mode, _ in world.jobs.values()]


def test_imported_files_alone_are_tagged_before_they_are_settled() -> None:
    world = World()
    world.tags_imported = True
    world.drop(MONDAY, csv("ann"))
    world.drop(KEY.format("bad"), b"WRONG\n1\n")
    world.objects.troubles["tag", MONDAY] = TransientError("SlowDown")
    world.run()
    assert world.states_of(MONDAY) == ["CLAIMED"]
    world.objects.troubles.clear()
    world.sweep()
    world.run()
    assert world.states_of(MONDAY) == ["IMPORTED"]
    assert world.states_of(KEY.format("bad")) == ["REJECTED"]
    assert world.objects.tags == {(MONDAY, world.objects.versions[MONDAY][0].number): ("ledger", "IMPORTED")}


def test_import_jobs_are_listed_until_one_has_filled_the_dataset_and_never_again() -> None:
    world = World()
    for number in range(5):
        world.drop(KEY.format(number), csv(f"user{number}"))
        world.run()
    assert len(world.jobs) == 5
    assert world.personalize.listings == 2  # before the first import, and once after it


def test_a_dataset_that_was_made_anew_is_not_taken_for_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    for number in range(3):
        world.drop(KEY.format(number), csv(f"user{number}"))
        world.run()
    made_anew = BEGINNING + timedelta(days=1)
    described = {"datasetArn": "arn", "schemaArn": "arn/schema", "status": "ACTIVE", "creationDateTime": made_anew}
    schema = world.personalize.describe(RESOURCES["schema"], "arn/schema")
    monkeypatch.setattr(world.personalize, "describe", lambda row, _: schema if row.noun == "schema" else described)
    world.drop(MONDAY, csv("ann"))
    world.run()
    assert modes(world) == ["FULL", "INCREMENTAL", "INCREMENTAL", "FULL"]


def test_the_first_import_is_full_and_the_next_adds() -> None:
    world = World()
    world.drop(MONDAY, csv("ann"))
    world.run()
    world.drop(TUESDAY, csv("bob"))
    world.run()
    assert modes(world) == ["FULL", "INCREMENTAL"]
    assert world.held == [csv("ann").decode(), csv("bob").decode()]
    assert world.states_of(MONDAY) == world.states_of(TUESDAY) == ["IMPORTED"]
    assert {execution.status for execution in world.executions.values()} == {"SUCCEEDED"}


def test_an_event_that_comes_again_does_nothing() -> None:
    world = World()
    event = world.upload(MONDAY, csv("ann"))
    for _ in range(3):
        world.deliver(event)
        world.run()
    assert len(world.jobs) == 1
    assert world.states_of(MONDAY) == ["IMPORTED"]


def test_a_burst_calls_for_one_execution_and_becomes_one_job() -> None:
    world = World()
    for number in range(50):
        world.drop(KEY.format(number), csv(f"user{number}", rows=20))
    assert len(world.executions) == 1
    world.run()
    assert len(world.jobs) == 1
    assert world.held == [csv(f"user{number}", rows=20).decode() for number in range(50)]


def test_uploads_during_an_import_go_next_in_one_job() -> None:
    world = World()
    world.drop(MONDAY, csv("ann"))
    execution = next(iter(world.executions.values()))
    while not world.jobs:
        world.step(execution)
    for number in range(5):
        world.drop(KEY.format(number), csv(f"user{number}", rows=300))
    world.run()
    assert [len(contents) for _, contents in world.jobs.values()] == [1, 5]
    assert len(world.executions) == 1


def test_a_single_file_is_imported_where_it_is_and_several_are_staged() -> None:
    world = World()
    world.drop(MONDAY, csv("ann"))
    world.run()
    assert not list(world.objects.keys("staging/"))
    world.drop(TUESDAY, csv("bob", rows=600))
    world.drop(KEY.format("wednesday"), csv("cid", rows=600))
    world.run()
    assert len(list(world.objects.keys("staging/movies/interactions/"))) == 2


def test_fewer_rows_than_an_import_takes_wait_and_say_so() -> None:
    world = World()
    world.drop(MONDAY, csv("ann", rows=612))
    world.run()
    (execution,) = world.executions.values()
    assert execution.status == "SUCCEEDED"
    assert execution.state.outcome == "WAITING"
    assert "612 rows" in execution.state.message
    assert "388 are missing" in execution.state.message
    assert "2026-11-20T12:00:01" in execution.state.message
    assert world.sweep() == []  # nothing came since: no execution for the same answer
    world.drop(TUESDAY, csv("bob", rows=388))
    world.run()
    assert world.states_of(MONDAY) == world.states_of(TUESDAY) == ["IMPORTED"]


def test_a_newer_version_supersedes_the_one_that_waits() -> None:
    world = World()
    events = [world.upload(MONDAY, csv(user)) for user in ("ann", "bob")]
    for event in reversed(events):
        world.deliver(event)
    world.run()
    assert world.held == [csv("bob").decode()]
    assert sorted(world.states_of(MONDAY)) == ["IMPORTED", "SUPERSEDED"]


def test_an_event_that_comes_after_its_object_was_overwritten_and_imported_changes_nothing() -> None:
    world = World()
    late, prompt = (world.upload(MONDAY, csv(user)) for user in ("ann", "bob"))
    world.deliver(prompt)
    world.run()
    world.deliver(late)
    world.run()
    assert world.held == [csv("bob").decode()]
    assert sorted(world.states_of(MONDAY)) == ["IMPORTED", "SUPERSEDED"]


def test_full_replaces_what_is_there_and_supersedes_what_waited_before_it() -> None:
    world = World(filled=True)
    for key, user in ((MONDAY, "ann"), (FULL, "all"), (TUESDAY, "bob")):
        world.drop(key, csv(user))
    world.run()
    assert modes(world) == ["FULL", "INCREMENTAL"]
    assert world.held == [csv("all").decode(), csv("bob").decode()]
    assert world.states_of(MONDAY) == ["SUPERSEDED"]


def test_full_supersedes_nothing_before_it_is_imported() -> None:
    """A selection: should the replacement turn out bad, what it would have replaced is still there to import."""
    world = World(filled=True)
    world.drop(MONDAY, csv("ann"))
    world.drop(FULL, b"USER_ID,ITEM_ID\nann,item1\n")
    world.run()
    assert world.held == [csv("ann").decode()]
    assert world.states_of(FULL) == ["REJECTED"]


def test_a_bad_file_is_reported_and_the_good_ones_go_on() -> None:
    world = World()
    world.drop(MONDAY, csv("ann"))
    world.drop(TUESDAY, b"USER_ID,TIMESTAMP\nann,1\n")
    world.run()
    assert world.states_of(MONDAY) == ["IMPORTED"]
    assert world.states_of(TUESDAY) == ["REJECTED"]
    (execution,) = world.executions.values()
    assert (execution.status, execution.error) == ("FAILED", "UploadRejected")
    for told in (TUESDAY, "line 1", "ITEM_ID"):
        assert told in execution.cause
    report = world.objects.text("rejected/movies/interactions/tuesday.csv.report.txt")
    assert report is not None
    assert "ITEM_ID is missing" in report


def test_rejections_are_told_once() -> None:
    world = World()
    world.drop(TUESDAY, b"USER_ID,TIMESTAMP\nann,1\n")
    world.run()
    world.drop(MONDAY, csv("ann"))
    world.run()
    assert [execution.status for execution in world.executions.values()] == ["FAILED", "SUCCEEDED"]


def test_bad_rows_can_be_left_out() -> None:
    world = World(policy=UploadPolicy.model_validate({"badRows": "DROP"}))
    bad = csv("ann") + b"bob,item1,yesterday\n" + csv("cid").partition(b"\n")[2]
    world.drop(MONDAY, bad)
    world.run()
    assert world.states_of(MONDAY) == ["IMPORTED"]
    assert world.held == [(csv("ann") + csv("cid").partition(b"\n")[2]).decode()]
    assert "line 1002" in (world.objects.text("rejected/movies/interactions/monday.csv.report.txt") or "")


def test_files_for_a_dataset_that_does_not_exist_wait_and_say_so() -> None:
    world = World()
    world.exists = False
    world.drop(MONDAY, csv("ann"))
    world.run()
    (first,) = world.executions.values()
    assert (first.status, first.state.outcome) == ("SUCCEEDED", "WAITING")
    assert "movies/interactions does not exist yet; 1 file(s) wait" in first.state.message
    world.exists = True
    world.begin()
    world.run()
    assert world.states_of(MONDAY) == ["IMPORTED"]


def test_a_failed_job_sets_its_files_back_until_they_have_failed_often_enough() -> None:
    world = World()
    world.drop(MONDAY, csv("ann"))
    for state in ("WAITING", "WAITING", "REJECTED"):
        world.failing = "Insufficient privileges"
        world.run()
        assert world.states_of(MONDAY) == [state]
        world.sweep()
    assert [execution.cause for execution in world.executions.values()] == ["Insufficient privileges"] * 3
    assert len(world.failed_jobs) == 3  # a job's name is never free again: each try had its own
    (row,) = world.ledger.versions("movies/interactions", MONDAY)
    assert row.reason == "Insufficient privileges"
    assert world.leases.read("movies/interactions").holder is None


def test_a_failed_job_can_reject_its_files_at_once() -> None:
    world = World(policy=UploadPolicy.model_validate({"onFailedImport": "REJECT"}))
    world.drop(MONDAY, csv("ann"))
    world.failing = "no"
    world.run()
    assert world.states_of(MONDAY) == ["REJECTED"]


def test_what_came_during_a_failed_job_is_imported_without_waiting_for_a_sweep() -> None:
    world = World(policy=UploadPolicy.model_validate({"onFailedImport": "REJECT"}))
    world.drop(MONDAY, csv("ann"))
    execution = next(iter(world.executions.values()))
    world.failing = "no"
    while not world.failed_jobs:
        world.step(execution)
    world.drop(TUESDAY, csv("bob"))
    world.run()
    assert world.states_of(TUESDAY) == ["IMPORTED"]


def test_a_second_execution_waits_for_the_job_of_the_first() -> None:
    world = World()
    world.drop(MONDAY, csv("ann"))
    first = next(iter(world.executions.values()))
    second = world.begin()
    while world.leases.read("movies/interactions").batch is None:
        world.step(first)
    world.run()
    assert len(world.jobs) == 1
    assert second.status == "SUCCEEDED"
    assert second.state.outcome in {"IMPORTED", "NOTHING"}


def test_a_second_execution_with_nothing_to_attach_to_says_busy() -> None:
    world = World()
    world.drop(MONDAY, csv("ann"))
    world.step(next(iter(world.executions.values())))
    second = world.begin()
    while world.step(second):
        pass
    assert (second.status, second.state.outcome) == ("SUCCEEDED", "BUSY")


@pytest.mark.parametrize("states", [1, 2])
def test_a_pipeline_takes_over_from_who_has_not_committed_to_a_job(states: int) -> None:
    world = World()
    world.drop(MONDAY, csv("ann"))
    first = next(iter(world.executions.values()))
    for _ in range(states):
        world.step(first)
    second = world.begin(urgent=True)
    while world.step(second):
        pass
    world.run()
    assert (second.status, second.state.outcome, second.state.rows) == ("SUCCEEDED", "IMPORTED", 1000)
    assert (first.status, first.state.outcome) == ("SUCCEEDED", "BUSY")
    assert len(world.jobs) == 1


def test_a_pipeline_waits_for_a_job_that_was_committed_to() -> None:
    world = World()
    world.drop(MONDAY, csv("ann"))
    first = next(iter(world.executions.values()))
    while first.state.batch is None:
        world.step(first)
    second = world.begin(urgent=True)
    while world.step(second):
        pass
    world.run()
    assert [execution.state.outcome for execution in (first, second)] == ["IMPORTED", "IMPORTED"]
    assert len(world.jobs) == 1


def test_a_sweep_leaves_files_alone_whose_dataset_does_not_exist() -> None:
    world = World()
    world.exists = False
    world.drop(MONDAY, csv("ann"))
    world.run()
    assert world.sweep() == []
    world.exists = True
    assert world.sweep() == ["movies/interactions"]
    world.run()
    assert world.states_of(MONDAY) == ["IMPORTED"]


def test_a_large_file_is_inspected_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.objects.chunk_bytes = 4096
    world.drop(MONDAY, csv("ann", "bob"))
    execution = next(iter(world.executions.values()))
    world.step(execution)
    offsets = []
    for _ in range(3):
        # Time for one group of files, and for one chunk of it.
        monkeypatch.setattr(world.inspection, "_out_of_time", partial(next, iter([False, True]), True))
        world.step(execution)
        (row,) = world.ledger.unsettled("movies/interactions")
        offsets.append(row.progress)
        world.step(execution)
    assert len(set(offsets)) == 3
    monkeypatch.undo()
    world.run()
    assert world.states_of(MONDAY) == ["IMPORTED"]
    assert next(iter(world.ledger.versions("movies/interactions", MONDAY))).rows == 2000


def test_a_file_too_large_for_an_increment_is_rejected_and_fits_a_first_import() -> None:
    world = World(filled=True)
    event = world.upload(MONDAY, csv("ann"))
    event["detail"]["object"]["size"] = 1_200_000_000
    world.deliver(event)
    world.run()
    (row,) = world.ledger.versions("movies/interactions", MONDAY)
    assert row.state is FileState.REJECTED
    assert "1,200,000,000 bytes" in row.reason


def test_misplaced_objects_are_reported_in_the_ledger() -> None:
    world = World()
    world.drop("uploads/movies/intractions/monday.csv", csv("ann"))
    (row,) = world.ledger.versions("movies/intractions", "uploads/movies/intractions/monday.csv")
    assert row.state is FileState.REJECTED
    assert "interactions, items" in row.reason
    assert not world.executions


def test_requests_and_batch_inputs_start_their_machines_once() -> None:
    world = World()
    for key in ("requests/movies.json", "uploads/movies/batch/weekly/users.json"):
        event = world.upload(key, b"{}")
        world.deliver(event)
        world.deliver(event)
    assert world.sweep_closely() == Swept()
    assert [arn.partition(":")[0] for arn in world.executions] == ["pipeline", "batch"]


def test_a_sweep_records_what_no_event_announced() -> None:
    world = World()
    event = world.upload(MONDAY, csv("ann"))
    assert world.sweep() == ["movies/interactions"]
    world.run()
    world.deliver(event)  # late after all
    world.run()
    assert world.states_of(MONDAY) == ["IMPORTED"]
    assert len(world.jobs) == 1
    assert world.sweep() == []


def test_a_sweep_finds_requests_batch_inputs_and_misplaced_objects_once() -> None:
    world = World()
    keys = ["requests/movies.json", "uploads/movies/batch/weekly/users.json", "uploads/movies/itms/a.csv"]
    for key in keys:
        world.upload(key, b"{}")
    assert sorted(world.sweep_closely().unannounced) == keys
    assert world.sweep_closely().unannounced == []
    assert [arn.partition(":")[0] for arn in world.executions] == ["batch", "pipeline"]
