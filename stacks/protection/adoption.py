"""Tell what the owner of an adopted bucket, table, role or key has to set on it: nobody else may."""

from collections.abc import Iterable
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from stacks.outputs import publish


def publish_duty(stack: Stack, adopted: str, duty: str, statements: Iterable[iam.PolicyStatement]) -> None:
    """Make the policy that something adopted needs an output of the stack, `Adopted<it>Policy`."""
    document: dict[str, Any] = iam.PolicyDocument(statements=list(statements)).to_json()
    text = stack.to_json_string({"Version": "2012-10-17", **document})
    publish(stack, f"Adopted{adopted}Policy", text, duty)
