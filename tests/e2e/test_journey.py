"""A data engineer with ratings of their own, from raw files to recommendations, by the command line alone."""

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from personalize_local.cloud import Cloud

ROOT = Path(__file__).parents[2]
GENRES = ("Comedy", "Drama", "Thriller", "Children's")
YEARS = ("1999", "null")


class Terminal:
    """Runs commands in a folder, and counts them."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self._environment = {**os.environ, **cloud.environment, "PYTHONPATH": str(ROOT)}
        self._folder = folder
        self.commands = 0

    def control(self, *arguments: str, status: int = 0) -> str:
        self.commands += 1
        command = [sys.executable, "-m", "control", *arguments]
        ended = subprocess.run(
            command, cwd=self._folder, env=self._environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert ended.returncode == status, f"{arguments}: {ended.stdout}\n{ended.stderr}"
        return ended.stdout + ended.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with ratings in milliseconds and titled films in a Windows encoding, as people export them."""
    chance = random.Random(7)
    ratings = ["userId;movieId;rating;timestamp"]
    ratings += [
        f"{user};{chance.randrange(60)};{chance.randrange(1, 11) / 2};{1_600_000_000_000 + chance.randrange(10**10)}"
        for user in range(80)
        for _ in range(20)
    ]
    (tmp_path / "ratings.csv").write_text("\n".join(ratings))
    films = ["movieId,title,genres,year"]
    films += [
        f'{film},"Amélie, ""part"" {film}",{chance.choice(GENRES)}|{chance.choice(GENRES)},{chance.choice(YEARS)}'
        for film in range(60)
    ]
    (tmp_path / "movies.csv").write_text("\n".join(films), encoding="cp1252")
    return tmp_path


def test_from_raw_files_to_recommendations_in_eight_commands(cloud: Cloud, folder: Path) -> None:
    terminal = Terminal(cloud, folder)
    assert "wrote films.json" in terminal.control("init", "ratings.csv", "movies.csv", "--group", "films")
    request = json.loads((folder / "films.json").read_text())
    assert set(request["datasets"]["interactions"]["columns"]) == {"USER_ID", "ITEM_ID", "EVENT_VALUE", "TIMESTAMP"}
    assert request["datasets"]["items"]["columns"]["GENRES"]["categorical"] is True

    found = terminal.control("check", "films.json", "ratings.csv", "movies.csv", status=1)
    assert "check --mend" in found
    mended = terminal.control("check", "films.json", "ratings.csv", "movies.csv", "--mend")
    assert "now whole seconds since 1970 (1,600)" in mended
    assert "written in cp1252: now UTF-8" in mended
    assert "Amélie" in (folder / "mended" / "movies.csv").read_text(encoding="utf-8")

    told = terminal.control("put", "mended/ratings.csv", "mended/movies.csv", "films.json", "--every", "0.3")
    assert "uploads/films/interactions/ratings.csv: IMPORTED 1,600 rows" in told, told
    assert "uploads/films/items/movies.csv: IMPORTED 60 rows" in told
    assert "SUCCEEDED" in told
    followed = terminal.control("run", "films", "--every", "0.3")
    assert "pipeline: Plan (films)" in followed
    assert "SUCCEEDED" in followed

    status = terminal.control("status", "films")
    assert re.search(r"campaign +\S*films-user-personalization +ACTIVE", status), status
    assert "waiting files: none" in status
    answer = terminal.control("recommend", "films", "--user", "7")
    assert len(re.findall(r"^\d+ +\d+ +0\.", answer, re.MULTILINE)) == 10, answer
    assert terminal.commands <= 8


def test_who_asks_further_is_told(cloud: Cloud, folder: Path) -> None:
    """After the journey: every other view of the group, for people and for programs."""
    terminal = Terminal(cloud, folder)
    history = terminal.control("history", "films")
    assert "served: " in history
    version = json.loads(terminal.control("history", "films", "--json"))["versions"][-1]
    assert version["metrics"]["precision_at_5"] > 0
    way = terminal.control("history", "films", "--file", "uploads/films/interactions/ratings.csv")
    assert "IMPORTED" in way
    assert version["name"] in way
    assert "IMPORTED" in terminal.control("files", "uploads/films/items/movies.csv")
    assert "none" in terminal.control("files", "films")
    assert json.loads(terminal.control("status", "films", "--json"))[0]["lastRun"]["status"] == "SUCCEEDED"
    assert "did not fail" not in terminal.control("explain", "films", status=1)
    (document,) = json.loads(terminal.control("files", "uploads/films/items/movies.csv", "--json"))
    assert (document["state"], document["rows"], document["waits"]) == ("IMPORTED", 60, None)
    (journey,) = json.loads(
        terminal.control("history", "films", "--file", "uploads/films/interactions/ratings.csv", "--json")
    )
    assert (journey["row"]["state"], journey["trained"][-1]["name"]) == ("IMPORTED", version["name"])
    logged = json.loads(terminal.control("logs", "--handler", "plan_request", "--json"))
    assert logged[0]["function"] == "personalize-dev-plan-request"
    assert any(isinstance(line["message"], dict) for line in logged)
    assert "plan_request" in terminal.control("logs", "--handler", "plan_request").replace("-", "_")
    assert "a month" in terminal.control("cost", "films")
    assert json.loads(terminal.control("recommend", "films", "--item", "3", "--user", "1", "--json"))["itemList"]


def test_decisions_are_taken_and_told(cloud: Cloud, folder: Path) -> None:
    terminal = Terminal(cloud, folder)
    version = json.loads(terminal.control("history", "films", "--json"))["versions"][-1]["name"]
    assert "SUCCEEDED" in terminal.control("pin", "films", version, "--why", "a fair", "--by", "Ann", "--every", "0.2")
    assert "by Ann: a fair" in terminal.control("history", "films")
    assert "SUCCEEDED" in terminal.control("unpin", "films", "--every", "0.2")
    assert "SUCCEEDED" in terminal.control("approve", "films", version, "--why", "seen", "--every", "0.2")
    refused = terminal.control("rollback", "films", "--every", "0.2", status=1)
    assert "reason:" in refused


def test_users_are_forgotten_and_the_group_goes(cloud: Cloud, folder: Path) -> None:
    terminal = Terminal(cloud, folder)
    (folder / "gone.csv").write_text("USER_ID\n7\n")
    assert "SUCCEEDED" in terminal.control("forget", "films", "gone.csv", "--every", "0.2")
    told = terminal.control("teardown", "films", "--every", "0.2")
    assert "would go" in told
    assert cloud.client("personalize").list_dataset_groups()["datasetGroups"], "it was only told"
    assert "SUCCEEDED" in terminal.control("teardown", "films", "--yes", "--every", "0.2")
    assert not cloud.client("personalize").list_dataset_groups()["datasetGroups"]
    assert "SUCCEEDED" in terminal.control("teardown", "films", "--yes", "--every", "0.2")
