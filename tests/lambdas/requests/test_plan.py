"""From a request to complete Create parameters, checked against the installed botocore model."""

import copy
import json
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from lambdas.personalize.account_context import AccountContext
from lambdas.personalize.resources import ResourceType
from lambdas.personalize.stage_names import ANY_NAMES
from lambdas.requests.plan import Planner
from lambdas.requests.plan_check import check_request, request_problems
from lambdas.requests.request import InvalidRequestError
from lambdas.requests.request_reading import load_request, parse_request, request_document
from lambdas.requests.whole_plan import plan_pipeline
from tests.lambdas.personalize.fake_personalize import FakePersonalize

PREFIX = "arn:aws:personalize:eu-west-1:123456789012"
ACCOUNT = AccountContext(PREFIX, "the-bucket", "arn:aws:iam::123456789012:role/data")
EXAMPLE = json.loads((Path(__file__).parents[3] / "examples" / "movies.json").read_text())
RECIPES = [
    "arn:aws:personalize:::recipe/aws-popularity-count",
    "arn:aws:personalize:::recipe/aws-user-personalization-v2",
]


class Service(FakePersonalize):
    """The installed service model, and a recipe list."""

    def __init__(self) -> None:
        self._model = botocore.session.get_session().get_service_model("personalize")

    def input_shape(self, operation: str) -> Any:
        return self._model.operation_model(operation).input_shape

    def recipe_arns(self) -> list[str]:
        return RECIPES

    def describe(self, row: ResourceType, arn: str) -> dict[str, Any] | None:
        assert row.noun == "dataset", arn
        return None


@pytest.fixture(scope="module")
def service() -> Service:
    return Service()


def planner(document: Any = EXAMPLE, run: str = "run-1") -> Planner:
    return Planner(parse_request(document), run, ACCOUNT)


def changed(**parts: Any) -> dict[str, Any]:
    """Return the example with other parameters for its only solution."""
    document: dict[str, Any] = copy.deepcopy(EXAMPLE)
    document["solutions"][0].update(parts)
    return document


def resource_specs(value: Any) -> list[dict[str, Any]]:
    """Return every {"type", "request"} anywhere in a plan."""
    if isinstance(value, dict):
        if {"type", "request"} <= set(value):
            return [value]
        value = list(value.values())
    return [spec for part in value for spec in resource_specs(part)] if isinstance(value, list) else []


def test_every_planned_request_is_a_valid_call(service: Service) -> None:
    plan = plan_pipeline(planner())
    names = {
        "schema": "CreateSchema",
        "dataset_group": "CreateDatasetGroup",
        "solution_version": "CreateSolutionVersion",
    }
    found = resource_specs([plan["import"], plan["solutions"]])
    assert len(found) == 12
    for spec in found:
        operation = names.get(spec["type"]) or "Create" + "".join(word.capitalize() for word in spec["type"].split("_"))
        report = ParamValidator().validate(spec["request"], service.input_shape(operation))
        assert not report.has_errors(), report.generate_report()


def test_the_example_passes_the_check(service: Service) -> None:
    check_request(planner(), service)


def test_automatic_training_is_off_unless_asked_for() -> None:
    """Choice: the service's default is on, and bills a training every week."""
    assert (
        planner().train_solution(planner().request.solutions[0])["solution"]["request"]["performAutoTraining"] is False
    )
    asked = planner(changed(performAutoTraining=True))
    assert asked.train_solution(asked.request.solutions[0])["solution"]["request"]["performAutoTraining"] is True


def test_the_schema_is_avro_with_the_documented_record_name() -> None:
    schema = planner().import_data()["datasets"][1]["schema"]["request"]
    avro = json.loads(schema["schema"])
    assert (avro["name"], avro["namespace"], avro["version"]) == ("Items", "com.amazonaws.personalize.schema", "1.0")
    assert {"name": "GENRES", "type": "string", "categorical": True} in avro["fields"]


def test_other_columns_make_another_schema_because_schemas_never_change() -> None:
    document = copy.deepcopy(EXAMPLE)
    document["datasets"]["items"]["columns"]["PRICE"] = ["null", "float"]
    before = planner().import_data()["datasets"][1]["schema"]["request"]["name"]
    after = planner(document).import_data()["datasets"][1]["schema"]["request"]["name"]
    assert before != after


def test_bare_names_stand_for_arns_of_recipes_and_filters() -> None:
    stage = planner().run_batch_inference(planner().request.solutions[0], "arn:v")
    assert stage["jobs"][0]["request"]["filterArn"] == f"{PREFIX}:filter/movies-unwatched"


def test_the_same_run_plans_the_same_names_and_another_run_others() -> None:
    def job(run: str) -> str:
        solution = planner().request.solutions[0]
        return str(planner(run=run).run_batch_inference(solution, "arn:v")["jobs"][0]["request"]["jobName"])

    assert job("run-1") == job("run-1") != job("run-2")


