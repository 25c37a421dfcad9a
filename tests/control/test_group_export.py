"""Groups that somebody made by hand: their export, run, changes nothing."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from control.group_export import NoSuchGroupError, export_group
from lambdas.personalize.stage_names import StageNames
from lambdas.previews.planned_change import predicted_calls
from lambdas.requests.plan_check import request_problems
from tests.lambdas.requests.step_runs import StepRuns, step_runs
from tests.personalize_local.personalize.world import FIELDS, RECIPES, ROLE

KEY = "arn:aws:kms:us-east-1:123456789012:key/0b5c5c0e-7d6f-4a56-8f5e-2f7e3b8a9c1d"
TEAM = [{"tagKey": "team", "tagValue": "films"}, {"tagKey": "cost", "tagValue": "7"}]
METRIC = {"eventType": "view", "metricName": "views", "expression": "SAMPLECOUNT()"}

# Twenty groups, each in what somebody might have made it of.
HANDMADE: dict[str, dict[str, Any]] = {
    "plain": {},
    "UPPER_case-7": {},
    "9-digits-first": {"filters": 3},
    "tagged": {"group": {"tags": TEAM}, "tags": TEAM, "filters": 1, "solutions": ["aws-sims"]},
    "tagged-in-part": {"group": {"tags": TEAM}, "tags": [], "filters": 2, "solutions": ["aws-sims"], "campaigns": 1},
    "tagged-below": {"tags": TEAM, "filters": 1, "tracker": "T"},
    "encrypted": {"group": {"kmsKeyArn": KEY, "roleArn": ROLE}},
    "all-data": {"datasets": ["ITEMS", "USERS"], "filters": 2},
    "actions": {"datasets": ["ITEMS", "USERS", "ACTIONS", "ACTION_INTERACTIONS"]},
    "tracked": {"tracker": "someone-elses_name"},
    "attributed": {"attribution": "Impact"},
    "trained": {"solutions": ["aws-user-personalization"]},
    "untrained": {"solutions": ["aws-sims"], "untrained": True},
    "serving": {"solutions": ["aws-user-personalization", "aws-sims"], "campaigns": 1},
    "two-campaigns": {"solutions": ["aws-user-personalization"], "campaigns": 2, "tracker": "t", "filters": 1},
    "configured": {
        "solutions": ["aws-user-personalization"],
        "campaigns": 1,
        "solution": {
            "performHPO": True,
            "eventType": "view",
            "solutionConfig": {
                "eventValueThreshold": "0.5",
                "algorithmHyperParameters": {"hidden_dimension": "64"},
                "featureTransformationParameters": {"max_user_history_length_percentile": "0.95"},
            },
        },
    },
    "automatic": {
        "solutions": ["aws-user-personalization-v2"],
        "solution": {
            "performAutoTraining": True,
            "solutionConfig": {"autoTrainingConfig": {"schedulingExpression": "rate(3 days)"}},
        },
    },
    "video": {"group": {"domain": "VIDEO_ON_DEMAND"}, "recommenders": ["aws-vod-most-popular"], "filters": 1},
    "video-stopped": {
        "group": {"domain": "VIDEO_ON_DEMAND", "tags": TEAM},
        "tags": TEAM,
        "recommenders": ["aws-vod-most-popular", "aws-vod-trending-now"],
        "stop": True,
    },
    "shop": {"group": {"domain": "ECOMMERCE"}, "tracker": "t"},
}


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[StepRuns]:
    with step_runs(tmp_path) as made:
        yield made


def by_hand(runs: StepRuns, name: str, how: dict[str, Any]) -> None:
    """Make a group through the service's own operations, with names and schemas that are not ours."""
    world, client = runs.world, runs.world.personalize
    group = world.make_group(name, **how.get("group", {}))
    tags = {"tags": how["tags"]} if how.get("tags") else {}
    domain = {"domain": how["group"]["domain"]} if "domain" in how.get("group", {}) else {}
    records = {"ACTION_INTERACTIONS": "ActionInteractions"}
    for kind in ["INTERACTIONS", *how.get("datasets", [])]:
        record = records.get(kind, kind.capitalize())
        fields = FIELDS[record][::-1]
        avro = {"type": "record", "name": record, "namespace": "by.hand", "fields": fields, "version": "1.0"}
        schema = client.create_schema(name=f"{name}-{kind}-v3_final", schema=json.dumps(avro, indent=2), **domain)
        client.create_dataset(
            name=f"x{kind.lower()}", datasetGroupArn=group, datasetType=kind, schemaArn=schema["schemaArn"], **tags
        )
        world.finish(120)
    world.make_import(f"{runs.personalize.arn_prefix}:dataset/{name}/INTERACTIONS", f"{name}-import")
    for number in range(how.get("filters", 0)):
        expression = f'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("e{number}")'
        client.create_filter(name=f"{name}-F_{number}", datasetGroupArn=group, filterExpression=expression, **tags)
    if "tracker" in how:
        client.create_event_tracker(name=how["tracker"], datasetGroupArn=group, **tags)
    if "attribution" in how:
        output = {"roleArn": ROLE, "s3DataDestination": {"path": f"s3://{world.bucket}/impact/"}}
        client.create_metric_attribution(
            name=how["attribution"], datasetGroupArn=group, metrics=[METRIC], metricsOutputConfig=output
        )
    world.finish()
    models_by_hand(runs, name, group, how, tags)


