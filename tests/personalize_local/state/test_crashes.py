"""After `kill -9` there is one moment: objects and items of the same instant, at most a few seconds old."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from personalize_local.cloud import Cloud
from personalize_local.state.directory import taken
from personalize_local.state.moments import kept
from tests.personalize_local.state.writer import TABLE

PROJECT = Path(__file__).parents[3]
OLDEST_SECONDS = 10  # a loaded machine is slow to write what it takes every second


def killed(directory: Path, after_seconds: float) -> list[tuple[float, int]]:
    """Run the writer, kill it so long after its first round, and return when it finished which round."""
    command = [sys.executable, "-m", "tests.personalize_local.state.writer", str(directory)]
    rounds: list[tuple[float, int]] = []
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            rounds.append((time.monotonic(), int(line)))
            if rounds[-1][0] - rounds[0][0] > after_seconds:
                break
        os.kill(process.pid, signal.SIGKILL)
    return rounds


@pytest.mark.parametrize("kill", range(3))
def test_a_killed_cloud_is_found_as_it_was_at_one_instant(tmp_path: Path, kill: int) -> None:
    rounds = killed(tmp_path / "state", random.Random(kill).uniform(1.5, 4))
    with taken(tmp_path / "state") as state, Cloud(state=state) as cloud:
        dynamodb, s3 = cloud.client("dynamodb"), cloud.client("s3")
        dynamodb.create_table(**TABLE)
        with kept(state):
            items = sorted(int(item["n"]["N"]) for item in dynamodb.scan(TableName="rounds")["Items"])
            keys = [each["Key"] for each in s3.list_objects_v2(Bucket="rounds")["Contents"]]
            newest = s3.get_object(Bucket="rounds", Key=keys[-1])
    last = int(keys[-1])
    assert items == list(range(len(items)))  # nothing in between is missing
    assert items[-1] in {last, last - 1}  # the item of a round comes after its object, at no other moment
    assert len(keys) in {3, 4}  # what was deleted stays deleted
    assert (newest["Body"].read(), newest["Metadata"]) == (f"round {last}".encode(), {"round": str(last)})
    finished = next(moment for moment, n in rounds if n >= items[-1])
    assert rounds[-1][0] - finished < OLDEST_SECONDS
