"""A state directory is taken when it is free or ours and whole; otherwise one sentence, exit 2, and no file touched."""

import errno
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from personalize_local.__main__ import main
from personalize_local.cloud import Cloud
from personalize_local.state.directory import LAYOUT, MARKER, State, taken
from personalize_local.state.moments import kept
from personalize_local.state.state_errors import StateError
from tests.personalize_local.personalize.world import ACCOUNT, REGION, ROLE, avro, interactions_csv

Damage = Callable[[Path], None]


def tree(directory: Path) -> dict[str, str]:
    """Return a digest of every file below a directory."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def refusal(directory: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what `serve --state` says on standard error when it ends with 2, before any start-up."""
    with tempfile.TemporaryDirectory() as assembly:
        (Path(assembly) / "manifest.json").write_text('{"artifacts": {}}')
        assert main(["serve", "--state", str(directory), "--assembly", assembly]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err
    return captured.err


@contextmanager
def running(directory: Path) -> Iterator[Cloud]:
    with taken(directory) as state, Cloud(speed=100_000, state=state) as cloud, kept(state):
        yield cloud


def wait_for(status: Callable[[], str]) -> None:
    for _ in range(1200):
        if (seen := status()) == "ACTIVE":
            return
        assert "FAILED" not in seen
        time.sleep(0.05)
    raise AssertionError(seen)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with objects of several versions, an item, and a dataset with imported rows."""
    directory = tmp_path_factory.mktemp("kept") / "state"
    with running(directory) as cloud:
        s3, personalize = cloud.client("s3"), cloud.client("personalize")
        s3.create_bucket(Bucket="data")
        s3.put_object(Bucket="data", Key="first.csv", Body=interactions_csv().encode())
        group = personalize.create_dataset_group(name="movies")["datasetGroupArn"]
        wait_for(lambda: personalize.describe_dataset_group(datasetGroupArn=group)["datasetGroup"]["status"])
        schema = personalize.create_schema(name="interactions", schema=avro("Interactions"))["schemaArn"]
        dataset = personalize.create_dataset(
            name="interactions", schemaArn=schema, datasetGroupArn=group, datasetType="INTERACTIONS"
        )["datasetArn"]
        wait_for(lambda: personalize.describe_dataset(datasetArn=dataset)["dataset"]["status"])
        job = personalize.create_dataset_import_job(
            jobName="first", datasetArn=dataset, dataSource={"dataLocation": "s3://data/first.csv"}, roleArn=ROLE
        )["datasetImportJobArn"]
        wait_for(lambda: personalize.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"]["status"])
    return directory


@pytest.fixture
def directory(original: Path, tmp_path: Path) -> Path:
    """Return a copy to damage."""
    return Path(shutil.copytree(original, tmp_path / "state"))


def dataset_folder(directory: Path) -> Path:
    return directory / "personalize" / ACCOUNT / REGION / "datasets" / "movies" / "INTERACTIONS"


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def garble(path: Path) -> None:
    size = path.stat().st_size
    path.write_bytes(b"\xff" * size)


def garble_middle(path: Path) -> None:
    """Damage the last page: the first one still says that it is a database."""
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))


def body(directory: Path) -> Path:
    return max((directory / "bodies").iterdir(), key=lambda path: path.stat().st_size)


def sql(statement: str, *values: Any) -> Damage:
    def damage(directory: Path) -> None:
        connection = sqlite3.connect(directory / "state.sqlite")
        with connection:
            connection.execute(statement, values)
        connection.close()

    return damage


def marker(text: str) -> Damage:
    return written(lambda directory: directory / MARKER, text)


def written(file_in: Callable[[Path], Path], text: str) -> Damage:
    def damage(directory: Path) -> None:
        file_in(directory).write_text(text)

    return damage


def part(directory: Path) -> Path:
    return next(dataset_folder(directory).glob("*.parquet"))


DAMAGES: dict[str, Damage] = {
    "marker missing": lambda d: (d / MARKER).unlink(),
    "marker garbled": marker("{"),
    "marker of another shape": marker("[]"),
    "marker from the future": marker(json.dumps({"layout": LAYOUT + 1})),
    "marker from the past": marker(json.dumps({"layout": LAYOUT - 1})),
    "database missing": lambda d: (d / "state.sqlite").unlink(),
    "database empty": written(lambda d: d / "state.sqlite", ""),
    "database cut": lambda d: truncate(d / "state.sqlite"),
    "database garbled": lambda d: garble(d / "state.sqlite"),
    "database half garbled": lambda d: garble_middle(d / "state.sqlite"),
    "database without tables": sql("DROP TABLE rows"),
    "document that is no JSON": sql("UPDATE rows SET document = '{' WHERE kind = 'record'"),
    "document of another shape": sql("UPDATE rows SET document = '[]' WHERE kind = 'record'"),
    "document without members": sql("UPDATE rows SET document = '{}' WHERE kind = 'object'"),
    "record without members": sql("UPDATE rows SET document = json_remove(document, '$.course') WHERE kind = 'record'"),
    "owner that is no JSON": sql("UPDATE rows SET owner = 'me' WHERE kind = 'object'"),
    "body that leads elsewhere": sql("UPDATE rows SET body = '../../secret' WHERE kind = 'object'"),
    "body missing": lambda d: body(d).unlink(),
    "body cut": lambda d: truncate(body(d)),
    "body garbled": lambda d: garble(body(d)),
    "rows missing": lambda d: shutil.rmtree(dataset_folder(d)),
    "rows' notes garbled": lambda d: garble(dataset_folder(d) / "state.json"),
    "rows' notes of another shape": written(lambda d: dataset_folder(d) / "state.json", "{}"),
    "part missing": lambda d: part(d).unlink(),
    "part cut": lambda d: truncate(part(d)),
    "all engine files missing": lambda d: shutil.rmtree(d / "personalize"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_one_sentence_and_no_file_is_touched(
    directory: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    DAMAGES[damage](directory)
    before = tree(directory)
    assert str(directory) in refusal(directory, capsys)
    assert tree(directory) == before


def test_what_is_whole_is_taken(directory: Path) -> None:
    with running(directory) as cloud:
        dataset = cloud.client("personalize").list_datasets()["datasets"][0]
        assert dataset["status"] == "ACTIVE"
        found = cloud.client("s3").get_object(Bucket="data", Key="first.csv")["Body"].read()
        assert found == interactions_csv().encode()


def test_foreign_directories_stay_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s3").mkdir()
    (tmp_path / "s3" / "thesis.txt").write_text("the only copy")
    (tmp_path / "notes").write_text("mine")
    before = tree(tmp_path)
    assert "older version" in refusal(tmp_path, capsys)
    (tmp_path / "s3" / "thesis.txt").rename(tmp_path / "thesis.txt")
    (tmp_path / "s3").rmdir()
    assert "no state directory" in refusal(tmp_path, capsys)
    assert len(tree(tmp_path)) == len(before)


def test_a_file_is_no_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine")
    assert "not a directory" in refusal(tmp_path / "file", capsys)
    assert (tmp_path / "file").read_text() == "mine"


def test_where_nothing_can_be_written_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert "cannot be used" in refusal(Path("/proc/state"), capsys)


def test_a_second_process_is_told_the_first(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = (
        "import sys, pathlib\nfrom personalize_local.state.directory import taken\n"
        "with taken(pathlib.Path(sys.argv[1])):\n print('taken', flush=True)\n sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "taken\n"
        before = tree(directory)
        assert f"in use by process {holder.pid}\n" in refusal(directory, capsys)
        assert tree(directory) == before
        holder.kill()
    with taken(directory):  # the lock died with its process
        pass


def test_a_start_that_fails_later_loses_nothing(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {name: digest for name, digest in tree(directory).items() if name != "lock"}
    assembly = directory.parent / "unknown-types"
    assembly.mkdir()
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "odd.json"}}
    (assembly / "manifest.json").write_text(json.dumps({"artifacts": {"odd": stack}}))
    (assembly / "odd.json").write_text(json.dumps({"Resources": {"One": {"Type": "AWS::Nowhere::Known"}}}))
    assert main(["serve", "--state", str(directory), "--assembly", str(assembly)]) == 1
    assert "Nowhere" in capsys.readouterr().err
    after = tree(directory)
    assert {name: after.get(name) for name in before} == before


def test_a_full_disk_at_the_start_is_one_sentence(
    directory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = tree(directory)
    monkeypatch.setattr(Path, "write_bytes", full)
    assert "No space left on device" in refusal(directory, capsys)
    assert tree(directory) == before


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        sqlite3.OperationalError("database or disk is full"),
        TypeError("what nobody thought of"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_cannot_be_written_is_said_once_and_tried_again(
    directory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr("personalize_local.state.moments.PAUSE_SECONDS", 0.05)
    monkeypatch.setattr("personalize_local.state.moments._PAUSE_AFTER_FAILURE_SECONDS", 0.05)

    def full(*_: object) -> str:
        raise error

    said = ""
    with running(directory) as cloud:
        s3 = cloud.client("s3")
        with monkeypatch.context() as context:
            context.setattr("personalize_local.state.bodies.Bodies.write", full)
            s3.put_object(Bucket="data", Key="late", Body=b"late")
            for _ in range(30):
                time.sleep(0.05)
                said += capsys.readouterr().err
            assert s3.get_object(Bucket="data", Key="late")["Body"].read() == b"late"  # it goes on serving
        assert said.count(str(error)) == 1
        for _ in range(200):
            time.sleep(0.05)
            if "again" in (said := capsys.readouterr().err):
                break
        assert "is kept" in said
    with running(directory) as cloud:
        assert cloud.client("s3").get_object(Bucket="data", Key="late")["Body"].read() == b"late"


def test_a_taken_directory_can_be_taken_again(tmp_path: Path) -> None:
    with taken(tmp_path / "new") as state:
        assert state == State(tmp_path / "new")
        with pytest.raises(StateError, match="in use by process"), taken(tmp_path / "new"):
            pass
    with taken(tmp_path / "new"):
        pass
