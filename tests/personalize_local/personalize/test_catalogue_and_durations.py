"""The service's own catalogue, and how long things take."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from lambdas.personalize.resources import RESOURCES
from personalize_local.clock import CLOCK
from personalize_local.personalize.controls.durations import QUICK_SECONDS, Durations
from personalize_local.personalize.resources.resource_types import TYPES
from tests.personalize_local.personalize.world import RECIPES, ROLE, World


def test_every_recipe_has_its_algorithm_and_feature_transformation(world: World) -> None:
    p = world.personalize
    for listed in p.list_recipes()["recipes"]:
        recipe = p.describe_recipe(recipeArn=listed["recipeArn"])["recipe"]
        algorithm = p.describe_algorithm(algorithmArn=recipe["algorithmArn"])["algorithm"]
        arn = recipe["featureTransformationArn"]
        transformation = p.describe_feature_transformation(featureTransformationArn=arn)["featureTransformation"]
        assert (recipe["status"], transformation["status"]) == ("ACTIVE", "ACTIVE")
        assert ":::" in algorithm["algorithmArn"]
        assert all(isinstance(value, str) for value in algorithm["defaultHyperParameters"].values())


def test_user_personalization_is_as_documented(world: World) -> None:
    """Fact: the recipe's page in the developer guide."""
    p = world.personalize
    recipe = p.describe_recipe(recipeArn=f"{RECIPES}aws-user-personalization")["recipe"]
    assert recipe["recipeType"] == "USER_PERSONALIZATION"
    algorithm = p.describe_algorithm(algorithmArn=recipe["algorithmArn"])["algorithm"]
    assert algorithm["defaultHyperParameters"] == {"hidden_dimension": "149", "bptt": "32", "recency_mask": "True"}
    (hidden, bptt) = algorithm["defaultHyperParameterRanges"]["integerHyperParameterRanges"]
    assert hidden == {"name": "hidden_dimension", "minValue": 32, "maxValue": 256, "isTunable": True}
    assert (bptt["minValue"], bptt["maxValue"]) == (2, 32)
    transformation = p.describe_feature_transformation(featureTransformationArn=recipe["featureTransformationArn"])
    assert transformation["featureTransformation"]["defaultParameters"] == {
        "min_user_history_length_percentile": "0.0",
        "max_user_history_length_percentile": "0.99",
    }


@given(seed=st.integers(), jitter=st.floats(0, 1), key=st.text())
def test_a_draw_is_the_same_for_the_same_seed_and_stays_within_the_jitter(seed: int, jitter: float, key: str) -> None:
    durations = Durations(jitter=jitter, seed=seed)
    drawn = durations.draw("create campaign", key)
    assert drawn == Durations(jitter=jitter, seed=seed).draw("create campaign", key)
    typical = durations.seconds["create campaign"]
    assert typical * (1 - jitter) - 1e-6 <= drawn <= typical * (1 + jitter) + 1e-6


@given(speed=st.floats(1e-6, 1e6), key=st.text())
def test_what_is_quick_on_aws_is_quick_on_a_slow_clock(speed: float, key: str) -> None:
    durations = Durations()
    with patch.object(CLOCK, "speed", speed):
        for what, typical in durations.seconds.items():
            real_seconds = CLOCK.real_seconds(durations.draw(what, key))
            aws_seconds = typical * (1 + durations.jitter)
            assert real_seconds <= aws_seconds * (1 if typical <= QUICK_SECONDS else max(1, 1 / speed)) + 1e-6
        assert CLOCK.real_seconds(durations.draw("create solution", key)) <= 5  # what AWS's own code waits
        assert durations.draw("create solution", key, slowness=100) > QUICK_SECONDS  # slow is slow on any clock


def test_every_resource_type_has_its_durations() -> None:
    known = Durations().seconds
    assert {f"create {noun}" for noun, row in TYPES.items() if row.words} <= set(known)
    gone = {"schema", "solution_version"}
    assert {f"delete {noun}" for noun, row in TYPES.items() if RESOURCES[noun].deletable and noun not in gone} <= set(
        known
    )
    assert {f"update {noun}" for noun, row in TYPES.items() if row.updatable} <= set(known)


def test_training_hours_are_billed_hours(world: World) -> None:
    """Fact: 20 minutes were billed as 1.073 hours in a public notebook."""
    _, arn = world.make_trained()
    version = world.describe("solution_version", arn)
    minutes = (version["lastUpdatedDateTime"] - version["creationDateTime"]).total_seconds() / 60
    assert version["trainingHours"] == pytest.approx(1.073 * minutes / 20, rel=0.02)


