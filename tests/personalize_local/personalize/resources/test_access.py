"""Policies of the role and of the bucket: what Personalize may read and write, and what it says when it may not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from personalize_local.aws import installation
from tests.personalize_local.personalize.world import ACCOUNT, PREFIX, ROLE, World, client, running

NAME = "service"
EXISTING = f"arn:aws:iam::{ACCOUNT}:role/{NAME}"
SERVICE = {"Service": "personalize.amazonaws.com"}
TRUST = {
    "Effect": "Allow",
    "Principal": SERVICE,
    "Action": "sts:AssumeRole",
    "Condition": {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "StringLike": {"aws:SourceArn": f"arn:aws:personalize:*:{ACCOUNT}:*"},
    },
}
INSUFFICIENT = "Insufficient privileges for accessing data in Amazon S3."


def document(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give the service with moto corrected, and settings turned back afterwards."""
    installation.install()
    with running(tmp_path) as made:
        yield made


@pytest.fixture
def iam() -> Any:
    """Return IAM's client."""
    return client("iam")


def reading(world: World, **more: Any) -> dict[str, Any]:
    resources = [f"arn:aws:s3:::{world.bucket}", f"arn:aws:s3:::{world.bucket}/*"]
    return {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": resources, **more}


def make_role(iam: Any, world: World, *, trust: Any = TRUST) -> None:
    iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=document(trust))
    iam.put_role_policy(RoleName=NAME, PolicyName="reading", PolicyDocument=document(reading(world)))


def give_policy(world: World, *statements: Any) -> None:
    world.s3.put_bucket_policy(Bucket=world.bucket, Policy=document(*statements))


def imported(world: World, role: str = EXISTING) -> str:
    """Return why an import failed, or its status."""
    location = world.put_object("in.csv", "USER_ID\nu\n")
    number = len(world.personalize.list_dataset_import_jobs()["datasetImportJobs"])
    groups = world.personalize.list_dataset_groups()["datasetGroups"]
    if not groups:
        world.make_dataset(world.make_group())
    dataset = world.personalize.list_datasets()["datasets"][0]["datasetArn"]
    source = {"dataLocation": location}
    try:
        world.personalize.create_dataset_import_job(
            jobName=f"j{number}", datasetArn=dataset, dataSource=source, roleArn=role
        )
    except world.personalize.exceptions.InvalidInputException as error:
        return f"refused: {error}"
    world.finish()
    job = world.describe("dataset_import_job", f"{PREFIX}dataset-import-job/j{number}")
    return str(job.get("failureReason") or job["status"])


def test_a_role_and_a_bucket_as_the_guide_describes_them(world: World, iam: Any) -> None:
    make_role(iam, world)
    give_policy(world, reading(world, Principal=SERVICE))
    assert imported(world) == "ACTIVE"


