"""Quotas and their two messages, lists in pages, tags that only one operation tells."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from personalize_local.personalize.controls.quotas import Quota
from tests.personalize_local.personalize.world import PREFIX, ROLE, World, avro


def message_of(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    assert error["Code"] == "LimitExceededException"
    return str(error["Message"])


def _import(world: World, dataset: str, name: str) -> None:
    location = world.put_object("f.csv", "USER_ID\nu\n")
    world.personalize.create_dataset_import_job(
        jobName=name, datasetArn=dataset, dataSource={"dataLocation": location}, roleArn=ROLE
    )


def test_five_imports_at_a_time_and_the_slot_frees_itself(world: World) -> None:
    """Fact: the message names PENDING and IN_PROGRESS, so callers know that waiting helps."""
    dataset = world.make_dataset(world.make_group())
    for number in range(5):
        _import(world, dataset, f"job-{number}")
    request = {"jobName": "sixth", "datasetArn": dataset, "dataSource": {"dataLocation": "s3://b/f.csv"}}
    told = message_of(world.personalize.create_dataset_import_job, **request, roleArn=ROLE)
    assert told == "More than 5 resources with PENDING or IN_PROGRESS status"
    world.finish()
    _import(world, dataset, "sixth")


def test_five_groups_and_only_a_deletion_helps(world: World) -> None:
    for number in range(5):
        world.make_group(f"group-{number}")
    told = message_of(world.personalize.create_dataset_group, name="sixth")
    assert told.endswith("More than 5 resources in ACTIVE state. Please delete some and try again")
    world.pass_time(86_400)
    message_of(world.personalize.create_dataset_group, name="sixth")
    world.personalize.delete_dataset_group(datasetGroupArn=f"{PREFIX}dataset-group/group-0")
    message_of(world.personalize.create_dataset_group, name="sixth")
    world.pass_time(600)
    world.personalize.create_dataset_group(name="sixth")


def test_quotas_can_be_raised_and_switched_off(world: World) -> None:
    world.service.quotas.table["dataset_group"] = Quota(1, "present", "region")
    world.make_group("one")
    message_of(world.personalize.create_dataset_group, name="two")
    world.service.switches.quotas = False
    world.make_group("two")
    world.service.faults.fill_quota("dataset_group")
    message_of(world.personalize.create_dataset_group, name="three")


def test_quotas_of_a_group_are_its_own(world: World) -> None:
    world.service.quotas.table["solution"] = Quota(1, "present", "dataset group")
    first, second = world.make_group("first"), world.make_group("second")
    world.make_solution(first, name="a")
    world.make_solution(second, name="b")
    message_of(
        world.personalize.create_solution,
        name="c",
        datasetGroupArn=first,
        recipeArn="arn:aws:personalize:::recipe/aws-sims",
    )


@pytest.fixture
def schemas(world: World) -> list[str]:
    return [world.personalize.create_schema(name=f"s{n}", schema=avro("Items"))["schemaArn"] for n in range(7)]


def test_pages_hold_everything_once_newest_first(world: World, schemas: list[str]) -> None:
    pages = list(world.personalize.get_paginator("list_schemas").paginate(PaginationConfig={"PageSize": 3}))
    assert [len(page["schemas"]) for page in pages] == [3, 3, 1]
    assert [each["schemaArn"] for page in pages for each in page["schemas"]] == schemas[::-1]


def test_pages_stay_in_step_while_resources_come_and_go(world: World, schemas: list[str]) -> None:
    page = world.personalize.list_schemas(maxResults=3)
    world.personalize.create_schema(name="late", schema=avro("Items"))
    world.personalize.delete_schema(schemaArn=page["schemas"][-1]["schemaArn"])
    rest = world.personalize.list_schemas(maxResults=100, nextToken=page["nextToken"])["schemas"]
    assert [each["schemaArn"] for each in rest] == schemas[3::-1]


def test_a_token_belongs_to_its_own_question(world: World, schemas: list[str]) -> None:
    token = world.personalize.list_schemas(maxResults=3)["nextToken"]
    assert schemas
    changed = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    for call, wrong in (
        (world.personalize.list_dataset_groups, token),
        (world.personalize.list_schemas, "garbage"),
        (world.personalize.list_schemas, changed),
        (world.personalize.list_schemas, "ü"),
    ):
        with pytest.raises(world.personalize.exceptions.InvalidNextTokenException):
            call(nextToken=wrong)


def test_campaigns_are_listed_by_the_arn_of_a_version(world: World) -> None:
    _, version = world.make_trained()
    campaign = world.make_campaign(version)
    for arn in (version, version.rpartition("/")[0]):
        listed = world.personalize.list_campaigns(solutionArn=arn)["campaigns"]
        assert [each["campaignArn"] for each in listed] == [campaign]


def test_lists_are_narrowed_to_a_parent(world: World) -> None:
    first, second = world.make_group("first"), world.make_group("second")
    world.make_dataset(first)
    other = world.make_dataset(second)
    listed = world.personalize.list_datasets(datasetGroupArn=second)["datasets"]
    assert [each["datasetArn"] for each in listed] == [other]
    assert len(world.personalize.list_datasets()["datasets"]) == 2
    nowhere = {"datasetGroupArn": f"{first}-not"}
    assert world.personalize.list_datasets(**nowhere)["datasets"] == []
    world.service.switches.unknown_list_parent = "refuse"
    with pytest.raises(world.personalize.exceptions.InvalidInputException):
        world.personalize.list_datasets(**nowhere)


def test_recipes_of_a_domain(world: World) -> None:
    every = world.personalize.list_recipes(recipeProvider="SERVICE")["recipes"]
    video = world.personalize.list_recipes(domain="VIDEO_ON_DEMAND")["recipes"]
    assert len(video) == 5
    assert {each.get("domain") for each in video} == {"VIDEO_ON_DEMAND"}
    assert {each.get("domain") for each in every} == {None, "ECOMMERCE", "VIDEO_ON_DEMAND"}


def test_tags_are_told_by_one_operation_only(world: World) -> None:
    arn = world.make_group(tags=[{"tagKey": "a", "tagValue": "1"}])
    world.personalize.tag_resource(
        resourceArn=arn, tags=[{"tagKey": "a", "tagValue": "2"}, {"tagKey": "ü", "tagValue": ""}]
    )
    world.personalize.untag_resource(resourceArn=arn, tagKeys=["absent"])
    tags = world.personalize.list_tags_for_resource(resourceArn=arn)["tags"]
    assert {each["tagKey"]: each["tagValue"] for each in tags} == {"a": "2", "ü": ""}
    assert "tags" not in world.describe("dataset_group", arn)
    world.personalize.untag_resource(resourceArn=arn, tagKeys=["a", "ü"])
    assert world.personalize.list_tags_for_resource(resourceArn=arn)["tags"] == []


def test_fifty_tags_are_the_most(world: World) -> None:
    arn = world.make_group()
    many = [{"tagKey": f"k{n}", "tagValue": "v"} for n in range(50)]
    world.personalize.tag_resource(resourceArn=arn, tags=many)
    world.personalize.tag_resource(resourceArn=arn, tags=many[:1])
    with pytest.raises(world.personalize.exceptions.TooManyTagsException):
        world.personalize.tag_resource(resourceArn=arn, tags=[{"tagKey": "one more", "tagValue": "v"}])
    for key in ("aws:mine", "AWS:mine"):
        with pytest.raises(world.personalize.exceptions.InvalidInputException):
            world.personalize.tag_resource(resourceArn=arn, tags=[{"tagKey": key, "tagValue": "v"}])


@pytest.mark.parametrize(
    ("key", "allowed"), [("näme 1_.:/=+-@", True), ("a\u00a0b", True), ("a\nb", False), ("a#b", False)]
)
def test_tag_keys_are_letters_digits_blanks_and_some_signs(world: World, key: str, allowed: bool) -> None:
    """Fact: the pattern is in the model."""
    arn = world.make_group()
    tags = [{"tagKey": key, "tagValue": ""}]
    if allowed:
        world.personalize.tag_resource(resourceArn=arn, tags=tags)
    else:
        with pytest.raises(world.personalize.exceptions.InvalidInputException):
            world.personalize.tag_resource(resourceArn=arn, tags=tags)


def test_a_schema_cannot_be_tagged(world: World) -> None:
    arn = world.make_schema()
    with pytest.raises(world.personalize.exceptions.InvalidInputException):
        world.personalize.tag_resource(resourceArn=arn, tags=[{"tagKey": "k", "tagValue": "v"}])
