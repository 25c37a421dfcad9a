"""Managed policies of a template come, change and go with their stack."""

import json
from typing import Any

from personalize_local.cloud import Cloud

ALLOW: dict[str, Any] = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def template(*actions: str) -> str:
    trust = {
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    }
    document = {"Version": "2012-10-17", "Statement": [{**ALLOW, "Action": list(actions)}]}
    policy = {"ManagedPolicyName": "reader", "PolicyDocument": document, "Roles": [{"Ref": "Role"}]}
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "readers", "AssumeRolePolicyDocument": trust}},
        "Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": policy},
    }
    return json.dumps({"Resources": resources, "Outputs": {"Arn": {"Value": {"Ref": "Policy"}}}})


def actions_of(cloud: Cloud, arn: str) -> list[str]:
    iam = cloud.client("iam")
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return list(found["Statement"][0]["Action"])


def test_a_managed_policy_comes_changes_and_goes_with_its_stack(bare_cloud: Cloud) -> None:
    stacks, iam = bare_cloud.client("cloudformation"), bare_cloud.client("iam")
    for _ in range(2):
        stacks.create_stack(StackName="people", TemplateBody=template("s3:GetObject"))
        (output,) = stacks.describe_stacks(StackName="people")["Stacks"][0]["Outputs"]
        arn = output["OutputValue"]
        attached = iam.list_attached_role_policies(RoleName="readers")["AttachedPolicies"]
        assert [one["PolicyArn"] for one in attached] == [arn]
        stacks.update_stack(StackName="people", TemplateBody=template("s3:GetObject", "s3:ListBucket"))
        assert actions_of(bare_cloud, arn) == ["s3:GetObject", "s3:ListBucket"]
        stacks.delete_stack(StackName="people")
        assert [one for one in iam.list_policies(Scope="Local")["Policies"] if one["PolicyName"] == "reader"] == []
