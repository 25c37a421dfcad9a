"""Every operation of the installed botocore models, on success and on each declared error it can raise."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from personalize_local.fidelity.service_rules import NEVER_RAISED
from personalize_local.personalize.protocol.dispatch import CONTROL_PLANE, DATA_PLANE
from personalize_local.personalize.protocol.wire import SERVICES, service_model
from personalize_local.personalize.resources.resource_types import TYPES
from tests.contract.personalize_requests import Request, Stage, call, client_of, fresh, request_for, unknown
from tests.contract.personalize_shapes import differences, missing
from tests.contract.personalize_stage import build
from tests.personalize_local.personalize.world import running

_OPERATIONS = [(service, name) for service in SERVICES for name in service_model(service).operation_names]
_SEEN: Counter[str] = Counter()


def _declared(service: str, operation: str) -> list[str]:
    return [shape.name for shape in service_model(service).operation_model(operation).error_shapes]


_ERRORS = [
    (service, operation, code)
    for service, operation in _OPERATIONS
    for code in _declared(service, operation)
    if (operation, code) not in NEVER_RAISED
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with running(Path(tmp_path_factory.mktemp("personalize"))) as world:
        yield build(world)


def test_every_operation_of_the_models_is_answered() -> None:
    answered = {**CONTROL_PLANE, **DATA_PLANE}
    missing = {name for _, name in _OPERATIONS} - set(answered)
    surplus = set(answered) - {name for _, name in _OPERATIONS}
    assert (missing, surplus) == (set(), set())


def test_the_exceptions_to_the_matrix_are_really_declared() -> None:
    for operation, code in NEVER_RAISED:
        assert code in _declared("personalize", operation)


def _provoke(stage: Stage, operation: str, code: str) -> Request:  # noqa: PLR0911 - one case per exception
    request = request_for(stage, operation)
    match code:
        case "InvalidInputException":
            return _malformed(operation, request)
        case "ResourceNotFoundException":
            return _to_nowhere(request)
        case "InvalidNextTokenException":
            return {**request, "nextToken": "garbage"}
        case "TooManyTagsException":
            return {**request, "tags": [{"tagKey": f"key-{n}", "tagValue": "v"} for n in range(51)]}
        case "TooManyTagKeysException":
            return {**request, "tagKeys": [f"key-{n}" for n in range(51)]}
        case "LimitExceededException":
            noun = next(noun for noun, row in TYPES.items() if operation == f"Create{row.pascal}")
            stage.world.service.faults.fill_quota(noun)
            return request
        case "ResourceAlreadyExistsException":
            return _again(stage, operation, request)
    return {**request, **_busy(stage)[operation]}


def _malformed(operation: str, request: Request) -> Request:
    wrong = "?" * 300
    if operation.startswith("List") and operation != "ListTagsForResource":
        return {**request, "maxResults": 101}
    arn_key = next((key for key in request if key.endswith("Arn") or key in {"name", "trackingId"}), None)
    assert arn_key is not None, operation
    return {**request, arn_key: wrong}


def _to_nowhere(request: Request) -> Request:
    key = next(key for key in request if (key.endswith("Arn") and key != "roleArn") or key == "trackingId")
    return {**request, key: unknown(request[key])}


def _again(stage: Stage, operation: str, request: Request) -> Request:
    if operation == "UpdateMetricAttribution":
        metrics = call(stage, "ListMetricAttributionMetrics", {"metricAttributionArn": stage["attribution"]})["metrics"]
        return {**request, "addMetrics": metrics}
    taken = {
        "CreateEventTracker": {"datasetGroupArn": stage["movies"]},
        "CreateDataset": {"datasetGroupArn": stage["movies"]},
    }
    if operation in taken:
        return {**request, **taken[operation]}
    noun = next(noun for noun, row in TYPES.items() if operation == f"Create{row.pascal}")
    present = next(record for record in stage.world.account.all(noun) if "/" not in record.name)
    return {**request, TYPES[noun].named: present.name} | (
        {"solutionArn": present.members["solutionArn"]} if noun == "solution_version" else {}
    )


def _busy(stage: Stage) -> dict[str, Request]:
    pending = {name.removeprefix("pending_"): arn for name, arn in stage.arns.items() if name.startswith("pending_")}
    group = {"datasetGroupArn": pending["group"]}
    version = {"solutionVersionArn": pending["version"]}
    actions = stage.world.describe("dataset", pending["ACTION_INTERACTIONS"])["trackingId"]
    return {
        "CreateBatchInferenceJob": version,
        "CreateBatchSegmentJob": {"solutionVersionArn": pending["segments"]},
        "CreateCampaign": version,
        "CreateDataDeletionJob": group,
        "CreateDataset": group,
        "CreateDatasetExportJob": {"datasetArn": pending["USERS"]},
        "CreateDatasetImportJob": {"datasetArn": pending["USERS"]},
        "CreateEventTracker": group,
        "CreateMetricAttribution": group,
        "CreateRecommender": {"datasetGroupArn": pending["shop"]},
        "CreateSolution": group,
        "CreateSolutionVersion": {"solutionArn": stage["failed_solution"]},
        "DeleteCampaign": {"campaignArn": pending["campaign"]},
        "DeleteDataset": {"datasetArn": pending["USERS"]},
        "DeleteDatasetGroup": {"datasetGroupArn": stage["movies"]},
        "DeleteEventTracker": {"eventTrackerArn": pending["tracker"]},
        "DeleteFilter": {"filterArn": pending["filter"]},
        "DeleteMetricAttribution": {"metricAttributionArn": pending["attribution"]},
        "DeleteRecommender": {"recommenderArn": pending["recommender"]},
        "DeleteSchema": {"schemaArn": stage["schema"]},
        "DeleteSolution": {"solutionArn": stage["solution"]},
        "GetSolutionMetrics": version,
        "PutActionInteractions": {"trackingId": actions},
        "PutActions": {"datasetArn": pending["ACTIONS"]},
        "PutItems": {"datasetArn": pending["ITEMS"]},
        "PutUsers": {"datasetArn": pending["USERS"]},
        "StartRecommender": {"recommenderArn": stage["recommender"]},
        "StopRecommender": {"recommenderArn": pending["recommender"]},
        "StopSolutionVersionCreation": {"solutionVersionArn": stage["version"]},
        "UpdateCampaign": {"campaignArn": pending["campaign"]},
        "UpdateDataset": {"datasetArn": pending["USERS"]},
        "UpdateMetricAttribution": {"metricAttributionArn": pending["attribution"]},
        "UpdateRecommender": {"recommenderArn": pending["recommender"]},
        "UpdateSolution": {"solutionArn": pending["solution"]},
    }


@pytest.mark.parametrize(("service", "operation", "code"), _ERRORS)
def test_a_declared_error_is_raised(stage: Stage, service: str, operation: str, code: str) -> None:
    request = _provoke(stage, operation, code)
    with pytest.raises(ClientError) as caught:
        call(stage, operation, request)
    stage.world.service.faults.clear()
    response: Any = caught.value.response
    assert response["Error"]["Code"] == code, response["Error"]["Message"]
    assert response["Error"]["Message"]
    assert isinstance(caught.value, getattr(client_of(stage.world, operation).exceptions, code))
    shape = next(each for each in service_model(service).error_shapes if each.name == code)
    documented = shape.metadata.get("error", {}).get("httpStatusCode", 400)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == documented
    _SEEN["errors"] += 1


# First what needs things half done, then what changes them, last what deletes them.
def _turn(operation: str) -> tuple[int, str]:
    order = (
        "StopSolution",
        "Describe",
        "Get",
        "List",
        "Put",
        "Create",
        "Tag",
        "Untag",
        "Update",
        "Start",
        "Stop",
        "Delete",
    )
    return next(place for place, start in enumerate(order) if operation.startswith(start)), operation


def test_every_operation_succeeds_and_answers_in_its_shape(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    found: list[str] = []
    names = sorted((name for _, name in _OPERATIONS), key=_turn)
    for operation in names:
        request = request_for(stage, operation)
        body = _body_of(stage, operation, request)
        model = client_of(stage.world, operation).meta.service_model.operation_model(operation)
        found += [f"{operation}: {each}" for each in differences(model.output_shape, body, "")]
        found += [f"{operation}: {each}" for each in missing(operation, body)]
        if operation.startswith(("Update", "Start", "StopR")):
            stage.world.finish()
    assert found == []
    control = sum(service == "personalize" for service, _ in _OPERATIONS)
    others = len(names) - control
    with capsys.disabled():
        print(  # noqa: T201 - the promised count
            f"\nPersonalize operations answered: {control}/{control} and {others}/{others},"
            f" differences from the output shapes: {len(found)};"
            f" declared errors raised: {_SEEN['errors']} of {len(_ERRORS)}"
            f" ({len(NEVER_RAISED)} declared ones never are)"
        )


def _body_of(stage: Stage, operation: str, request: Request) -> Any:
    """Return the JSON as it was on the wire."""
    bodies: list[bytes] = []
    client = client_of(stage.world, operation)
    unique = fresh("watch")

    def keep(response_dict: dict[str, Any], **_: Any) -> None:
        bodies.append(response_dict["body"])

    client.meta.events.register("before-parse", keep, unique_id=unique)
    try:
        call(stage, operation, request)
    finally:
        client.meta.events.unregister("before-parse", unique_id=unique)
    return json.loads(bodies[-1] or b"{}")