def models_by_hand(runs: StepRuns, name: str, group: str, how: dict[str, Any], tags: dict[str, Any]) -> None:
    world, client = runs.world, runs.world.personalize
    for recipe in how.get("solutions", []):
        solution = world.make_solution(group, recipe, name=f"{name}-{recipe}", **how.get("solution", {}), **tags)
        if how.get("untrained"):
            continue
        version = world.make_version(solution)
        for number in range(how.get("campaigns", 0)):
            world.make_campaign(version, f"{name}-{recipe}-C{number}", minProvisionedTPS=number + 1, **tags)
    for recipe in how.get("recommenders", []):
        arn = client.create_recommender(
            name=f"{name}-{recipe}", datasetGroupArn=group, recipeArn=f"{RECIPES}{recipe}", **tags
        )["recommenderArn"]
        world.finish()
        if how.get("stop"):
            client.stop_recommender(recommenderArn=arn)
            world.finish()


@pytest.mark.parametrize("name", HANDMADE)
def test_running_an_export_changes_nothing(runs: StepRuns, name: str) -> None:
    by_hand(runs, name, HANDMADE[name])
    exported = export_group(runs.personalize, name)
    planner = runs.planner(json.loads(json.dumps(exported.request)))
    assert request_problems(planner, runs.personalize) == []
    planned = runs.preview(planner).changes()
    assert {change.verb for change in planned} == {"leave"}, planned
    assert predicted_calls(planned) == []
    runs.run(planner)
    assert runs.writes == []


def test_what_is_there_is_in_the_export(runs: StepRuns) -> None:
    by_hand(runs, "two-campaigns", HANDMADE["two-campaigns"])
    exported = export_group(runs.personalize, "two-campaigns")
    (solution,) = exported.request["solutions"]
    assert solution["recipeArn"] == "aws-user-personalization"
    assert [campaign["minProvisionedTPS"] for campaign in solution["campaigns"]] == [1, 2]
    assert exported.request["eventTracker"] == {"name": "t"}
    assert set(exported.request["datasets"]["interactions"]["columns"]) == {f["name"] for f in FIELDS["Interactions"]}
    assert exported.remarks == []


def test_a_campaign_that_a_run_would_change_is_left_out_and_told(runs: StepRuns) -> None:
    by_hand(runs, "serving", {"solutions": ["aws-sims"], "campaigns": 1})
    runs.world.make_version(f"{runs.personalize.arn_prefix}:solution/serving-aws-sims")
    exported = export_group(runs.personalize, "serving")
    assert "campaigns" not in exported.request["solutions"][0]
    assert "serving-aws-sims-C0 is left out: it serves" in exported.remarks[0]


def test_a_group_that_is_not_there_is_named(runs: StepRuns) -> None:
    with pytest.raises(NoSuchGroupError, match="no dataset group nowhere"):
        export_group(runs.personalize, "nowhere")


def in_stage(runs: StepRuns, names: StageNames) -> None:
    runs.personalize.names = names
    runs.account = replace(runs.account, names=names)


def assert_nothing_to_do(runs: StepRuns, request: dict[str, Any]) -> None:
    planner = runs.planner(request)
    assert request_problems(planner, runs.personalize) == []
    assert {change.verb for change in runs.preview(planner).changes()} == {"leave"}
    runs.run(planner)
    assert runs.writes == []


@pytest.mark.parametrize("name", ["serving", "two-campaigns", "tagged-in-part", "video", "all-data"])
def test_a_group_of_the_stage_is_exported_without_the_prefix(runs: StepRuns, name: str) -> None:
    in_stage(runs, StageNames("dev-"))
    by_hand(runs, f"dev-{name}", HANDMADE[name])
    exported = export_group(runs.personalize, name)
    assert exported.request["datasetGroup"]["name"] == name
    assert "dev-" not in json.dumps(exported.request)
    assert exported.remarks == []
    assert_nothing_to_do(runs, exported.request)


def test_a_group_without_the_prefix_says_what_to_adopt_and_is_left_as_it_is_then(runs: StepRuns) -> None:
    in_stage(runs, StageNames("dev-"))
    by_hand(runs, "serving", HANDMADE["serving"])
    (remark,) = export_group(runs.personalize, "serving").remarks
    assert "adopted_names in config/<stage>.toml" in remark
    for name in ("serving", "serving-aws-sims", "serving-aws-sims-C0", "serving-INTERACTIONS-v3_final"):
        assert f'"{name}"' in remark
    in_stage(runs, StageNames("dev-", ("serving",)))
    told = [problem.text for problem in request_problems(runs.planner(
        export_group(runs.personalize, "serving").request), runs.personalize)]  # fmt: skip
    assert [text for text in told if "serving-INTERACTIONS-v3_final, a name that this stage may not use" in text]
    assert [text for text in told if text.startswith("'serving-aws-sims' is a name that this stage may not use")]
    in_stage(runs, StageNames("dev-", ("serving*",)))
    exported = export_group(runs.personalize, "serving")
    assert exported.remarks == []
    assert_nothing_to_do(runs, exported.request)
