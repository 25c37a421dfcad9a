"""The resource table against the installed botocore model: no row may say what the service does not."""

from typing import Any

import botocore.session
import pytest

from lambdas.personalize.resources import RESOURCES, ResourceType
from personalize_local.personalize.resources.resource_types import TYPES

ROWS = list(RESOURCES.values())
ARN_PREFIX = "arn:aws:personalize:eu-west-1:123456789012"


@pytest.fixture(scope="module")
def service() -> Any:
    return botocore.session.get_session().get_service_model("personalize")


@pytest.fixture(params=ROWS, ids=lambda row: row.noun)
def row(request: pytest.FixtureRequest) -> ResourceType:
    return request.param  # type: ignore[no-any-return]


def members(service: Any, operation: str, side: str = "input_shape") -> dict[str, object]:
    return dict(getattr(service.operation_model(operation), side).members)


def test_every_creatable_type_has_a_row(service: Any) -> None:
    created = {name.removeprefix("Create") for name in service.operation_names if name.startswith("Create")}
    assert created == {row.pascal for row in ROWS}


def test_create_takes_the_name_and_returns_the_arn(service: Any, row: ResourceType) -> None:
    assert row.name_key in members(service, f"Create{row.pascal}")
    assert row.arn_key in members(service, f"Create{row.pascal}", "output_shape")


def test_describe_is_keyed_by_arn_and_answers_under_the_noun(service: Any, row: ResourceType) -> None:
    assert list(members(service, f"Describe{row.pascal}")) == [row.arn_key]
    assert list(members(service, f"Describe{row.pascal}", "output_shape")) == [row.camel]


def test_status_and_update_are_where_the_row_says(service: Any, row: ResourceType) -> None:
    described = service.operation_model(f"Describe{row.pascal}").output_shape.members[row.camel].members
    assert ("status" in described) == row.has_status
    assert (row.update_key in described) == (row.updatable and row.tells_update)


# Not updated, and why; tests/contract/test_request_coverage.py counts them.
LEFT_OUT = {"metric_attribution": {"metricsOutputConfig"}}


def test_updates_are_all_the_update_operation_takes(service: Any, row: ResourceType) -> None:
    if not row.updatable:
        assert f"Update{row.pascal}" not in service.operation_names
        return
    updates = {row.arn_key, *row.updates, *LEFT_OUT.get(row.noun, ())}
    assert set(members(service, f"Update{row.pascal}")) == updates


def test_tags_are_taken_where_the_row_says(service: Any, row: ResourceType) -> None:
    assert ("tags" in members(service, f"Create{row.pascal}")) == row.taggable


def test_what_describe_leaves_out_is_listed_by_an_operation_of_its_own(service: Any, row: ResourceType) -> None:
    if row.listed_part:
        operation = f"List{row.pascal}{row.listed_part.capitalize()}"
        assert row.arn_key in members(service, operation)
        assert row.listed_part in members(service, operation, "output_shape")


def test_deletable_types_can_be_deleted_by_arn(service: Any, row: ResourceType) -> None:
    assert (f"Delete{row.pascal}" in service.operation_names) == row.deletable
    if row.deletable:
        assert list(members(service, f"Delete{row.pascal}")) == [row.arn_key]


def test_list_is_narrowed_by_the_parent_and_answers_where_the_row_says(service: Any, row: ResourceType) -> None:
    asked = set(members(service, f"List{row.pascal}s")) - {"nextToken", "maxResults"}
    assert asked == ({row.parent_key} if row.parent else set())
    assert row.summaries_key in members(service, f"List{row.pascal}s", "output_shape")


def test_history_can_be_read_from_list(service: Any, row: ResourceType) -> None:
    if not row.has_status:
        return
    answer = service.operation_model(f"List{row.pascal}s").output_shape
    summary = answer.members[row.summaries_key].member.members
    assert {"status", "creationDateTime", "lastUpdatedDateTime", row.arn_key} <= set(summary)


@pytest.mark.parametrize(
    ("noun", "request_", "path"),
    [
        ("dataset_group", {"name": "movies"}, "dataset-group/movies"),
        (
            "dataset",
            {"datasetGroupArn": f"{ARN_PREFIX}:dataset-group/movies", "datasetType": "Interactions"},
            "dataset/movies/INTERACTIONS",
        ),
        ("dataset_import_job", {"jobName": "monday"}, "dataset-import-job/monday"),
        ("campaign", {"name": "movies"}, "campaign/movies"),
        ("campaign", {"campaignArn": f"{ARN_PREFIX}:campaign/other"}, "campaign/other"),
    ],
)
def test_arns_are_built_as_documented(noun: str, request_: dict[str, str], path: str) -> None:
    assert RESOURCES[noun].arn(ARN_PREFIX, request_) == f"{ARN_PREFIX}:{path}"


@pytest.mark.parametrize("noun", ["event_tracker", "solution_version"])
def test_ids_that_the_service_invents_are_not_guessed(noun: str) -> None:
    assert RESOURCES[noun].arn(ARN_PREFIX, {"name": "mine"}) is None


def test_the_local_service_calls_everything_by_the_same_names() -> None:
    """The local service is installed without the control plane, so it has a table of its own."""
    local = [(t.noun, t.named, t.parent, t.words is not None, t.updatable, t.arn_key, t.summaries_key, t.parent_key,
              t.update_key) for t in TYPES.values()]  # fmt: skip
    assert local == [(r.noun, r.name_key, r.parent, r.has_status, r.updatable and r.tells_update,
                      r.arn_key, r.summaries_key, r.parent_key, r.update_key) for r in ROWS]  # fmt: skip