def test_a_role_as_public_notebooks_make_it(world: World, iam: Any) -> None:
    """Observed: AWS's managed policies on the role, and a policy of the bucket for the service."""
    iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=document({**TRUST, "Condition": {}}))
    for policy in ("service-role/AmazonPersonalizeFullAccess", "AmazonS3FullAccess"):
        iam.attach_role_policy(RoleName=NAME, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    give_policy(world, reading(world, Principal=SERVICE))
    assert imported(world) == "ACTIVE"
    iam.detach_role_policy(RoleName=NAME, PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    assert f"{EXISTING} is not authorized to perform: s3:ListBucket" in imported(world)


def test_a_role_with_a_policy_of_the_account(world: World, iam: Any) -> None:
    iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=document(TRUST))
    made = iam.create_policy(PolicyName="reading", PolicyDocument=document(reading(world)))["Policy"]["Arn"]
    give_policy(world, reading(world, Principal=SERVICE))
    assert INSUFFICIENT in imported(world)
    iam.attach_role_policy(RoleName=NAME, PolicyArn=made)
    assert imported(world) == "ACTIVE"


def test_the_bucket_must_let_the_service_in_too(world: World, iam: Any) -> None:
    make_role(iam, world)
    reason = imported(world)
    assert INSUFFICIENT in reason
    because = "because no resource-based policy allows the s3:ListBucket action"
    asked = f's3:ListBucket on resource: "arn:aws:s3:::{world.bucket}"'
    assert f"personalize.amazonaws.com is not authorized to perform: {asked} {because}" in reason


@pytest.mark.parametrize(
    ("more", "is_open"),
    [
        ({"Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}}, False),
        ({"Condition": {"ArnLike": {"aws:SourceArn": f"{PREFIX}dataset-import-job/*"}}}, True),
        ({"Condition": {"ArnLike": {"aws:SourceArn": f"{PREFIX}dataset-export-job/*"}}}, False),
        ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, True),
        ({"Condition": {"StringLike": {"s3:prefix": "out/*"}}}, False),
        ({"NotResource": "arn:aws:s3:::elsewhere", "Resource": None}, True),
    ],
)
def test_the_buckets_conditions_count(world: World, iam: Any, more: dict[str, Any], is_open: bool) -> None:
    make_role(iam, world)
    statement = {**reading(world, Principal=SERVICE), **more}
    give_policy(world, {name: value for name, value in statement.items() if value is not None})
    assert (imported(world) == "ACTIVE") is is_open


@pytest.mark.parametrize(
    "denied",
    [
        {"Principal": "*"},
        {"Principal": SERVICE},
        {"Principal": {"AWS": EXISTING}},
        {"NotPrincipal": {"AWS": ["arn:aws:iam::123456789012:root", "123456789012"]}},
    ],
)
def test_an_explicit_deny_of_the_bucket_wins(world: World, iam: Any, denied: dict[str, Any]) -> None:
    make_role(iam, world)
    deny = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{world.bucket}/*", **denied}
    give_policy(world, reading(world, Principal=SERVICE), deny)
    assert "with an explicit deny in a resource-based policy" in imported(world)


def test_a_policy_that_cannot_be_evaluated_fails_the_job_and_says_so(world: World, iam: Any) -> None:
    make_role(iam, world)
    condition = {"ForAnyValue:StringLike": {"aws:CalledVia": "personalize*"}}
    give_policy(world, reading(world, Principal=SERVICE, Condition=condition))
    assert "cannot be evaluated: the local cloud does not know the condition" in imported(world)


def test_a_role_that_does_not_trust_personalize_is_refused_in_the_call(world: World, iam: Any) -> None:
    elsewhere = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    make_role(iam, world, trust=elsewhere)
    give_policy(world, reading(world, Principal=SERVICE))
    assert imported(world).startswith("refused: ")
    assert f"Cannot assume {EXISTING}" in imported(world)
    iam.update_assume_role_policy(RoleName=NAME, PolicyDocument=document(TRUST))
    assert imported(world) == "ACTIVE"


def test_a_role_that_iam_does_not_have(world: World) -> None:
    """Choice: it may do all, unless the bucket has a policy that does not let the service in."""
    assert imported(world, ROLE) == "ACTIVE"
    give_policy(world, reading(world, Principal={"Service": "sagemaker.amazonaws.com"}))
    assert INSUFFICIENT in imported(world, ROLE)
    world.service.switches.set("access_policies", "never")
    assert imported(world, ROLE) == "ACTIVE"
    world.service.switches.set("access_policies", "always")
    assert f"The role {ROLE} does not exist in IAM." in imported(world, ROLE)


def test_always_demands_the_buckets_policy(world: World, iam: Any) -> None:
    make_role(iam, world)
    world.service.switches.set("access_policies", "never")
    assert imported(world) == "ACTIVE"
    world.service.switches.set("access_policies", "always")
    assert INSUFFICIENT in imported(world)


def test_other_resources_with_a_role_want_its_trust_too(world: World, iam: Any) -> None:
    make_role(iam, world, trust={**TRUST, "Principal": {"Service": "ec2.amazonaws.com"}})
    group = world.make_group("attributed")
    world.make_dataset(group)
    metric = {"eventType": "view", "metricName": "views", "expression": "SAMPLECOUNT()"}
    invalid = world.personalize.exceptions.InvalidInputException
    with pytest.raises(invalid, match="Cannot assume"):
        world.personalize.create_metric_attribution(
            name="a", datasetGroupArn=group, metrics=[metric], metricsOutputConfig={"roleArn": EXISTING}
        )
    with pytest.raises(invalid, match="Cannot assume"):
        world.personalize.create_dataset_group(
            name="encrypted", roleArn=EXISTING, kmsKeyArn=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"
        )
