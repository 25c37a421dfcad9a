"""Every parameter of every Create and Update operation can be said in a request, is computed by us, or is listed.

The installed botocore model says which parameters there are; a new one fails here until it has a place.
"""

from collections.abc import Mapping
from typing import Any, Final

import botocore.session
import pytest

from lambdas.personalize.account_context import AccountContext
from lambdas.personalize.lifecycle import changes
from lambdas.personalize.resources import RESOURCES, ResourceType
from lambdas.releases.training_decision import Action, TrainingDecision
from lambdas.requests.plan import Planner
from lambdas.requests.request_reading import parse_request

MODEL: Final[Any] = botocore.session.get_session().get_service_model("personalize")
ACCOUNT: Final = AccountContext(
    "arn:aws:personalize:eu-west-1:123456789012", "bucket", "arn:aws:iam::123456789012:role/r"
)
PARAMETERS: Final = [
    (verb, row, parameter)
    for verb in ("Create", "Update")
    for row in RESOURCES.values()
    if f"{verb}{row.pascal}" in MODEL.operation_names
    for parameter in MODEL.operation_model(f"{verb}{row.pascal}").input_shape.members
]

_PARENT = "follows from where the request has it"
_ROLE = "the stage's data role: no other may be handed over"
_NAME = "made from what caused it, so that a second try finds the first"
OURS: Final[Mapping[tuple[str, str], str]] = {
    ("CreateSchema", "name"): "carries a digest of the content, for a schema never changes",
    ("CreateSchema", "domain"): "the dataset group's",
    ("CreateDataset", "datasetGroupArn"): _PARENT,
    ("CreateDataset", "datasetType"): "the key of the dataset in the request",
    ("CreateDatasetImportJob", "jobName"): _NAME,
    ("CreateDatasetImportJob", "datasetArn"): _PARENT,
    ("CreateDatasetImportJob", "dataSource"): "what was uploaded",
    ("CreateDatasetImportJob", "roleArn"): _ROLE,
    ("CreateDatasetImportJob", "importMode"): "the folder of the upload",
    ("CreateDatasetExportJob", "datasetArn"): _PARENT,
    ("CreateDatasetExportJob", "roleArn"): _ROLE,
    ("CreateDataDeletionJob", "datasetGroupArn"): _PARENT,
    ("CreateDataDeletionJob", "roleArn"): _ROLE,
    ("CreateEventTracker", "datasetGroupArn"): _PARENT,
    ("CreateFilter", "datasetGroupArn"): _PARENT,
    ("CreateMetricAttribution", "datasetGroupArn"): _PARENT,
    ("CreateRecommender", "datasetGroupArn"): _PARENT,
    ("CreateSolution", "datasetGroupArn"): _PARENT,
    ("CreateSolutionVersion", "name"): _NAME,
    ("CreateSolutionVersion", "solutionArn"): _PARENT,
    ("CreateCampaign", "solutionVersionArn"): "the version that was judged",
    ("UpdateCampaign", "solutionVersionArn"): "the version that was judged",
    **{
        (f"CreateBatch{kind}Job", parameter): why
        for kind in ("Inference", "Segment")
        for parameter, why in {
            "jobName": _NAME,
            "solutionVersionArn": "the version that was judged",
            "roleArn": _ROLE,
        }.items()
    },
    **{(f"Update{row.pascal}", row.arn_key): _PARENT for row in RESOURCES.values()},
}
LISTED: Final[Mapping[tuple[str, str], str]] = {
    ("UpdateMetricAttribution", "metricsOutputConfig"): "hands over a role, which only a create may: it is replaced"
}

# Where the request takes a parameter in words of its own, and what then stands in the plan.
_RECIPE = "arn:aws:personalize:::recipe/aws-sims"
_WORDS: Final[Mapping[str, Any]] = {"recipeArn": _RECIPE, "name": "own-name", "jobName": "own-name"}


def sample(shape: Any, key: str = "") -> Any:  # noqa: PLR0911 -- one for each type
    """Return a value of the shape, unlike any default."""
    if key in _WORDS:
        return _WORDS[key]
    match shape.type_name:
        case "structure":
            return {name: sample(member) for name, member in shape.members.items()}
        case "list":
            return [sample(shape.member)]
        case "map":
            return {"key": sample(shape.value)}
        case "boolean":
            return True
        case "string":
            return shape.enum[-1] if shape.enum else "arn:aws:some:thing"
    return 7


def planned(row: ResourceType, parameter: str, value: Any) -> Mapping[str, Any]:  # noqa: PLR0911 -- one for each place
    """Return what is planned of a request that says the parameter where its type has a place."""
    planner = Planner(parse_request(_DOCUMENTS[row.noun]({parameter: value})), "run", ACCOUNT)
    solution = planner.request.solutions[0]
    match row.noun:
        case "dataset_group":
            return dict(planner.import_data()["group"]["request"])
        case "dataset" | "schema":
            return dict(planner.import_data()["datasets"][0][row.noun]["request"])
        case "dataset_import_job":
            return planner.request.import_job_options("interactions")
        case "solution":
            return dict(planner.train_solution(solution)["solution"]["request"])
        case "solution_version":
            stage = planner.train_solution(solution)
            decided = TrainingDecision(Action.TRAIN, (), mode=stage["training"]["mode"])
            return {"trainingMode": decided.mode, **stage["versionOptions"]}
        case "campaign":
            return dict(planner.update_campaign(solution, "arn:v")["campaigns"][0]["request"])
        case "batch_inference_job" | "batch_segment_job":
            return dict(planner.run_batch_inference(solution, "arn:v")["jobs"][0]["request"])
    (spec,) = [spec for spec in planner.import_data()["extras"] if spec["type"] == row.noun]
    return dict(spec["request"])


