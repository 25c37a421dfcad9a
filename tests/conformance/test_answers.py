"""Words, exceptions and their order, in calls that cost nothing."""

from datetime import datetime

import pytest

from tests.conformance.target import RECIPES, SCHEMAS, Target, refused

RECIPE = f"{RECIPES}aws-user-personalization-v2"


@pytest.mark.operation("CreateDatasetGroup")
def test_a_group_is_made_in_these_words(target: Target) -> None:
    arn = target.create("dataset_group", name=target.name("words"))
    seen = target.words("dataset_group", arn)
    assert set(seen) <= {"CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE"}
    assert seen[-1] == "ACTIVE"


@pytest.mark.operation("CreateDatasetGroup")
def test_a_taken_name(target: Target) -> None:
    arn = target.empty_group
    came = refused(target.personalize.create_dataset_group, name=arn.rpartition("/")[2])
    assert came == ("ResourceAlreadyExists", f"Another resource with Arn {arn} already exists.")


@pytest.mark.operation("DescribeDatasetGroup")
def test_an_unknown_group(target: Target) -> None:
    arn = f"{target.empty_group}-unknown"
    came = refused(target.personalize.describe_dataset_group, datasetGroupArn=arn)
    assert came == ("ResourceNotFound", f"Resource Arn {arn} does not exist.")


@pytest.mark.operation("DescribeDatasetGroup")
def test_moments_are_moments(target: Target) -> None:
    group = target.describe("dataset_group", target.empty_group)
    assert isinstance(group["creationDateTime"], datetime)
    assert group["creationDateTime"] <= group["lastUpdatedDateTime"]
    assert "failureReason" not in group


@pytest.mark.operation("DeleteDatasetGroup")
def test_a_group_with_datasets_stays(target: Target) -> None:
    came = refused(target.personalize.delete_dataset_group, datasetGroupArn=target.group)
    assert came is not None
    assert came[0] == "ResourceInUse"


@pytest.mark.operation("DeleteSchema")
def test_a_schema_in_use_stays(target: Target) -> None:
    assert target.group
    schema = target.group.partition(":dataset-group/")[0] + f":schema/{target.name('users')}"
    came = refused(target.personalize.delete_schema, schemaArn=schema)
    assert came is not None
    assert came[0] == "ResourceInUse"


@pytest.mark.operation("CreateSchema")
def test_a_text_that_is_no_json(target: Target) -> None:
    assert refused(lambda: target.create("schema", name=target.name("sth"), schema="sth")) is None


@pytest.mark.operation("CreateDataset")
def test_a_second_dataset_of_a_type(target: Target) -> None:
    schema = target.create("schema", name=target.name("again"), schema=SCHEMAS["USERS"])
    request = {"name": target.name("again"), "schemaArn": schema, "datasetGroupArn": target.group}
    came = refused(target.personalize.create_dataset, **request, datasetType="Users")
    assert came is not None
    assert came[0] == "ResourceAlreadyExists"


@pytest.mark.operation("CreateEventTracker")
def test_a_second_tracker(target: Target) -> None:
    first = target.create("event_tracker", name=target.name("first"), datasetGroupArn=target.group)
    assert target.words("event_tracker", first)[-1] == "ACTIVE"
    request = {"name": target.name("second"), "datasetGroupArn": target.group}
    came = refused(target.personalize.create_event_tracker, **request)
    assert came is not None
    assert came[0] == "ResourceAlreadyExists"


@pytest.mark.operation("CreateSolution")
def test_an_unknown_recipe(target: Target) -> None:
    request = {"name": target.name("unknown"), "datasetGroupArn": target.group, "recipeArn": f"{RECIPES}aws-none"}
    came = refused(target.personalize.create_solution, **request)
    assert came is not None
    assert came[0] == "ResourceNotFound"


@pytest.mark.operation("CreateSolution")
def test_a_solution_needs_one_way_to_choose(target: Target) -> None:
    came = refused(target.personalize.create_solution, name=target.name("none"), datasetGroupArn=target.group)
    assert came is not None
    assert came[0] == "InvalidInput"


@pytest.mark.operation("CreateSolutionVersion")
def test_a_version_without_datasets(target: Target) -> None:
    """Asked for at once, as AWS's own deployed code does; nothing is trained, as there is nothing to train on."""
    settings = {"datasetGroupArn": target.empty_group, "recipeArn": RECIPE, "performAutoTraining": False}
    solution = target.create("solution", name=target.name("empty"), **settings)
    came = refused(target.personalize.create_solution_version, solutionArn=solution)
    assert came is not None
    assert came[0] == "InvalidInput"


@pytest.mark.operation("ListDatasetGroups")
@pytest.mark.parametrize("token", ["garbage", "eyJhIjogMX0="])
def test_a_token_that_is_none(target: Target, token: str) -> None:
    came = refused(target.personalize.list_dataset_groups, nextToken=token)
    assert came is not None
    assert came[0] == "InvalidNextToken"


@pytest.mark.operation("ListCampaigns")
def test_campaigns_of_an_unknown_solution(target: Target) -> None:
    arn = target.empty_group.replace("dataset-group", "solution") + "-unknown"
    assert target.personalize.list_campaigns(solutionArn=arn)["campaigns"] == []


@pytest.mark.operation("ListRecipes")
def test_recipes_have_these_names(target: Target) -> None:
    pages = target.personalize.get_paginator("list_recipes").paginate()
    names = {recipe["name"] for page in pages for recipe in page["recipes"]}
    assert names >= {"aws-user-personalization-v2", "aws-sims", "aws-popularity-count", "aws-similar-items"}


@pytest.mark.operation("ListTagsForResource")
def test_tags_are_told(target: Target) -> None:
    target.personalize.tag_resource(resourceArn=target.empty_group, tags=[{"tagKey": "why", "tagValue": "facts"}])
    tags = target.personalize.list_tags_for_resource(resourceArn=target.empty_group)["tags"]
    assert tags == [{"tagKey": "why", "tagValue": "facts"}]
    came = refused(
        target.personalize.tag_resource, resourceArn=target.empty_group, tags=[{"tagKey": "aws:x", "tagValue": "y"}]
    )
    assert came is not None
    assert came[0] == "InvalidInput"


@pytest.mark.operation("DescribeRecipe")
def test_an_arn_of_another_kind(target: Target) -> None:
    came = refused(target.personalize.describe_recipe, recipeArn=target.empty_group)
    assert came is not None
    assert came[0] == "InvalidInput"


@pytest.mark.operation("PutEvents")
def test_an_unknown_tracker(target: Target) -> None:
    event = {"eventType": "seen", "sentAt": 1_700_000_000, "itemId": "i"}
    came = refused(
        target.client("personalize-events").put_events,
        trackingId="00000000-0000-0000-0000-000000000000",
        sessionId="s",
        eventList=[event],
    )
    assert came is not None
    assert came[0] == "InvalidInput"
