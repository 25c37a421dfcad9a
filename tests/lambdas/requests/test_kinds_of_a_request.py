"""Every kind of resource that a request names is made, changed and left alone by the steps, with the group's tags."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdas.requests.request_reading import parse_request
from tests.lambdas.requests.step_runs import StepRuns, step_runs
from tests.personalize_local.personalize.world import FIELDS, ROLE

GROUP = "vod"
TAGS = [{"tagKey": "team", "tagValue": "films"}]
OTHER_TAGS = [{"tagKey": "team", "tagValue": "mail"}]
COLUMNS = {field["name"]: field["type"] for field in FIELDS["Interactions"]}
METRIC = {"eventType": "view", "metricName": "views", "expression": "SAMPLECOUNT()"}


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[StepRuns]:
    """Give a domain group with data."""
    with step_runs(tmp_path) as made:
        made.import_data(made.planner(document()))
        made.world.make_import(f"{made.personalize.arn_prefix}:dataset/{GROUP}/INTERACTIONS")
        made.writes.clear()
        yield made


def document(**parts: Any) -> dict[str, Any]:
    return {
        "datasetGroup": {"name": GROUP, "domain": "VIDEO_ON_DEMAND", "tags": TAGS},
        "datasets": {"interactions": {"columns": COLUMNS}},
        **parts,
    }


def whole(runs: StepRuns) -> dict[str, Any]:
    forget = runs.world.put_object("forget.csv", "USER_ID\nu1\n")
    return document(
        eventTracker={"name": "clicks"},
        metricAttribution={"name": "impact", "metrics": [METRIC]},
        filters=[{"name": "unseen", "filterExpression": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")'}],
        recommenders=[{"name": "popular", "recipeArn": "aws-vod-most-popular", "tags": OTHER_TAGS}],
        datasetExportJobs=[{"jobName": "march", "dataset": "interactions", "ingestionMode": "ALL"}],
        dataDeletionJobs=[{"jobName": "asked-in-march", "dataSource": {"dataLocation": forget}}],
    )


def written(runs: StepRuns) -> list[tuple[str, str]]:
    return [(verb, noun) for verb, noun, _ in runs.writes]


def test_all_kinds_are_made_once_with_the_tags_of_the_group(runs: StepRuns) -> None:
    planner = runs.planner(whole(runs))
    assert [one["phase"] for one in runs.import_data(planner)] == ["READY"] * 9
    made = {noun: arn for _, noun, arn in runs.writes}
    kinds = ["event_tracker", "metric_attribution", "filter", "recommender", "dataset_export_job", "data_deletion_job"]
    assert written(runs) == [("create", noun) for noun in kinds]
    tags = {noun: runs.personalize.tags(arn) for noun, arn in made.items() if noun != "metric_attribution"}
    assert tags == {noun: OTHER_TAGS if noun == "recommender" else TAGS for noun in tags}
    assert runs.world.describe("dataset_export_job", made["dataset_export_job"])["roleArn"] == ROLE
    runs.writes.clear()
    runs.import_data(planner)
    assert runs.writes == []


def test_a_recommender_is_stopped_changed_and_started_as_asked(runs: StepRuns) -> None:
    def run(**parts: Any) -> list[tuple[str, str]]:
        runs.writes.clear()
        wanted = {"name": "popular", "recipeArn": "aws-vod-most-popular", **parts}
        runs.import_data(runs.planner(document(recommenders=[wanted])))
        return written(runs)

    faster = {"recommenderConfig": {"minRecommendationRequestsPerSecond": 2}}
    assert run() == [("create", "recommender")]
    assert run(active=False) == [("stop", "recommender")]
    assert run(active=False, **faster) == []
    assert run(**faster) == [("start", "recommender"), ("update", "recommender")]
    assert run(**faster) == []


def test_metrics_are_added_and_removed_in_place_whatever_the_attribution_is_called(runs: StepRuns) -> None:
    def run(metrics: list[dict[str, str]], name: str = "impact") -> list[tuple[str, str]]:
        runs.writes.clear()
        runs.import_data(runs.planner(document(metricAttribution={"name": name, "metrics": metrics})))
        return written(runs)

    other = {**METRIC, "metricName": "clicks"}
    assert run([METRIC]) == [("create", "metric_attribution")]
    assert run([METRIC, other]) == [("update", "metric_attribution")]
    assert run([{**METRIC, "eventType": "buy"}, other]) == [("update", "metric_attribution")]
    assert run([other]) == [("update", "metric_attribution")]
    assert run([other], name="another-name") == []


def test_a_tag_of_the_group_comes_to_all_that_inherit_it(runs: StepRuns) -> None:
    runs.import_data(runs.planner(whole(runs)))
    runs.writes.clear()
    changed = whole(runs)
    changed["datasetGroup"]["tags"] = [*TAGS, {"tagKey": "cost", "tagValue": "7"}]
    runs.import_data(runs.planner(changed))
    heirs = ["dataset_group", "dataset", "event_tracker", "filter", "dataset_export_job", "data_deletion_job"]
    assert written(runs) == [("tag", noun) for noun in heirs]


def test_an_import_job_is_asked_what_its_dataset_says() -> None:
    said = {"columns": COLUMNS, "importJob": {"publishAttributionMetricsToS3": True}}
    request = parse_request(document(datasets={"interactions": said, "users": {"columns": {"USER_ID": "string"}}}))
    assert request.import_job_options("interactions") == {"tags": TAGS, "publishAttributionMetricsToS3": True}
    assert request.import_job_options("users") == {"tags": TAGS}
