"""Where an object lies says what it is for."""

import pytest

from lambdas.bucket_layout import (
    BatchInput,
    DatasetFile,
    GroupRequest,
    Ignored,
    Misplaced,
    SideFile,
    UserList,
    parse_key,
)
from lambdas.gateways.step_functions import execution_name
from lambdas.uploads.records.file_row import FileRow


@pytest.mark.parametrize(
    ("key", "dataset", "full"),
    [
        ("uploads/movies/interactions/monday.csv", "interactions", False),
        ("uploads/movies/items/2026/11/20/a b+ü.csv", "items", False),
        ("uploads/movies/action_interactions/full/x.csv", "action_interactions", True),
        ("uploads/movies/users/full/deep/er/x.csv", "users", True),
        ("uploads/movies/users/fullest/x.csv", "users", False),
        ("uploads/movies/users/x.csv.gz", "users", False),
    ],
)
def test_files_of_datasets(key: str, dataset: str, full: bool) -> None:
    assert parse_key(key) == DatasetFile("movies", dataset, key, full)


def test_other_things_that_start_something() -> None:
    assert parse_key("requests/movies.json") == GroupRequest("movies", "requests/movies.json")
    key = "uploads/movies/batch/weekly/users.json"
    assert parse_key(key) == BatchInput("movies", "weekly", key)


def test_a_list_of_users_lies_in_deletions() -> None:
    key = "uploads/movies/deletions/may/users.csv"
    assert parse_key(key) == UserList("movies", key)
    assert parse_key("uploads/movies/deletions/_SUCCESS") == SideFile(
        "movies", "deletions", "uploads/movies/deletions/_SUCCESS"
    )


@pytest.mark.parametrize("key", ["uploads/", "uploads/movies/interactions/", "uploads/movies/batch/weekly/"])
def test_folder_markers_are_ignored(key: str) -> None:
    assert parse_key(key) == Ignored(key)


@pytest.mark.parametrize(
    "key",
    [
        "uploads/readme.txt",
        "uploads/movies/monday.csv",
        "uploads/movies/Interactions/monday.csv",
        "uploads/my movies/items/a.csv",
        "uploads/movies/batch/users.json",
        "requests/movies.yaml",
        "requests/a/b.json",
        f"uploads/{'g' * 64}/items/a.csv",
        "elsewhere/a.csv",
    ],
)
def test_what_lies_nowhere_is_told_where_it_should(key: str) -> None:
    meaning = parse_key(key)
    assert isinstance(meaning, Misplaced)
    assert meaning.reason


def test_the_name_of_an_execution_is_legal_and_its_own() -> None:
    """A fact: a name has at most 80 characters, none of them blank, wild or a bracket (StartExecution)."""
    names = {execution_name(subject, "0") for subject in ("a/b", "a-b", "ü" * 200, "x" * 200, "x" * 201, "a b<*>?")}
    assert len(names) == 6
    assert all(len(name) <= 80 and name.replace("-", "").isalnum() and name.isascii() for name in names)


def row(key: str, version: str = "v1", sequencer: str = "A0", versioned: bool = True) -> FileRow:
    return FileRow("g/items", key, version, versioned, 1, "2026-01-01T00:00:00Z", sequencer)


def test_a_version_id_is_identity_enough_and_an_etag_is_not() -> None:
    assert row("k", sequencer="A").entry == row("k", sequencer="").entry
    assert row("k", "etag", "A", versioned=False).entry != row("k", "etag", "B", versioned=False).entry


def test_long_keys_fit_into_a_sort_key() -> None:
    """A fact: S3's keys and DynamoDB's sort keys both end at 1,024 bytes."""
    prefix = "uploads/g/items/"
    long = [prefix + letter * ((1024 - len(prefix)) // len(letter.encode())) for letter in ("x", "日")]
    entries = {row(key, "v" * 32).entry for key in (*long, long[0][:-1] + "y")}
    assert len(entries) == 3
    assert all(len(entry.encode()) <= 1024 for entry in entries)


@pytest.mark.parametrize(
    ("older", "newer"), [("0055AED6DCD90281E4", "0055AED6DCD90281E5"), ("0A", "0A1"), ("00", "0001")]
)
def test_sequencers_are_padded_on_the_right_and_compared_as_text(older: str, newer: str) -> None:
    """A fact: so S3 documents the order of events about one key."""
    assert row("k", "v2", newer).is_newer_than(row("k", "v1", older))
    assert not row("k", "v1", older).is_newer_than(row("k", "v2", newer))


@pytest.mark.parametrize(
    "name", ["_SUCCESS", "_started_1", ".part-0.csv.crc", "x.csv.metadata", "full/_SUCCESS", "a/b/.hidden"]
)
def test_what_other_programs_leave_beside_their_files_is_no_data(name: str) -> None:
    key = f"uploads/movies/items/{name}"
    assert parse_key(key) == SideFile("movies", "items", key)


@pytest.mark.parametrize("name", ["part-0", "data.CSV", "a_b.csv", "x.metadata.csv", "no suffix at all"])
def test_any_other_name_is_a_file(name: str) -> None:
    assert isinstance(parse_key(f"uploads/movies/items/{name}"), DatasetFile)
