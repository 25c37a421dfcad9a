"""Personalize alone runs in a process beside plain moto, and leaves no trace there."""

from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from personalize_local.personalize_server import PersonalizeServer
from personalize_local.state.directory import taken


def test_it_answers_in_process_and_over_http() -> None:
    with PersonalizeServer(port=0) as server:
        server.client("s3").create_bucket(Bucket="one")
        over_http = boto3.client(
            "s3", "us-east-1", endpoint_url=server.endpoint, aws_access_key_id="a", aws_secret_access_key="b"
        )
        assert [each["Name"] for each in over_http.list_buckets()["Buckets"]] == ["one"]
        assert len(server.client("personalize").list_recipes()["recipes"]) > 20


def test_what_public_notebooks_attach_is_there() -> None:
    with PersonalizeServer() as server:
        iam = server.client("iam")
        iam.create_role(RoleName="notebook", AssumeRolePolicyDocument="{}")
        for policy in ("service-role/AmazonPersonalizeFullAccess", "AmazonS3ReadOnlyAccess", "AmazonS3FullAccess"):
            iam.attach_role_policy(RoleName="notebook", PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        assert len(iam.list_attached_role_policies(RoleName="notebook")["AttachedPolicies"]) == 3
        assert "alias/aws/s3" in {each["AliasName"] for each in server.client("kms").list_aliases()["Aliases"]}


def test_services_that_run_code_are_not_served() -> None:
    with PersonalizeServer(port=0) as server:
        functions = boto3.client(
            "lambda", "us-east-1", endpoint_url=server.endpoint, aws_access_key_id="a", aws_secret_access_key="b"
        )
        with pytest.raises(ClientError, match=r"serves .* and not"):
            functions.list_functions()


@pytest.mark.parametrize("where", ["inside", "outside"])
def test_moto_is_its_own_again_afterwards(where: str) -> None:
    """Its own Personalize has four operations, and none of them lists recipes."""
    with mock_aws():
        theirs = boto3.client("s3", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        theirs.create_bucket(Bucket="theirs")
        with PersonalizeServer() as server:
            if where == "inside":
                with mock_aws():
                    assert server.client("personalize").list_recipes()["recipes"]
            server.client("s3").create_bucket(Bucket="ours")
        assert "theirs" in {each["Name"] for each in theirs.list_buckets()["Buckets"]}
        own = boto3.client("personalize", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        assert own.list_schemas()["schemas"] == []
        with pytest.raises((ClientError, NotImplementedError)):
            own.list_recipes()


def test_a_directory_keeps_what_it_had(tmp_path: Path) -> None:
    for expected in (0, 1):
        with taken(tmp_path / "state") as state, PersonalizeServer(state=state) as server:
            personalize = server.client("personalize")
            assert len(personalize.list_dataset_groups()["datasetGroups"]) == expected
            if not expected:
                personalize.create_dataset_group(name="kept")
