"""Put a stage where its settings say: account, region, permissions boundary and network. Nothing is looked up."""

from typing import Final

from aws_cdk import Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from config.settings import Settings

# What Lambda needs of a function's role to attach it to a network (Lambda Developer Guide, "Required IAM permissions").
# It asks for all of them on "*".
_ATTACH: Final = tuple(
    f"ec2:{action}"
    for action in (
        "AssignPrivateIpAddresses", "CreateNetworkInterface", "DeleteNetworkInterface", "DescribeNetworkInterfaces",
        "DescribeSubnets", "UnassignPrivateIpAddresses",
    )
)  # fmt: skip


def environment(settings: Settings) -> Environment | None:
    """Return the account and region of a stage, or None where the deployer's credentials decide."""
    if settings.account is None and settings.region is None:
        return None
    return Environment(account=settings.account, region=settings.region)


def confine(stack: Stack, settings: Settings) -> None:
    """Bound the roles of a stack that is complete, and attach its functions to the stage's network."""
    if boundary := settings.permissions_boundary:
        is_arn = boundary.startswith("arn:")
        find = iam.ManagedPolicy.from_managed_policy_arn if is_arn else iam.ManagedPolicy.from_managed_policy_name
        iam.PermissionsBoundary.of(stack).apply(find(stack, "PermissionsBoundary", boundary))
    if settings.vpc is None:
        return
    network = lambda_.CfnFunction.VpcConfigProperty(
        subnet_ids=list(settings.vpc.subnet_ids), security_group_ids=list(settings.vpc.security_group_ids)
    )
    for construct in stack.node.find_all():
        if isinstance(construct, lambda_.Function):
            construct.add_to_role_policy(iam.PolicyStatement(actions=list(_ATTACH), resources=["*"]))
            resource = construct.node.default_child
            assert isinstance(resource, lambda_.CfnFunction)  # noqa: S101 (tells the type; the construct guarantees it)
            resource.vpc_config = network
