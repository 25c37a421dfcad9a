"""Let S3 obey the policies of buckets, conditions included: moto denies wherever a condition does not hold."""

from typing import Any, Final

import moto.iam.access_control
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket

from personalize_local.aws.corrections import Correction
from personalize_local.aws.iam.policy_conditions import ABSENT_KEYS, ENCRYPTED_CONNECTION, UnsupportedPolicyError
from personalize_local.aws.iam.policy_evaluation import EvalDecision, RequestContext, Statement, evaluate, statements_in

PermissionResult: Final[Any] = moto.iam.access_control.PermissionResult


class UnknownConditionError(S3ClientError):
    """S3's answer where a policy cannot be evaluated: the local cloud does not guess."""

    code = "NotImplemented"


def _get_permission(bucket: FakeBucket, action: str, resource: str) -> Any:
    """Tell what a bucket's policy denies to the account's own callers, and what it allows to everybody.

    moto asks for the first before it serves an object, and for the second when the request is not signed.
    """
    statements = statements_in(bucket.policy.decode()) if bucket.policy else ()
    account = bucket.account_id
    try:
        if _decision(statements, action, resource, (account, f"arn:aws:iam::{account}:root")) == "explicitDeny":
            return PermissionResult.DENIED
        allowed = _decision(statements, action, resource, ()) == "allowed"
    except UnsupportedPolicyError as error:
        raise UnknownConditionError(f"The policy of {bucket.name} cannot be evaluated: {error}") from error
    return PermissionResult.PERMITTED if allowed else PermissionResult.NEUTRAL


def _decision(statements: tuple[Statement, ...], action: str, resource: str, names: tuple[str, ...]) -> EvalDecision:
    keys = {**ABSENT_KEYS, **ENCRYPTED_CONNECTION, "aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false"}
    return evaluate(statements, RequestContext(action, resource, {"AWS": names}, keys))


CORRECTIONS = (
    Correction(
        FakeBucket,
        "get_permission",
        _get_permission,
        "it denies where a condition of an Allow does not hold, and ignores the conditions it does not know",
    ),
)
