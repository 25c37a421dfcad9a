"""A data engineer with ratings of their own, from raw files to recommendations, by the command line alone."""

import json
import os
import random
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
import typer

from control.program import app
from personalize_local.cloud import Cloud
from tests.e2e.resource_zoo import INTERACTIONS

ROOT = Path(__file__).parents[2]
GENRES = ("Comedy", "Drama", "Thriller", "Children's")
YEARS = ("1999", "null")
WEEKLY = {
    "name": "weekly",
    "scheduleExpression": "cron(0 3 ? * SUN *)",
    "scheduleExpressionTimezone": "Europe/Berlin",
    "action": "TRAIN",
}


class Terminal:
    """Runs commands in a folder, and counts them; `verbs` are those that any terminal has run."""

    verbs: ClassVar[set[str]] = set()

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
        self.verbs.add(arguments[0])
        return ended.stdout + ended.stderr

    def document(self, *arguments: str, flags: tuple[str, ...] = ("--json",)) -> Any:
        return json.loads(self.control(*arguments, *flags))


def version_of(terminal: Terminal) -> dict[str, Any]:
    """Return what is told of the newest version."""
    newest: dict[str, Any] = terminal.document("history", "films")["versions"][-1]
    return newest


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
    (folder / "films.json").write_text(json.dumps({**request, "schedules": [WEEKLY]}))

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
    """After the journey: every other view of the group."""
    terminal = Terminal(cloud, folder)
    assert "served: " in terminal.control("history", "films")
    version = version_of(terminal)
    assert version["metrics"]["coverage"] > 0
    way = terminal.control("history", "films", "--file", "uploads/films/interactions/ratings.csv")
    assert "IMPORTED" in way
    assert version["name"] in way
    assert "IMPORTED" in terminal.control("files", "uploads/films/items/movies.csv")
    assert "none" in terminal.control("files", "films")
    status = terminal.control("status", "films")
    assert re.search(r"weekly +cron\(0 3 \? \* SUN \*\) Europe/Berlin +20\d\d-\d\d-\d\d 03:00 CES?T", status), status
    assert "did not fail" not in terminal.control("explain", "films", status=1)
    assert "plan_request" in terminal.control("logs", "--handler", "plan_request").replace("-", "_")
    assert "a month" in terminal.control("cost", "films")


def test_programs_are_told_the_same(cloud: Cloud, folder: Path) -> None:
    terminal = Terminal(cloud, folder)
    (document,) = terminal.document("files", "uploads/films/items/movies.csv")
    assert (document["state"], document["rows"], document["waits"]) == ("IMPORTED", 60, None)
    lines = terminal.control(
        "history", "films", "--open-lineage", "--file", "uploads/films/interactions/ratings.csv"
    ).splitlines()
    jobs = {json.loads(line)["job"]["name"] for line in lines}
    assert {"import films/interactions", "train dev-films-user-personalization"} <= jobs, jobs
    (journey,) = terminal.document("history", "films", "--file", "uploads/films/interactions/ratings.csv")
    assert journey["row"]["state"] == "IMPORTED"
    assert journey["trained"][-1]["name"] == version_of(terminal)["name"]
    (status,) = terminal.document("status", "films")
    assert status["lastRun"]["status"] == "SUCCEEDED"
    due = datetime.fromisoformat(status["schedules"][0]["next"])
    assert (due.strftime("%a %H:%M"), due > datetime.now(UTC)) == ("Sun 03:00", True)
    logged = terminal.document("logs", "--handler", "plan_request")
    assert logged[0]["function"] == "personalize-dev-plan-request"
    assert any(isinstance(line["message"], dict) for line in logged)
    assert terminal.document("recommend", "films", "--item", "3", "--user", "1")["itemList"]
    (bill,) = terminal.document("cost", "films")
    assert bill["serving"][0]["monthly"] > 0


def test_a_failure_is_explained_to_people_and_programs(cloud: Cloud, folder: Path) -> None:
    terminal = Terminal(cloud, folder)
    failed = terminal.control("run", "nobodys", "--every", "0.2", status=1)
    told = terminal.control("explain", "nobodys")
    assert "state Plan" in told
    failure = terminal.document("explain", "nobodys")["failure"]
    assert (failure["machine"], failure["state"], failure["error"]) == ("pipeline", "Plan", "InvalidRequestError")
    assert "requests/nobodys.json" in failure["reason"]
    assert all(text in failed and text in told for text in (failure["reason"], failure["runbook"]["do"]))


