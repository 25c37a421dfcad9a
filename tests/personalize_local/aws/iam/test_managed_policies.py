"""AWS's managed policies, as the roles of other people's programs attach them."""

import json

import pytest
from botocore.exceptions import ClientError

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.iam.policy_evaluation import RequestContext, evaluate
from personalize_local.aws.iam.stored_policies import find_role, identity_statements
from personalize_local.cloud import Cloud

ACCOUNT = "123456789012"
FULL_ACCESS = "arn:aws:iam::aws:policy/service-role/AmazonPersonalizeFullAccess"


def test_a_policy_of_aws_can_be_attached_and_counts(bare_cloud: Cloud) -> None:
    iam = bare_cloud.client("iam")
    iam.create_role(RoleName="service", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}))
    iam.attach_role_policy(RoleName="service", PolicyArn=FULL_ACCESS)
    role = find_role(ACCOUNT, name="service")
    assert role is not None
    decisions = [
        evaluate(identity_statements(role), RequestContext("s3:GetObject", f"arn:aws:s3:::{bucket}/ratings.csv"))
        for bucket in ("a-personalize-bucket", "another-bucket")
    ]
    assert decisions == ["allowed", "implicitDeny"]


def test_plain_moto_has_no_policy_of_aws() -> None:
    with moto_as_shipped("IAMBackend._init_aws_policies"), Cloud(speed=3600) as cloud:
        iam = cloud.client("iam")
        iam.create_role(RoleName="service", AssumeRolePolicyDocument="{}")
        with pytest.raises(ClientError, match="does not exist or is not attachable"):
            iam.attach_role_policy(RoleName="service", PolicyArn=FULL_ACCESS)
