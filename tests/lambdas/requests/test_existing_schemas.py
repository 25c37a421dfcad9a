"""A dataset made by hand keeps its schema, whatever the schema's name, when its columns are those asked for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdas.requests.plan_check import request_problems
from tests.lambdas.requests.step_runs import StepRuns, step_runs

COLUMNS = {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long", "EVENT_TYPE": "string"}


def avro(columns: dict[str, Any]) -> dict[str, Any]:
    fields = [{"name": column, "type": kind} for column, kind in columns.items()]
    return {"type": "record", "name": "Interactions", "namespace": "com.example", "fields": fields, "version": "1.0"}


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[StepRuns]:
    with step_runs(tmp_path) as made:
        yield made


@pytest.fixture
def by_hand(runs: StepRuns) -> str:
    """Make a group with a dataset of interactions by hand; return its schema's ARN."""
    text = json.dumps(avro(dict(reversed(COLUMNS.items()))))
    client = runs.world.personalize
    schema = str(client.create_schema(name="Made-in-a-notebook_7", schema=text)["schemaArn"])
    group = runs.world.make_group("byhand")
    client.create_dataset(name="x1", schemaArn=schema, datasetGroupArn=group, datasetType="INTERACTIONS")
    runs.world.finish(120)
    return schema


def request(**interactions: Any) -> dict[str, Any]:
    return {"datasetGroup": "byhand", "datasets": {"interactions": interactions}}


def test_identical_columns_change_nothing(runs: StepRuns, by_hand: str) -> None:
    found = runs.import_data(runs.planner(request(columns=COLUMNS)))
    assert [one["phase"] for one in found] == ["READY"] * 3
    assert found[1]["arn"] == by_hand
    assert runs.writes == []


@pytest.mark.parametrize("name", [None, "another-name"])
def test_a_whole_document_and_other_names_change_nothing(runs: StepRuns, by_hand: str, name: str | None) -> None:
    own = {"name": name} if name else {}
    found = runs.import_data(runs.planner(request(schema=avro(COLUMNS), **own)))
    assert (found[1]["arn"], runs.writes) == (by_hand, [])


def test_a_schema_named_by_its_arn(runs: StepRuns, by_hand: str) -> None:
    twin = runs.world.personalize.create_schema(name="twin", schema=json.dumps(avro(COLUMNS)))["schemaArn"]
    for arn in (by_hand, twin):
        found = runs.import_data(runs.planner(request(schemaArn=arn)))
        assert [one["phase"] for one in found] == ["READY"] * 3
    assert runs.writes == []


def test_a_new_group_takes_the_schema_named_by_its_arn(runs: StepRuns, by_hand: str) -> None:
    runs.import_data(runs.planner({**request(schemaArn=by_hand, name="Mine"), "datasetGroup": "fresh"}))
    assert [(verb, noun) for verb, noun, _ in runs.writes] == [("create", "dataset_group"), ("create", "dataset")]
    dataset = runs.world.describe("dataset", runs.writes[1][2])
    assert (dataset["schemaArn"], dataset["name"]) == (by_hand, "Mine")


def test_other_columns_are_a_difference(runs: StepRuns, by_hand: str) -> None:
    assert by_hand
    with pytest.raises(runs.personalize.errors.InvalidInputException, match="schema"):
        runs.import_data(runs.planner(request(columns={**COLUMNS, "DEVICE": "string"})))


def test_what_no_update_can_bring_is_refused_before_anything_is_made(runs: StepRuns, by_hand: str) -> None:
    assert by_hand
    (problem,) = request_problems(runs.planner(request(columns={**COLUMNS, "DEVICE": "string"})), runs.personalize)
    assert problem.path == "$.datasets.interactions"
    assert problem.text.endswith("Amazon Personalize cannot replace the schema of INTERACTIONS")


def test_items_and_users_may_gain_columns_that_take_null_and_lose_none(runs: StepRuns) -> None:
    def users(**more: Any) -> dict[str, Any]:
        columns = {"USER_ID": "string", "AGE": "int", **more}
        return {"datasetGroup": "grows", "datasets": {"users": {"columns": columns}}}

    def problems(document: dict[str, Any]) -> list[str]:
        return [problem.text for problem in request_problems(runs.planner(document), runs.personalize)]

    runs.import_data(runs.planner(users()))
    assert problems(users(PLACE=["null", "string"])) == []
    assert "do not: PLACE" in problems(users(PLACE="string"))[0]
    assert "lose or change the columns AGE" in problems(users(AGE="long"))[0]
    runs.writes.clear()
    assert runs.import_data(runs.planner(users(PLACE=["null", "string"])))[-1]["phase"] == "READY"
    assert [(verb, noun) for verb, noun, _ in runs.writes] == [("create", "schema"), ("update", "dataset")]


def test_a_schema_that_does_not_exist_is_refused_before_anything_is_made(runs: StepRuns, by_hand: str) -> None:
    arn = by_hand.replace("notebook", "nowhere")
    (problem,) = request_problems(runs.planner(request(schemaArn=arn)), runs.personalize)
    assert problem == ("$.datasets.interactions.schemaArn", f"there is no schema {arn}")


def test_a_document_is_checked_as_columns_are(runs: StepRuns) -> None:
    (problem,) = request_problems(runs.planner(request(schema=avro({**COLUMNS, "AGE": "date"}))), runs.personalize)
    assert problem.path == "$.datasets.interactions.schema.AGE"
    (problem,) = request_problems(runs.planner(request(schema={"type": "string"})), runs.personalize)
    assert "no Avro record" in problem.text
