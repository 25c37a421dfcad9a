"""What moto's own public tests of its Personalize check, checked here in our words: four operations on schemas.

All settings are the default ones. moto's tests call a schema "sth", which no dataset can have.
"""

from typing import Any

import boto3
import pytest

from tests.personalize_local.personalize.world import ACCOUNT, World, avro


@pytest.fixture
def personalize(world: World) -> Any:
    assert world.account
    return boto3.client("personalize", region_name="us-east-2")


def test_a_schemas_arn_names_region_account_and_name(personalize: Any) -> None:
    elsewhere = boto3.client("personalize", region_name="ap-southeast-1")
    arn = elsewhere.create_schema(name="demo", schema=avro("Interactions"))["schemaArn"]
    assert arn == f"arn:aws:personalize:ap-southeast-1:{ACCOUNT}:schema/demo"
    assert personalize.list_schemas()["schemas"] == []


def test_a_deleted_schema_is_listed_no_more(personalize: Any) -> None:
    arn = personalize.create_schema(name="mine", schema='"anything"')["schemaArn"]
    personalize.delete_schema(schemaArn=arn)
    assert personalize.list_schemas()["schemas"] == []


@pytest.mark.parametrize("operation", ["delete_schema", "describe_schema"])
@pytest.mark.parametrize("account", [ACCOUNT, "486285699788"])
def test_an_unknown_schema_is_not_found_in_these_words(personalize: Any, operation: str, account: str) -> None:
    arn = f"arn:aws:personalize:ap-southeast-1:{account}:schema/demo"
    with pytest.raises(personalize.exceptions.ClientError) as caught:
        getattr(personalize, operation)(schemaArn=arn)
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("ResourceNotFoundException", f"Resource Arn {arn} does not exist.")


def test_describe_tells_the_text_and_list_does_not(personalize: Any) -> None:
    arn = personalize.create_schema(name="mine", schema="anything", domain="ECOMMERCE")["schemaArn"]
    described = personalize.describe_schema(schemaArn=arn)["schema"]
    assert {"name": "mine", "schemaArn": arn, "schema": "anything", "domain": "ECOMMERCE"}.items() <= described.items()
    (listed,) = personalize.list_schemas()["schemas"]
    assert (listed["name"], listed["schemaArn"], "schema" in listed) == ("mine", arn, False)
    assert {"creationDateTime", "lastUpdatedDateTime"} <= set(described) & set(listed)
