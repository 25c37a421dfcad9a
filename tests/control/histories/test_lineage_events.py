"""A history as OpenLineage's events: what the specification requires, and the same ids each time."""

import json
import uuid
from datetime import datetime
from typing import Any, Final

from control.histories.group_history import FileJourney
from control.histories.lineage_events import LineageEvents
from lambdas.releases.release_history import ReleaseHistory, ServingRecord, VersionRecord
from lambdas.uploads.records.file_row import FileRow

PREFIX: Final = "arn:aws:personalize:eu-west-1:123456789012"
ARN: Final = f"{PREFIX}:solution/dev-for-you/1a2b"
AT: Final = "2026-05-10T03:00:00+00:00"
VERSION: Final = VersionRecord(
    "for-you", "monday", ARN, AT, "DEPLOY", "", "data was imported", {"coverage": 0.5}, {"interactions": AT}, "", ""
)
HISTORY: Final = ReleaseHistory((VERSION,), (ServingRecord("dev-for-you", ARN, AT),), {})
JOURNEY: Final = FileJourney(
    FileRow(
        "movies/interactions", "uploads/movies/interactions/a.csv", "v1", True, 9, AT, rows=7, settled=AT, job_arn="job"
    ),
    (VERSION,),
)


def lineage() -> LineageEvents:
    return LineageEvents("personalize-dev", PREFIX, "the-bucket", f"{PREFIX}:dataset-group/dev-movies")


def events() -> list[dict[str, Any]]:
    return [*lineage().of_versions(HISTORY), *lineage().of_files([JOURNEY])]


def test_every_event_has_what_the_specification_requires() -> None:
    """A fact, from OpenLineage.json 2-0-2: members of RunEvent, and that a run needs a START and an ending."""
    for event in json.loads(json.dumps(events())):
        assert event["eventType"] in {"START", "COMPLETE"}
        assert datetime.fromisoformat(event["eventTime"]).tzinfo
        uuid.UUID(event["run"]["runId"])
        assert event["job"].keys() >= {"namespace", "name"}
        assert all(one.keys() >= {"namespace", "name"} for one in (*event["inputs"], *event["outputs"]))
        assert event["producer"]
        assert event["schemaURL"].startswith("https://openlineage.io/spec/2-0-2/")
    runs = [event["run"]["runId"] for event in events()]
    assert len(runs) == 6
    assert len(set(runs)) == 3


def test_file_dataset_version_and_campaign_hang_together() -> None:
    ends = {event["job"]["name"]: event for event in events() if event["eventType"] == "COMPLETE"}
    imported, trained, deployed = (
        ends[name] for name in ("import movies/interactions", "train for-you", "deploy dev-for-you")
    )
    assert imported["inputs"][0]["namespace"] == "s3://the-bucket"
    assert imported["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 7
    for before, after in ((imported, trained), (trained, deployed)):
        produced, consumed = before["outputs"][0], after["inputs"][0]
        assert (produced["namespace"], produced["name"]) == (consumed["namespace"], consumed["name"])
    assert deployed["outputs"][0]["name"] == "campaign/dev-for-you"


def test_ids_are_the_same_each_time_and_differ_from_stage_to_stage() -> None:
    assert events() == events()
    other = LineageEvents("personalize-prod", PREFIX, "the-bucket", f"{PREFIX}:dataset-group/movies")
    assert not {one["run"]["runId"] for one in other.of_versions(HISTORY)} & {one["run"]["runId"] for one in events()}


def test_a_file_that_was_not_imported_has_no_run() -> None:
    row = FileRow("movies/items", "uploads/movies/items/a.csv", "v1", True, 9, AT)
    assert list(lineage().of_files([FileJourney(row, ())])) == []
