"""A fault of one file stays with it: whatever call fails in whatever way for one key, the others are imported."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings, strategies

from lambdas.gateways.s3 import UnreadableObjectError
from lambdas.gateways.transient import TransientError
from lambdas.names import digest
from lambdas.requests.request import UploadPolicy
from tests.lambdas.gateways.memory_table import CrashError
from tests.lambdas.uploads.world import World, csv

FOLDER = "uploads/movies/items"
CALLS = ("open", "chunks", "current_version", "copy", "write", "report")
ERRORS = (
    UnreadableObjectError("it is archived: restore it"),
    TransientError("Reduce your request rate"),
    ValueError("Exceeds the limit (4300 digits) for integer string conversion"),
    OSError("broken pipe"),
    KeyError("x" * 500_000),
)
BAD = b"USER_ID,ITEM_ID,TIMESTAMP\nann,item1,1700000000\nben,item2,yesterday\n"


@settings(max_examples=60, deadline=None)
@given(
    call=strategies.sampled_from(CALLS),
    error=strategies.sampled_from(ERRORS),
    place=strategies.integers(0, 4),
    content=strategies.sampled_from([csv("guilty", rows=3), BAD]),
    drops=strategies.booleans(),
    large=strategies.booleans(),
)
def test_any_error_of_any_call_about_one_file_holds_up_no_other(
    call: str, error: Exception, place: int, content: bytes, drops: bool, large: bool
) -> None:
    world = World(filled=True, policy=UploadPolicy.model_validate({"badRows": "DROP" if drops else "REJECT"}))
    names = [f"{FOLDER}/{number}.csv" for number in range(5)]
    guilty = names[place]
    if large:
        content = content.replace(b"\n", b"\n" + b"ann,item,1700000000\n" * 60_000, 1)
    reports = [f"rejected/movies/items/{place}.csv.report.{kind}" for kind in ("json", "txt")]
    for key in reports if call == "report" else [guilty]:
        world.objects.troubles["write" if call == "report" else call, key] = error
    for name in names:
        world.drop(name, content if name == guilty else csv(name, rows=3))
    world.run()
    for _ in range(2):
        world.sweep()
        world.run()
    states = {name: world.states_of(name) for name in names}
    assert {state for name, found in states.items() for state in found if name != guilty} == {"IMPORTED"}, states
    (row,) = world.ledger.versions("movies/items", guilty)
    assert str(row.state) in {"IMPORTED", "REJECTED"}
    assert len(row.reason) < 5_000
    assert "guilty" in str(world.held) or row.state == "REJECTED" or drops


def test_a_file_that_cannot_be_read_is_given_up_with_a_report_that_says_what_to_do() -> None:
    world = World(filled=True)
    world.objects.troubles["open", f"{FOLDER}/a.csv"] = ERRORS[0]
    world.drop(f"{FOLDER}/a.csv", csv("ann", rows=3))
    world.run()
    assert world.states_of(f"{FOLDER}/a.csv") == ["WAITING"]
    for _ in range(2):
        world.sweep()
        world.run()
    assert world.states_of(f"{FOLDER}/a.csv") == ["REJECTED"]
    assert "restore it" in str(world.objects.text("rejected/movies/items/a.csv.report.txt"))
    assert any("restore it" in one.cause for one in world.executions.values())


@pytest.mark.parametrize("guilty", [[0], [7], [2, 3], [0, 1, 2, 3, 4, 5, 6, 7]])
def test_the_guilty_of_a_failed_job_are_found_and_the_others_imported(guilty: list[int]) -> None:
    world = World(filled=True)
    contents = [csv(f"user{number}", rows=3) for number in range(8)]
    world.poison = frozenset(contents[number].decode() for number in guilty)
    for number, content in enumerate(contents):
        world.drop(f"{FOLDER}/{number}.csv", content)
    for _ in range(5):
        world.run()
        world.sweep()
    states = [world.states_of(f"{FOLDER}/{number}.csv") for number in range(8)]
    assert states == [["REJECTED"] if number in guilty else ["IMPORTED"] for number in range(8)]
    assert sorted(world.held) == sorted(c.decode() for n, c in enumerate(contents) if n not in guilty)


def test_files_too_small_for_a_job_of_their_own_are_not_tried_apart() -> None:
    world = World(filled=True)
    for number in range(4):
        world.drop(f"uploads/movies/interactions/{number}.csv", csv(f"user{number}", rows=300))
    world.poison = frozenset({csv("user0", rows=300).decode()})
    for _ in range(4):
        world.run()
        world.sweep()
    found: Any = {state for n in range(4) for state in world.states_of(f"uploads/movies/interactions/{n}.csv")}
    assert found == {"REJECTED"}


def test_what_a_dead_function_staged_is_not_staged_again() -> None:
    world = World(filled=True)
    for number in range(3):
        world.drop(f"{FOLDER}/{number}.csv", csv(f"user{number}", rows=3))
    world.objects.troubles["copy", f"{FOLDER}/2.csv"] = CrashError()
    execution = next(iter(world.executions.values()))
    for _ in range(3):
        world.step(execution)
    staged = {key: len(versions) for key, versions in world.objects.versions.items() if key.startswith("staging/")}
    assert len(staged) == 2
    world.kill(execution)
    world.objects.troubles.clear()
    world.sweep()
    world.run()
    again = {key: len(versions) for key, versions in world.objects.versions.items() if key.startswith("staging/")}
    assert {key: again[key] for key in staged} == staged
    assert len(again) == 3


@pytest.mark.parametrize("name", ["monday", "monday.CSV", "monday.csv.txt", "é" * 400, "\U0001f600" * 200])
def test_a_lone_file_is_imported_under_any_name(name: str) -> None:
    world = World(filled=True)
    world.drop(f"{FOLDER}/{name}", csv("ann", rows=3))
    world.run()
    assert world.states_of(f"{FOLDER}/{name}") == ["IMPORTED"]
    ((location,),) = [tuple(key for key in world.objects.versions if key.startswith("staging/"))]
    assert location.endswith(".csv")
    assert all(len(row.queue_position.encode()) <= 1_024 for row in world.rows("movies/items"))


def test_side_files_are_written_down_and_left_alone() -> None:
    world = World(filled=True)
    world.drop(f"{FOLDER}/_SUCCESS", b"")
    world.drop(f"{FOLDER}/part-0", csv("ann", rows=3))
    world.run()
    assert world.states_of(f"{FOLDER}/_SUCCESS") == ["IGNORED"]
    assert world.states_of(f"{FOLDER}/part-0") == ["IMPORTED"]
    assert [one.status for one in world.executions.values()] == ["SUCCEEDED"]


def test_a_file_that_no_import_could_take_is_refused_before_it_is_read() -> None:
    world = World(filled=True)
    event = world.upload(f"{FOLDER}/huge.csv", csv("ann", rows=3))
    event["detail"]["object"]["size"] = 2 * 10**9
    world.objects.troubles["open", f"{FOLDER}/huge.csv"] = AssertionError("it is read")
    world.deliver(event)
    world.run()
    (row,) = world.rows("movies/items")
    assert str(row.state) == "REJECTED"
    assert "split it" in row.reason


@pytest.mark.parametrize("calls", range(40))
def test_what_arrives_while_a_file_is_rejected_is_not_forgotten(calls: int) -> None:
    """Without a sweep: the holder must not give the lease back as if it had seen what came meanwhile."""
    world = World(filled=True)
    event = world.upload(f"{FOLDER}/huge.csv", csv("ann", rows=3))
    event["detail"]["object"]["size"] = 2 * 10**9
    world.deliver(event)
    (row,) = world.rows("movies/items")
    world.ledger.note(replace(row, rows=3), epoch=0)  # as when it was inspected while the limit was another
    late = world.upload(f"{FOLDER}/late.csv", csv("ben", rows=3))
    world.table.interrupt(calls, lambda: world.deliver(late))
    world.run()
    world.table.interrupt(0, None)
    if not world.states_of(f"{FOLDER}/late.csv"):  # nothing called so often
        world.deliver(late)
        world.run()
    assert world.states_of(f"{FOLDER}/huge.csv") == ["REJECTED"]
    assert world.states_of(f"{FOLDER}/late.csv") == ["IMPORTED"]


HEADER = b"USER_ID,ITEM_ID,TIMESTAMP\n"
HOSTILE = {
    "unreadable": csv("guilty", rows=3),
    "torn": csv("guilty", rows=3),
    "empty": b"",
    "gzip": b"\x1f\x8b\x08\x00" + bytes(range(256)),
    "latin1": HEADER + b"j\xfcrgen,item,1700000000\n",
    "utf16": csv("ann").decode().encode("utf-16"),
    "digits": HEADER + b"ann,item," + b"9" * 5_000 + b"\n",
    "columns": b",".join(b"C%d" % number for number in range(100_000)) + b"\n1,2\n",
    "missing": b"USER_ID,ITEM_ID\nann,item\n",
    "endless": HEADER + b"x" * (3 << 20),
}


def test_ten_hostile_files_among_a_hundred_are_reported_and_ninety_imported_within_two_sweeps() -> None:
    world = World(filled=True)
    world.objects.troubles["open", f"{FOLDER}/unreadable.csv"] = ERRORS[0]
    world.objects.troubles["chunks", f"{FOLDER}/torn.csv"] = TransientError("Connection broken: IncompleteRead")
    good = {f"good-{number}": csv(f"user{number}", rows=3) for number in range(90)}
    names = sorted({**good, **HOSTILE}, key=digest)
    for name in names:
        world.drop(f"{FOLDER}/{name}.csv", {**good, **HOSTILE}[name])
    world.run()
    for _ in range(2):
        world.sweep()
        world.run()
    states = {name: world.states_of(f"{FOLDER}/{name}.csv") for name in names}
    assert {name for name in names if states[name] == ["IMPORTED"]} == set(good)
    assert {name for name in names if states[name] == ["REJECTED"]} == set(HOSTILE)
    reports = [key for key in world.objects.versions if key.startswith("rejected/") and key.endswith(".txt")]
    assert len(reports) == len(HOSTILE)
    assert all(len(versions[-1].content) < 20_000 for key, versions in world.objects.versions.items() if key in reports)