def test_long_names_stay_unique_and_legal() -> None:
    one, other = ANY_NAMES.made("a" * 50, "b" * 50), ANY_NAMES.made("a" * 50, "b" * 49 + "c")
    assert one != other
    assert max(len(one), len(other)) <= 63
    assert ANY_NAMES.made("monday", "arn:run.1") == "monday-arn-run-1"


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        (changed(recipeArn="aws-user-personalisation"), "$.solutions[0].recipeArn", "aws-popularity-count"),
        (changed(hyperparameters={}), "$.solutions[0].hyperparameters", "solutionConfig"),
        (changed(performHPO="yes"), "$.solutions[0].performHPO", "boolean"),
        (
            changed(campaigns=[{"name": "c", "minProvisionedTPS": 0}]),
            "$.solutions[0].campaigns[0].minProvisionedTPS",
            "at least 1",
        ),
        (
            changed(batchInferenceJobs=[{"template": "t", "batchInferenceJobMode": "FAST"}]),
            "$.solutions[0].batchInferenceJobs[0].batchInferenceJobMode",
            "THEME_GENERATION",
        ),
        (
            {**EXAMPLE, "filters": [{"name": "f"}]},
            "$.filters[0]",
            "lacks filterExpression",
        ),
        (
            changed(gates=[{"metric": "hits_at_1_percent", "minimum": 1}]),
            "$.solutions[0].gates[0].metric",
            "precision_at_5",
        ),
        (
            changed(campaigns=[{"name": "c", "campaignConfig": {"syncWithLatestSolutionVersion": True}}]),
            "$.solutions[0].campaigns[0]",
            "whatever the gates say",
        ),
        (
            changed(campaigns=[{"name": "c", "solutionVersionArn": f"{PREFIX}:solution/movies-for-you/$LATEST"}]),
            "$.solutions[0].campaigns[0]",
            "whatever the gates say",
        ),
        (changed(fullEveryDays=7), "$.solutions[0].fullEveryDays", '"trainingMode": "UPDATE"'),
        (
            {**EXAMPLE, "datasetGroup": {"name": "movies", "domain": "CINEMA"}},
            "$.datasetGroup.domain",
            "ECOMMERCE",
        ),
    ],
)
def test_a_wrong_service_parameter_is_named_with_what_is_allowed(
    document: Any, path: str, words: str, service: Service
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        check_request(planner(document), service)
    assert f"{path}: " in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (changed(datasetGroupArn="arn:a"), "$.solutions[0].datasetGroupArn"),
        (
            changed(campaigns=[{"name": "c", "solutionVersionArn": "arn:a"}]),
            "$.solutions[0].campaigns[0].solutionVersionArn",
        ),
        *(
            (
                changed(batchInferenceJobs=[{"template": "t", key: "arn:a"}]),
                f"$.solutions[0].batchInferenceJobs[0].{key}",
            )
            for key in ("jobName", "solutionVersionArn", "roleArn")
        ),
        ({**EXAMPLE, "eventTracker": {"name": "t", "datasetGroupArn": "arn:a"}}, "$.eventTracker.datasetGroupArn"),
        (
            {**EXAMPLE, "filters": [{"name": "f", "filterExpression": "x", "datasetGroupArn": "arn:a"}]},
            "$.filters[0].datasetGroupArn",
        ),
    ],
)
def test_what_is_ours_is_ours(document: Any, path: str, service: Service) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        check_request(planner(document), service)
    assert f"{path}: is computed; take it out of the request" in str(caught.value)


def test_a_campaign_without_gates_may_follow_the_newest_version(service: Service) -> None:
    latest = f"{PREFIX}:solution/movies-for-you/$LATEST"
    check_request(planner(changed(gates=[], campaigns=[{"name": "c", "solutionVersionArn": latest}])), service)


def test_gates_take_back_what_the_service_would_deploy_by_itself() -> None:
    """A campaign that somebody let follow the newest version by hand would walk around the gates."""
    (spec,) = planner().update_campaign(planner().request.solutions[0], "arn:v")["campaigns"]
    assert spec["request"]["campaignConfig"] == {"syncWithLatestSolutionVersion": False}
    ungated = planner(changed(gates=[]))
    (spec,) = ungated.update_campaign(ungated.request.solutions[0], "arn:v")["campaigns"]
    assert "campaignConfig" not in spec["request"]


def test_what_our_model_refuses_hides_nothing_that_the_service_would_refuse(service: Service) -> None:
    document = changed(name="my solution", recipeArn="aws-user-personalisation", gates=[{"metric": "m", "min": 1}])
    document["filters"] = [{"name": "f"}]
    with pytest.raises(InvalidRequestError) as caught:
        parse_request(document)
    ours = {problem.path for problem in caught.value.problems}
    assert ours == {"$.solutions[0].name", "$.solutions[0].gates[0]"}
    assert caught.value.readable is not None
    theirs = request_problems(Planner(caught.value.readable, "run-1", ACCOUNT), service)
    assert {problem.path for problem in theirs} >= {"$.solutions[0].recipeArn", "$.filters[0]"}