def test_requests_are_planned_and_written(cloud: Cloud, folder: Path) -> None:
    """The request that `export` writes changes nothing; one with another filter would make that."""
    terminal = Terminal(cloud, folder)
    exported = terminal.document("export", "films", flags=())
    (folder / "again.json").write_text(json.dumps(exported))
    assert exported["schedules"] == [WEEKLY]
    assert "nothing to do" in terminal.control("plan", "again.json")
    seen = {"name": "seen", "filterExpression": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")'}
    (folder / "filtered.json").write_text(json.dumps({**exported, "filters": [seen]}))
    (change,) = terminal.document("plan", "filtered.json")["changes"]
    assert (change["verb"], change["type"]) == ("create", "filter")
    schema = {"serviceConfig": {"name": "films", "schema": json.loads(INTERACTIONS)}}
    datasets = {"interactions": {"dataset": {"serviceConfig": {"name": "i"}}, "schema": schema}}
    retired = {"datasetGroup": {"serviceConfig": {"name": "films"}}, "datasets": datasets}
    (folder / "retired.json").write_text(json.dumps(retired))
    converted = terminal.control("convert", "retired.json")
    assert '"name": "films"' in converted


def test_decisions_are_taken_and_told(cloud: Cloud, folder: Path) -> None:
    terminal = Terminal(cloud, folder)
    version = version_of(terminal)["name"]
    assert "SUCCEEDED" in terminal.control("pin", "films", version, "--why", "a fair", "--by", "Ann", "--every", "0.2")
    assert "by Ann: a fair" in terminal.control("history", "films")
    assert "SUCCEEDED" in terminal.control("unpin", "films", "--every", "0.2")
    assert "SUCCEEDED" in terminal.control("approve", "films", version, "--why", "seen", "--every", "0.2")
    refused = terminal.control("rollback", "films", "--every", "0.2", status=1)
    assert "reason:" in refused


def test_a_forgotten_user_is_a_stranger_to_the_next_model(cloud: Cloud, folder: Path) -> None:
    terminal = Terminal(cloud, folder)
    before = version_of(terminal)["name"]
    assert recommended(cloud, "7") != recommended(cloud, "nobody")
    (folder / "gone.csv").write_text("USER_ID\n7\n")
    told = terminal.control("forget", "films", "gone.csv", "--every", "0.2")
    assert "models know these users until the next training" in told
    assert "SUCCEEDED" in told
    assert recommended(cloud, "7") != recommended(cloud, "nobody")
    assert "SUCCEEDED" in terminal.control("run", "films", "--every", "0.2")
    assert version_of(terminal)["name"] != before
    assert recommended(cloud, "7") == recommended(cloud, "nobody")
    assert recommended(cloud, "8") != recommended(cloud, "nobody")


def recommended(cloud: Cloud, user: str) -> list[str]:
    """Return the items that the one campaign recommends to a user."""
    (campaign,) = cloud.client("personalize").list_campaigns()["campaigns"]
    answer = cloud.client("personalize-runtime").get_recommendations(campaignArn=campaign["campaignArn"], userId=user)
    return [item["itemId"] for item in answer["itemList"]]


def test_the_group_goes(cloud: Cloud, folder: Path) -> None:
    terminal = Terminal(cloud, folder)
    told = terminal.control("teardown", "films", "--every", "0.2")
    assert "would go" in told
    assert cloud.client("personalize").list_dataset_groups()["datasetGroups"], "it was only told"
    assert "SUCCEEDED" in terminal.control("teardown", "films", "--yes", "--every", "0.2")
    assert not cloud.client("personalize").list_dataset_groups()["datasetGroups"]
    assert "SUCCEEDED" in terminal.control("teardown", "films", "--yes", "--every", "0.2")


def test_every_verb_was_run() -> None:
    """After all others of this module, which share one cloud."""
    program: Any = typer.main.get_command(app)
    assert Terminal.verbs == set(program.commands)