def _document(**parts: Any) -> dict[str, Any]:
    columns = {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"}
    return {
        "datasetGroup": "g",
        "datasets": {"interactions": {"columns": columns}},
        "solutions": [{"name": "s"}],
        **parts,
    }


def _in_dataset(said: Mapping[str, Any]) -> dict[str, Any]:
    columns = {} if {"schema", "schemaArn"} & set(said) else {"columns": {"ITEM_ID": "string"}}
    return _document(datasets={"interactions": {**columns, **said}})


def _in_schema(said: Mapping[str, Any]) -> dict[str, Any]:
    return _in_dataset({"schema": {"fields": [said]}})


def _in_solution(said: Mapping[str, Any]) -> dict[str, Any]:
    return _document(solutions=[{"name": "s", **said}])


def _version(said: Mapping[str, Any]) -> dict[str, Any]:
    return _in_solution({"versionTags" if key == "tags" else key: value for key, value in said.items()})


_DOCUMENTS: Final[Mapping[str, Any]] = {
    "schema": _in_schema,
    "dataset_group": lambda said: _document(datasetGroup={"name": "g", **said}),
    "dataset": _in_dataset,
    "dataset_import_job": lambda said: _in_dataset({"importJob": said}),
    "dataset_export_job": lambda said: _document(
        datasetExportJobs=[{"jobName": "e", "dataset": "interactions", **said}]
    ),
    "data_deletion_job": lambda said: _document(dataDeletionJobs=[{"jobName": "d", **said}]),
    "event_tracker": lambda said: _document(eventTracker={"name": "t", **said}),
    "filter": lambda said: _document(filters=[{"name": "f", **said}]),
    "metric_attribution": lambda said: _document(metricAttribution={"name": "m", **said}),
    "recommender": lambda said: _document(recommenders=[{"name": "r", "recipeArn": "x", **said}]),
    "solution": _in_solution,
    "solution_version": _version,
    "campaign": lambda said: _in_solution({"campaigns": [{"name": "c", **said}]}),
    "batch_inference_job": lambda said: _in_solution({"batchInferenceJobs": [{"template": "b", **said}]}),
    "batch_segment_job": lambda said: _in_solution({"batchSegmentJobs": [{"template": "b", **said}]}),
}


def can_be_created_with(row: ResourceType, parameter: str) -> bool:
    """Say whether a request can say the parameter such that it reaches the service as it was said."""
    shape = MODEL.operation_model(f"Create{row.pascal}").input_shape.members[parameter]
    value = "FULL" if parameter == "trainingMode" else sample(shape, parameter)
    arrived = planned(row, parameter, value).get(parameter)
    return arrived == value or (parameter == "schema" and str(value) in str(arrived))


def can_be_updated(row: ResourceType, parameter: str) -> bool:
    """Say whether a request other than what is there leads to the parameter being asked for."""
    one, other = ({"metricName": name, "eventType": "a", "expression": "b"} for name in ("one", "other"))
    requests: Mapping[str, tuple[Any, Any]] = {
        "addMetrics": ({"metrics": [one]}, {"metrics": []}),
        "removeMetrics": ({"metrics": []}, {"metrics": [other]}),
        "solutionUpdateConfig": ({"solutionConfig": {"autoTrainingConfig": {"schedulingExpression": "x"}}}, {}),
    }
    wanted, there = requests.get(parameter, ({parameter: "wanted"}, {parameter: "there"}))
    return parameter in changes(row, wanted, {"status": "ACTIVE", **there})


def sort_of(verb: str, row: ResourceType, parameter: str) -> str:
    """Return `ours`, `listed`, `set` or, when there is no place for it, `missing`."""
    key = (f"{verb}{row.pascal}", parameter)
    if key in OURS:
        return "ours"
    if key in LISTED:
        return "listed"
    can = can_be_created_with if verb == "Create" else can_be_updated
    return "set" if can(row, parameter) else "missing"


@pytest.mark.parametrize(
    ("verb", "row", "parameter"), PARAMETERS, ids=[f"{verb}{row.pascal}-{name}" for verb, row, name in PARAMETERS]
)
def test_every_parameter_has_a_place(verb: str, row: ResourceType, parameter: str) -> None:
    assert sort_of(verb, row, parameter) != "missing"


def test_the_tables_name_only_what_there_is_and_few_are_listed() -> None:
    there = {(f"{verb}{row.pascal}", parameter) for verb, row, parameter in PARAMETERS}
    assert {key for key in (*OURS, *LISTED) if key[0] in {operation for operation, _ in there}} <= there
    sorts = [sort_of(*one) for one in PARAMETERS]
    print({sort: sorts.count(sort) for sort in ("set", "ours", "listed", "missing")})  # noqa: T201 -- the bar's figures
    assert len(LISTED) <= 3
