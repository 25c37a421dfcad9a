"""`explain` on red executions of every kind: it names the cause that a person would name, and the runbook's line."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest

from control.connection import Connection
from control.runs.explanation import Explanation, explain_execution
from control.runs.explanation_report import explanation_document, explanation_lines
from control.runs.runbook import find, rows
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud, Run
from tests.e2e.resource_zoo import INTERACTIONS, ResourceZoo

REASON: Final = "The popcorn machine is on fire."
COLUMNS: Final = {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long", "EVENT_TYPE": "string"}


@dataclass(frozen=True)
class Case:
    """An execution that will be red, and what a person would say about it."""

    make: Callable[[ResourceZoo], str]
    error: str
    reason: str
    machine: str
    subject: str
    phrase: str = ""  # of the runbook's row, where several rows are about one error


def run(machine: str, given: dict[str, Any]) -> Callable[[ResourceZoo], str]:
    return lambda zoo: zoo.cloud.run(machine, given).arn


def failing(noun: str) -> Callable[[ResourceZoo], str]:
    def make(zoo: ResourceZoo) -> str:
        request = zoo.request(noun, zoo.name(noun))
        zoo.cloud.personalize.faults.fail(noun, REASON)
        failed: Run = zoo.ensure(noun, request)
        return failed.arn

    return make


def full(noun: str) -> Callable[[ResourceZoo], str]:
    def make(zoo: ResourceZoo) -> str:
        request = zoo.request(noun, zoo.name(noun))
        zoo.cloud.personalize.faults.fill_quota(noun)
        return zoo.ensure(noun, request).arn

    return make


def request_of(group: str, **more: Any) -> dict[str, Any]:
    return {"datasetGroup": group, "datasets": {"interactions": {"columns": COLUMNS}}, **more}


def bad_upload(zoo: ResourceZoo) -> str:
    """Upload a file that no import takes, to a dataset that is there."""
    group, cloud = "bad-upload", zoo.cloud
    assert cloud.run("import_data", request_of(group)).status == "SUCCEEDED"
    key = f"uploads/{group}/interactions/monday.csv"
    cloud.client("s3").put_object(
        Bucket=cloud.deployment.bucket, Key=key, Body=b"USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\n1,2,tomorrow,Watch\n"
    )
    cloud.quiesce()
    connection = connection_to(cloud)
    newest = connection.executions.newest(connection.machine_arn("import_uploads"), "FAILED")
    return next(execution.arn for execution in newest if execution.group == group)


def aborted(zoo: ResourceZoo) -> str:
    """Stop an execution that waits."""
    request = zoo.request("dataset_group", zoo.name("dataset_group"))
    zoo.cloud.personalize.faults.slow("dataset_group", 1000)
    connection = connection_to(zoo.cloud)
    arn = connection.start("ensure_resource", {"type": "dataset_group", "request": request})
    zoo.wait_for_state(arn, "Wait")
    connection.client("stepfunctions").stop_execution(executionArn=arn)
    zoo.cloud.quiesce()
    return arn


def other_recipe(zoo: ResourceZoo) -> str:
    request = zoo.request("solution", zoo.name("solution"))
    assert zoo.ensure("solution", request).status == "SUCCEEDED"
    recipe = "arn:aws:personalize:::recipe/aws-user-personalization"
    return zoo.ensure("solution", {**request, "recipeArn": recipe}).arn


def somebody_elses(zoo: ResourceZoo) -> str:
    """Ask for a filter whose name another group has failed to make."""
    request = zoo.request("filter", zoo.name("filter"))
    zoo.cloud.personalize.faults.fail("filter", REASON)
    assert zoo.ensure("filter", request).status == "FAILED"
    zoo.cloud.personalize.faults.clear()
    return zoo.ensure("filter", {**request, "datasetGroupArn": zoo.domain_group}).arn


def throttled(zoo: ResourceZoo) -> str:
    zoo.cloud.personalize.faults.throttle(1.0)
    return zoo.ensure("dataset_group", zoo.request("dataset_group", zoo.name("dataset_group"))).arn


def too_slow(zoo: ResourceZoo) -> str:
    """Let a group take longer than we wait for it, which is three hours."""
    zoo.cloud.personalize.faults.slow("dataset_group", 10_000)
    with sped_up():
        return zoo.ensure("dataset_group", zoo.request("dataset_group", zoo.name("dataset_group"))).arn


def never_gone(zoo: ResourceZoo) -> str:
    """Remove a solution while a version of it trains for longer than we wait."""
    solution = zoo.made("solution", **zoo.request("solution", zoo.name("solution")))
    zoo.cloud.personalize.faults.slow("solution_version", 10_000)
    zoo.cloud.client("personalize").create_solution_version(solutionArn=solution, name="slow")
    with sped_up():
        return zoo.cloud.run("remove_resource", {"type": "solution", "request": {"solutionArn": solution}}).arn


@contextmanager
def sped_up() -> Iterator[None]:
    """Let hours pass in a second, where nothing runs for real."""
    speed = CLOCK.speed
    CLOCK.change_speed(20 * speed)
    try:
        yield
    finally:
        CLOCK.change_speed(speed)


def in_use(zoo: ResourceZoo) -> str:
    request = zoo.request("dataset", zoo.name("dataset"))
    assert zoo.ensure("dataset", request).status == "SUCCEEDED"
    group = request["datasetGroupArn"].rpartition("/")[2]
    return zoo.cloud.run("remove_resource", {"type": "dataset_group", "request": {"name": group}}).arn


CASES: Final[dict[str, Case]] = {
    "a group without a request": Case(
        run("pipeline", {"datasetGroup": "nobody"}), "InvalidRequestError", "the bucket has no requests/nobody.json",
        "pipeline", "nobody",
    ),
    "a recipe that is none": Case(
        run("pipeline", request_of("films", solutions=[{"name": "x", "recipeArn": "none"}])),
        "InvalidRequestError", "'none' is no recipe", "pipeline", "films",
    ),
    "no data, where that must not be": Case(
        run("import_data", request_of("empty", onMissingData="FAIL")), "NoDataError", "interactions",
        "import_data", "empty",
    ),
    "more than the budget": Case(
        run("pipeline", request_of("poor", budget={"monthlyCost": 1}, solutions=[
            {"name": "s", "recipeArn": "aws-sims", "campaigns": [{"name": "c", "minProvisionedTPS": 1}]},
        ])),
        "OverBudgetError", "monthlyCost", "pipeline", "poor",
    ),
    "a training that failed": Case(
        failing("solution_version"), "ResourceFailed", REASON, "ensure_resource", "solution version"
    ),
    "a campaign that failed": Case(failing("campaign"), "ResourceFailed", REASON, "ensure_resource", "campaign"),
    "an import that failed": Case(
        failing("dataset_import_job"), "ResourceFailed", REASON, "ensure_resource", "dataset import job"
    ),
    "a full account": Case(full("schema"), "LimitExceededException", "Schema", "ensure_resource", "schema"),
    "a file that does not fit": Case(
        bad_upload, "UploadRejected", "line 2, column TIMESTAMP", "import_uploads", "bad-upload"
    ),
    "a group that holds datasets": Case(in_use, "StillInUseError", "dataset", "remove_resource", "dataset group"),
    "nothing that can be found": Case(
        run("remove_resource", {"type": "campaign", "request": {}}), "UnidentifiedResourceError", "name",
        "remove_resource", "campaign",
    ),
    "another recipe under a name": Case(
        other_recipe, "ResourceFailed", "exists with recipeArn", "ensure_resource", "solution", "exists with"
    ),
    "a name that another group has": Case(
        somebody_elses, "ResourceFailed", "it belongs to", "ensure_resource", "filter", "it belongs to"
    ),
    "what is throttled for ever": Case(throttled, "TransientError", "Thrott", "ensure_resource", "dataset group"),
    "what takes too long": Case(too_slow, "ResourceFailed", "hours", "ensure_resource", "dataset group", "was still"),
    "what does not go": Case(never_gone, "StillThereError", "still there", "remove_resource", "solution"),
    "somebody stopped it": Case(aborted, "ABORTED", "somebody stopped it", "ensure_resource", "dataset group"),
}  # fmt: skip


@pytest.fixture(scope="module")
def zoo(cloud: Cloud) -> ResourceZoo:
    return ResourceZoo(cloud)


@pytest.fixture(autouse=True)
def no_faults(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)
    yield
    cloud.personalize.faults.clear()


def connection_to(cloud: Cloud) -> Connection:
    return Connection("personalize-dev", endpoint=cloud.endpoint)


@pytest.mark.parametrize("name", CASES)
def test_the_cause_is_what_a_person_would_name(zoo: ResourceZoo, name: str) -> None:
    case = CASES[name]
    reader = connection_to(zoo.cloud).executions
    why = explain_execution(reader, reader.read(case.make(zoo)))
    assert isinstance(why, Explanation)
    told = "\n".join(explanation_lines(why))
    assert (why.error, why.at.machine) == (case.error, case.machine), told
    assert case.reason in why.reason, told
    assert case.subject in why.subject, told
    assert why.state, told
    assert why.runbook is not None, told
    assert "".join(why.runbook.phrases[:1]).partition(" …")[0] == case.phrase
    assert why.runbook.advice in told
    document = explanation_document(why.execution, why)["failure"]
    assert (document["state"], document["resource"], document["reason"]) == (why.state, why.subject, why.reason)
    assert document["runbook"] == {"means": why.runbook.means, "do": why.runbook.advice}


def test_the_failure_of_a_run_is_explained_where_it_lies(zoo: ResourceZoo) -> None:
    """A pipeline that failed three machines below: the resource is named, not the machine that waited for it."""
    zoo.cloud.personalize.faults.fail("filter", REASON)
    wanted = {"name": "deep-seen", "filterExpression": zoo.request("filter", "any")["filterExpression"]}
    failed = zoo.cloud.run("pipeline", request_of("deep", filters=[wanted]))
    assert failed.status == "FAILED"
    reader = connection_to(zoo.cloud).executions
    why = explain_execution(reader, reader.read(failed.arn))
    assert why is not None
    assert (why.at.machine, why.error) == ("ensure_resource", "ResourceFailed")
    assert "filter" in why.subject
    assert REASON in why.reason


def test_what_is_not_red_is_not_explained(zoo: ResourceZoo) -> None:
    reader = connection_to(zoo.cloud).executions
    request = {"name": zoo.name("schema"), "schema": INTERACTIONS}
    green = reader.read(zoo.ensure("schema", request).arn)
    assert explain_execution(reader, green) is None
    assert explanation_document(green, None) == {"execution": green.arn, "status": "SUCCEEDED", "failure": None}


def test_every_row_of_the_runbook_can_be_found() -> None:
    """Each error that it names, with the phrases that tell it apart, leads to the row itself."""
    listed = list(rows())
    assert len(listed) >= 15
    for row in listed:
        assert row.advice, row
        for error, phrase in itertools.product(row.errors, row.phrases or ("whatever",)):
            cause = phrase.replace("…", " x ")
            assert find(error, cause) == row, (error, cause)
