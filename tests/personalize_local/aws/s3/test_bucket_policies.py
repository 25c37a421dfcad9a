"""Policies of buckets: what they deny to the account's own callers, with their conditions."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.cloud import Cloud

TO_PERSONALIZE = {
    "Effect": "Allow",
    "Principal": {"Service": "personalize.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::policed/*",
    "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
}
DENIED = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::policed/kept/*"}


@pytest.fixture(scope="module")
def s3(aws: Cloud) -> Any:
    client = aws.client("s3")
    client.create_bucket(Bucket="policed")
    return client


def put(s3: Any, key: str, *statements: Any) -> str:
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    s3.put_bucket_policy(Bucket="policed", Policy=json.dumps(policy))
    try:
        s3.put_object(Bucket="policed", Key=key, Body=b"")
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "done"


def test_an_allow_for_somebody_else_denies_nobody(s3: Any) -> None:
    assert put(s3, "key", TO_PERSONALIZE) == "done"


def test_plain_moto_denies_where_the_condition_of_an_allow_does_not_hold(s3: Any) -> None:
    elsewhere = {**TO_PERSONALIZE, "Condition": {"StringNotEquals": {"aws:PrincipalIsAWSService": "x"}}}
    with_values = {**DENIED, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    assert put(s3, "kept/key", elsewhere, with_values) == "done"
    with moto_as_shipped("FakeBucket.get_permission"):
        assert put(s3, "kept/key", elsewhere, with_values) == "403"


@pytest.mark.parametrize(("key", "answer"), [("kept/key", "403"), ("key", "done")])
def test_a_deny_denies_what_it_names(s3: Any, key: str, answer: str) -> None:
    assert put(s3, key, DENIED) == answer


def test_a_deny_that_spares_the_account_spares_its_callers(s3: Any) -> None:
    spared = {name: value for name, value in DENIED.items() if name != "Principal"}
    assert put(s3, "kept/key", {**spared, "NotPrincipal": {"AWS": "123456789012"}}) == "done"
    assert put(s3, "kept/key", {**spared, "NotPrincipal": {"AWS": "999999999999"}}) == "403"


def test_a_condition_that_cannot_be_evaluated_is_told(s3: Any) -> None:
    assert put(s3, "kept/key", {**DENIED, "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}) == (
        "NotImplemented"
    )