@pytest.mark.parametrize("document", [[], {}, {"datasetGroup": 5, "datasets": 7}, {"solutions": [[]]}])
def test_of_some_documents_nothing_can_be_read(document: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_request(document)
    assert caught.value.readable is None


def test_an_executions_input_may_say_otherwise_about_training() -> None:
    files = {"requests/movies.json": json.dumps(EXAMPLE)}
    assert load_request({"datasetGroup": "movies", "train": "NEVER"}, files.get).train == "NEVER"
    assert load_request({**EXAMPLE, "train": "ALWAYS"}, files.get).train == "ALWAYS"
    with pytest.raises(InvalidRequestError, match=r"\$\.train: 'MAYBE' is not one of WHEN_NEEDED"):
        load_request({"datasetGroup": "movies", "train": "MAYBE"}, files.get)


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        (
            {**EXAMPLE, "solution": []},
            "$",
            "allowed: budget, dataDeletionJobs, datasetExportJobs, datasetGroup, datasets",
        ),
        ({**EXAMPLE, "datasets": {"movies": {"columns": {"A": "string"}}}}, "$.datasets.movies", "'interactions'"),
        ({**EXAMPLE, "datasets": {"items": {"colums": {}}}}, "$.datasets.items", "allowed: columns"),
        ({**EXAMPLE, "train": "SOMETIMES"}, "$.train", "'WHEN_NEEDED'"),
        (changed(gates=[{"metric": "m", "min": 1}]), "$.solutions[0].gates[0]", "allowed: largestDropPercent"),
        (changed(name="my solution"), "$.solutions[0].name", "my solution"),
        (changed(trainingMode="SLOW"), "$.solutions[0].trainingMode", "'FULL' or 'UPDATE'"),
        ({**EXAMPLE, "solutions": EXAMPLE["solutions"] * 2}, "$", "two solutions are called movies-for-you"),
        ([], "$", "dictionary"),
    ],
)
def test_a_wrong_key_of_ours_is_named_with_what_is_allowed(document: Any, path: str, words: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_request(document)
    assert f"{path}: " in str(caught.value)
    assert words in str(caught.value)


def test_the_request_travels_to_the_stages_unchanged() -> None:
    kept = request_document(planner().request)
    assert load_request({"request": "runs/movies/1.json"}, {"runs/movies/1.json": kept}.get) == planner().request


def many_solutions(count: int) -> dict[str, Any]:
    """Return the example's request with so many solutions, of two campaigns and two batch jobs each."""
    (solution, *_) = EXAMPLE["solutions"]
    return {
        **EXAMPLE,
        "solutions": [
            {
                **{key: value for key, value in solution.items() if not key.startswith("batch")},
                "name": f"solution-{number}",
                "campaigns": [{"name": f"campaign-{number}-{one}", "minProvisionedTPS": 1} for one in range(2)],
                "batchInferenceJobs": [{"template": f"template-{number}-{one}"} for one in range(2)],
            }
            for number in range(count)
        ],
    }


def test_what_no_state_could_carry_is_refused_before_anything_is_trained() -> None:
    """Fact: Step Functions ends an execution whose state's input or output passes 262,144 bytes."""
    assert len(plan_pipeline(planner(many_solutions(20)))["solutions"]) == 20
    with pytest.raises(InvalidRequestError, match=r"\$\.solutions: is too much for one run"):
        plan_pipeline(planner(many_solutions(60)))


def test_a_request_is_read_from_the_bucket_by_the_groups_name() -> None:
    files = {"requests/movies.json": json.dumps(EXAMPLE)}
    assert load_request({"datasetGroup": "movies"}, files.get).dataset_group.name == "movies"


def test_a_request_may_stand_in_the_input_itself() -> None:
    assert load_request(EXAMPLE, lambda _key: None).dataset_group.name == "movies"


@pytest.mark.parametrize(
    ("spec", "text", "words"),
    [
        ({"datasetGroup": "books"}, None, "the bucket has no requests/books.json"),
        ({"datasetGroup": "books"}, "{", "requests/books.json is no JSON"),
        ({"datasetGroup": "books"}, json.dumps(EXAMPLE), "is 'movies' in requests/books.json"),
        ({"group": "movies"}, None, "unknown key 'group'; allowed: datasetGroup"),
        ({}, None, "give the dataset group's name"),
    ],
)
def test_an_input_that_leads_to_no_request_says_what_to_do(spec: Any, text: str | None, words: str) -> None:
    with pytest.raises(InvalidRequestError, match=words):
        load_request(spec, lambda _key: text)
