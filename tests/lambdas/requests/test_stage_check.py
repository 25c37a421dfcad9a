"""A plan holds the stage's own names and no other; what does not is refused with what to do."""

import copy
import json
from typing import Any

import pytest

from lambdas.personalize.account_context import AccountContext
from lambdas.personalize.resources import RESOURCES
from lambdas.personalize.stage_names import StageNames
from lambdas.requests.plan import Planner
from lambdas.requests.plan_check import request_problems
from lambdas.requests.request import InvalidRequestError
from lambdas.requests.request_reading import parse_request
from lambdas.requests.stage_check import own_names_only
from lambdas.requests.whole_plan import plan_pipeline
from tests.lambdas.requests.test_plan import EXAMPLE, PREFIX, Service

DEV = StageNames("dev-")
ROLE = "arn:aws:iam::123456789012:role/data"
FULL = {
    **EXAMPLE,
    "metricAttribution": {"name": "measured", "metrics": []},
    "recommenders": [{"name": "more", "recipeArn": "aws-vod-top-picks"}],
    "datasetExportJobs": [{"jobName": "export-1", "dataset": "interactions", "ingestionMode": "ALL"}],
    "dataDeletionJobs": [{"jobName": "forget-1", "dataSource": {"dataLocation": "s3://any/list.csv"}}],
}


class StagedService(Service):
    """The same service, seen from a stage."""

    def __init__(self, names: StageNames) -> None:
        super().__init__()
        self.names = names


def planner(names: StageNames, document: dict[str, Any]) -> Planner:
    return Planner(parse_request(document), "run-1", AccountContext(PREFIX, "the-bucket", ROLE, names=names))


def specs(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict) and value.get("type") in RESOURCES and "request" in value:
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [spec for part in parts for spec in specs(part)]


def test_everything_in_a_whole_plan_bears_the_prefix() -> None:
    plan = plan_pipeline(planner(DEV, FULL))
    found = specs(plan)
    assert {spec["type"] for spec in found} >= {
        "schema", "dataset_group", "dataset", "event_tracker", "filter", "metric_attribution", "recommender",
        "dataset_export_job", "data_deletion_job", "solution", "campaign", "batch_inference_job",
    }  # fmt: skip
    for spec in found:
        assert spec["request"][RESOURCES[spec["type"]].name_key].startswith("dev-"), spec
    assert own_names_only(plan, StagedService(DEV)) == plan


def test_all_else_is_the_same_in_every_stage() -> None:
    """Promotion: but for the prefix, and the folder of the stage's bucket, no stage plans otherwise."""
    dev, prod = (json.dumps(plan_pipeline(planner(StageNames(prefix), FULL))) for prefix in ("dev-", "test-"))
    assert dev.replace("dev-", "test-") == prod
    assert json.loads(dev)["datasetGroup"] == "movies"
    assert "s3://the-bucket/results/movies/" in dev


def test_an_adopted_group_keeps_its_names_and_each_must_be_adopted() -> None:
    names = StageNames("dev-", ("movies",))
    problems = request_problems(planner(names, EXAMPLE), StagedService(names))
    told = {problem.path: problem.text for problem in problems}
    campaign = EXAMPLE["solutions"][0]["campaigns"][0]["name"]
    assert f"{campaign!r} is a name that this stage may not use" in told["$.solutions[0].campaigns[0].name"]
    assert f"add {campaign!r}" in told["$.solutions[0].campaigns[0].name"]
    assert "adopted_names in config/<stage>.toml" in told["$.solutions[0].campaigns[0].name"]
    assert "$.datasetGroup.name" not in told


@pytest.mark.parametrize("place", ["filterArn", "schemaArn"])
def test_an_arn_of_another_stage_is_refused(place: str) -> None:
    document = copy.deepcopy(EXAMPLE)
    if place == "filterArn":
        arn, path = f"{PREFIX}:filter/prod-seen", "$.solutions[0].batchInferenceJobs[0].filterArn"
        document["solutions"][0]["batchInferenceJobs"] = [{"template": "daily", "filterArn": arn}]
    else:
        arn, path = f"{PREFIX}:schema/prod-items", "$.datasets.interactions.schemaArn"
        document["datasets"]["interactions"] = {"schemaArn": arn}
    problems = request_problems(planner(DEV, document), StagedService(DEV))
    assert [problem.path for problem in problems] == [path]
    assert "'prod-" in problems[0].text


def test_a_stage_started_by_hand_gets_no_version_of_another_stage() -> None:
    made = planner(DEV, EXAMPLE)
    plan = made.update_campaign(made.request.solutions[0], f"{PREFIX}:solution/prod-movies/1")
    with pytest.raises(InvalidRequestError, match=r"campaigns\[0\].solutionVersionArn: 'prod-movies' is a name"):
        own_names_only(plan, StagedService(DEV))
    other = made.update_campaign(made.request.solutions[0], "arn:aws:personalize:us-east-2:1:solution/dev-movies/1")
    with pytest.raises(InvalidRequestError, match="another account, region or partition"):
        own_names_only(other, StagedService(DEV))


def test_the_prefix_counts_where_a_name_is_too_long() -> None:
    document = copy.deepcopy(EXAMPLE)
    document["solutions"][0]["name"] = "s" * 60
    (problem,) = request_problems(planner(DEV, document), StagedService(DEV))
    assert problem.path == "$.solutions[0].name"
    assert problem.text == "must be at most 63 characters, the stage's prefix 'dev-' included"
    assert not request_problems(planner(StageNames("d-"), document), StagedService(StageNames("d-")))