def _code(call: Callable[..., Any], **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


def test_a_group_has_one_tracker_and_one_attribution(world: World) -> None:
    p, group = world.personalize, world.make_group()
    tracker = {"name": "t", "datasetGroupArn": group}
    metric = {"eventType": "view", "metricName": "m", "expression": "SAMPLECOUNT()"}
    attribution = {"datasetGroupArn": group, "metrics": [metric], "metricsOutputConfig": {"roleArn": ROLE}}
    p.create_event_tracker(**tracker)
    p.create_metric_attribution(name="a", **attribution)
    assert _code(p.create_event_tracker, **tracker) == "ResourceAlreadyExistsException"
    assert _code(p.create_metric_attribution, name="b", **attribution) == "LimitExceededException"
    world.service.switches.second_event_tracker = "LimitExceededException"
    world.service.switches.second_metric_attribution = "ResourceAlreadyExistsException"
    assert _code(p.create_event_tracker, **tracker) == "LimitExceededException"
    assert _code(p.create_metric_attribution, name="b", **attribution) == "ResourceAlreadyExistsException"


def test_metrics_of_an_attribution_are_checked_added_and_removed(world: World) -> None:
    p, group = world.personalize, world.make_group()
    world.make_dataset(group, "ITEMS")

    def metric(name: str, expression: str) -> dict[str, str]:
        return {"eventType": "view", "metricName": name, "expression": expression}

    create = {"name": "a", "datasetGroupArn": group, "metricsOutputConfig": {"roleArn": ROLE}}
    for wrong in ("SUM(Items.TITLE)", "SUM(Items.NOTHING)", "AVG(Items.PRICE)", "SUM(Users.AGE)"):
        answer = _code(p.create_metric_attribution, metrics=[metric("m", wrong)], **create)
        assert answer == "InvalidInputException"
    arn = p.create_metric_attribution(metrics=[metric("m", "SUM(Items.PRICE)")], **create)["metricAttributionArn"]
    world.finish(300)
    p.update_metric_attribution(
        metricAttributionArn=arn, addMetrics=[metric("n", "SAMPLECOUNT()")], removeMetrics=["m"]
    )
    assert world.status("metric_attribution", arn) == "UPDATE PENDING"
    world.finish(300)
    listed = p.list_metric_attribution_metrics(metricAttributionArn=arn)["metrics"]
    assert [each["metricName"] for each in listed] == ["n"]


def test_a_training_beside_an_import_is_a_switch(world: World) -> None:
    group, version = world.make_trained()
    location = world.put_object("more.csv", "USER_ID\nu\n")
    world.personalize.create_dataset_import_job(
        jobName="more",
        datasetArn=f"{group.replace('dataset-group', 'dataset')}/INTERACTIONS",
        dataSource={"dataLocation": location},
        roleArn=ROLE,
    )
    request = {"solutionArn": version.rpartition("/")[0]}
    world.personalize.create_solution_version(**request)
    world.service.switches.training_during_import = "refuse"
    assert _code(world.personalize.create_solution_version, **request) == "InvalidInputException"


def test_themes_need_their_region_and_columns(world: World) -> None:
    group, _ = world.make_trained()
    version = world.make_version(world.make_solution(group, "aws-similar-items", name="similar"))
    request = {
        "jobName": "themes",
        "roleArn": ROLE,
        "solutionVersionArn": version,
        "batchInferenceJobMode": "THEME_GENERATION",
        "themeGenerationConfig": {"fieldsForThemeGeneration": {"itemName": "TITLE"}},
        "jobInput": {"s3DataSource": {"path": world.put_object("themes.json", "{}")}},
        "jobOutput": {"s3DataDestination": {"path": f"s3://{world.bucket}/themes/"}},
    }
    create = world.personalize.create_batch_inference_job
    assert _code(create, **request) == "InvalidInputException"
    world.make_dataset(group, "ITEMS")
    assert _code(create, **{**request, "themeGenerationConfig": {"fieldsForThemeGeneration": {"itemName": "PRICE"}}})
    create(**request)
    world.finish()
    assert world.engine.batches[-1].theme_item_name == "TITLE"


def test_filters_share_a_quota_of_fields(world: World) -> None:
    """Fact: the quota page allows 10 distinct fields in a filter and 20 in all filters of a group."""
    fields = ", ".join(f'{{"name": "F{n}", "type": "int"}}' for n in range(30))
    text = (
        '{"type": "record", "name": "Items", "namespace": "n", "version": "1.0", "fields": '
        f'[{{"name": "ITEM_ID", "type": "string"}}, {fields}]}}'
    )
    group = world.make_group()
    schema = world.personalize.create_schema(name="wide", schema=text)["schemaArn"]
    world.make_dataset(group, "ITEMS", schema)

    def expression(first: int, last: int) -> str:
        tests = " AND ".join(f"Items.F{n} > 1" for n in range(first, last))
        return f"INCLUDE ItemID WHERE {tests}"

    create = world.personalize.create_filter
    too_many = {"name": "x", "datasetGroupArn": group, "filterExpression": expression(0, 11)}
    assert _code(create, **too_many) == "LimitExceededException"
    for name, first in (("a", 0), ("b", 10)):
        create(name=name, datasetGroupArn=group, filterExpression=expression(first, first + 10))
    create(name="c", datasetGroupArn=group, filterExpression=expression(5, 15))
    more = {"name": "d", "datasetGroupArn": group, "filterExpression": expression(19, 21)}
    assert _code(create, **more) == "LimitExceededException"
