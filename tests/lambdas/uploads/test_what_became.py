"""What became of a file that was not imported: a report, a warning, and why it waits."""

import json

import pytest

from control.histories.file_history import describe
from tests.lambdas.gateways.memory_table import CrashError
from tests.lambdas.uploads.world import World, csv

FOLDER = "uploads/movies/interactions"
BAD = b"USER_ID,ITEM_ID\nann,item\n"


def told(world: World, key: str) -> str:
    return "\n".join(describe(key, world.table))


@pytest.mark.parametrize(
    ("key", "advice"),
    [
        ("uploads/movies/monday.csv", "an upload is put below uploads/<dataset group>/<dataset>/"),
        ("uploads/movies/interaction/monday.csv", "'interaction' is no dataset; there are interactions"),
        ("uploads/my movies/items/a.csv", "'my movies' cannot be the name of a dataset group"),
        ("uploads/movies/batch/a.json", "batch input is put below"),
        ("requests/movies.yaml", "a request is named requests/<dataset group>.json"),
        ("uploads/movies/" + "n" * 1000, "an upload is put below"),
    ],
)
def test_a_file_in_a_wrong_place_gets_a_report(key: str, advice: str) -> None:
    world = World()
    event = world.upload(key, b"x")
    for _ in range(2):
        world.deliver(event)
    (report,) = [key for key in world.objects.versions if key.startswith("rejected/") and key.endswith(".txt")]
    assert advice in (world.objects.text(report) or "")
    assert f"(report: {report})" in told(world, key)
    assert world.sweep_closely().troubles == []


def test_the_report_is_there_before_the_file_counts_as_known() -> None:
    world = World()
    event = world.upload("uploads/movies/monday.csv", b"x")
    world.table.writes_left = 0
    with pytest.raises(CrashError):
        world.deliver(event)
    world.table.writes_left = None
    assert [key for key in world.objects.versions if key.startswith("rejected/")]
    world.deliver(event)
    assert "REJECTED" in told(world, "uploads/movies/monday.csv")


def test_an_execution_tells_of_side_files_once() -> None:
    world = World(filled=True)
    side = world.upload(f"{FOLDER}/_SUCCESS", b"")
    for event in (side, side, world.upload(f"{FOLDER}/.part-0.crc", b"x"), world.upload(f"{FOLDER}/a.csv", csv("ann"))):
        world.deliver(event)
    world.run()
    world.drop(f"{FOLDER}/b.csv", csv("ben"))
    world.run()
    first, second = (execution.state.message for execution in world.executions.values())
    assert "; 2 side file(s) of other programs" in first
    assert "side file" not in second


def test_rejected_files_are_remembered_until_a_newer_version_is_good() -> None:
    world = World(filled=True)
    for name in ("a", "b"):
        world.drop(f"{FOLDER}/{name}.csv", BAD)
    world.drop(f"{FOLDER}/good.csv", csv("ann"))
    world.run()
    assert [row.key for row in world.ledger.rejected("movies/interactions")] == [f"{FOLDER}/a.csv", f"{FOLDER}/b.csv"]
    assert len(world.ledger.rejected("movies/interactions", most=1)) == 1
    world.drop(f"{FOLDER}/a.csv", csv("ben"))
    world.run()
    assert [row.key for row in world.ledger.rejected("movies/interactions")] == [f"{FOLDER}/b.csv"]
    assert world.ledger.rejected("movies/items") == []


def test_a_rejected_file_has_its_good_and_bad_rows_counted() -> None:
    world = World(filled=True)
    world.drop(f"{FOLDER}/a.csv", csv("ann", rows=7) + b"ben,item,yesterday\n" * 3)
    world.run()
    (row,) = world.rows()
    assert (row.state, row.rows, row.bad_rows) == ("REJECTED", 7, 3)


def test_it_is_told_how_many_rows_are_missing() -> None:
    world = World()
    world.drop(f"{FOLDER}/a.csv", csv("ann", rows=600))
    world.drop(f"{FOLDER}/b.csv", csv("ben", rows=12))
    world.run()
    assert "waits: 612 rows of interactions wait" in told(world, f"{FOLDER}/b.csv")
    assert "388 are missing" in told(world, f"{FOLDER}/b.csv")


def test_it_is_told_that_the_dataset_is_not_there() -> None:
    world = World()
    world.exists = False
    world.drop(f"{FOLDER}/a.csv", csv("ann"))
    world.run()
    assert "waits: its dataset did not exist" in told(world, f"{FOLDER}/a.csv")


def test_it_is_told_when_a_file_is_tried_again_and_why() -> None:
    world = World(filled=True)
    world.objects.troubles["open", f"{FOLDER}/a.csv"] = ValueError("nobody has thought of this")
    world.drop(f"{FOLDER}/a.csv", csv("ann"))
    world.run()
    history = told(world, f"{FOLDER}/a.csv")
    assert "waits: it is tried again after 2026-11-20T12:0" in history
    assert "nobody has thought of this" in history


def test_it_is_told_which_job_or_execution_a_file_waits_for() -> None:
    world = World(filled=True)
    world.drop(f"{FOLDER}/a.csv", csv("ann"))
    (execution,) = world.executions.values()
    world.step(execution)
    world.drop(f"{FOLDER}/late.csv", csv("ben"))
    assert f"waits: {execution.arn} is at work" in told(world, f"{FOLDER}/late.csv")
    while execution.state.batch is None:
        world.step(execution)
    claimed = json.loads(str(world.leases.read("movies/interactions").batch))["name"]
    assert f"waits: the import job {claimed} takes it" in told(world, f"{FOLDER}/a.csv")
    world.run()
    assert "waits" not in told(world, f"{FOLDER}/a.csv")


def test_what_nobody_looks_after_waits_for_the_next_import() -> None:
    world = World(filled=True)
    event = world.upload(f"{FOLDER}/a.csv", csv("ann"))
    world.recorder.record(event)
    assert "waits: the next import" in told(world, f"{FOLDER}/a.csv")
