"""Check what Amazon Personalize may do in S3 for a job: the job's role and the bucket's policy must both allow it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from moto.iam.models import Role

from personalize_local.aws.iam.policy_conditions import ABSENT_KEYS, ENCRYPTED_CONNECTION, Keys, UnsupportedPolicyError
from personalize_local.aws.iam.policy_evaluation import EvalDecision, RequestContext, evaluate
from personalize_local.aws.iam.stored_policies import (
    bucket_exists,
    bucket_statements,
    find_role,
    identity_statements,
    trust_statements,
)
from personalize_local.engine.api import EngineError
from personalize_local.personalize.protocol.service_errors import invalid_input
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.service import PersonalizeService

SERVICE: Final = "personalize.amazonaws.com"
_BECAUSE: Final[Mapping[EvalDecision, str]] = {  # IAM's own words
    "implicitDeny": "because no {kind} policy allows the {action} action",
    "explicitDeny": "with an explicit deny in a {kind} policy",
}


class AccessError(EngineError):
    """S3 did not let the service read or write; the message names the role or the bucket."""


def insufficient(error: AccessError) -> str:
    """Return the service's words for missing rights, and after them what is missing."""
    return f"Insufficient privileges for accessing data in Amazon S3. {error}"


@dataclass(frozen=True)
class JobAccess:
    """The access of one job, `job_arn`, that acts with the role `role_arn`."""

    service: PersonalizeService
    account_id: str
    region: str
    partition: str
    job_arn: str
    role_arn: str | None

    def require_role(self) -> None:
        """Raise unless the service may assume the role; the service finds that out in the call.

        Raises:
            ServiceError: InvalidInputException.
        """
        try:
            self._trusted_role()
        except AccessError as error:
            raise invalid_input(str(error)) from error

    def require(self, action: str, bucket: str, key: str = "") -> None:
        """Raise unless role and bucket both allow an action on an object, or on the bucket for `s3:ListBucket`.

        Raises:
            AccessError: naming the policy that does not allow it.
        """
        if self.service.switches.access_policies == "never" or not bucket_exists(self.account_id, bucket):
            return  # S3 itself refuses a bucket that is missing
        request = self._request(action, bucket, key)
        role = self._trusted_role()
        try:
            if role is not None:
                self._require_of_role(role, request, bucket)
            self._require_of_bucket(request, bucket, is_demanded=role is not None)
        except UnsupportedPolicyError as error:
            raise AccessError(f"The policies of {role.arn if role else bucket} cannot be evaluated: {error}") from error

    def _request(self, action: str, bucket: str, key: str) -> RequestContext:
        arn, is_list = f"arn:{self.partition}:s3:::{bucket}", action == "s3:ListBucket"
        keys = {
            **ABSENT_KEYS,
            **ENCRYPTED_CONNECTION,
            "aws:RequestedRegion": self.region,
            "aws:ResourceAccount": self.account_id,
            "aws:ViaAWSService": "false",
            "s3:ResourceAccount": self.account_id,
            "s3:delimiter": None,
            "s3:prefix": key if is_list else None,
        }
        return RequestContext(action, arn if is_list else f"{arn}/{key}", keys=keys)

    def _trusted_role(self) -> Role | None:
        """Return the role that the service has assumed; None for one that IAM does not have, where that may be."""
        if self.service.switches.access_policies == "never":
            return None
        is_here = self.role_arn is not None and self.role_arn.split(":")[4:5] == [self.account_id]
        role = find_role(self.account_id, arn=self.role_arn) if is_here else None
        if role is None:
            if self.service.switches.access_policies == "always":
                raise AccessError(f"The role {self.role_arn} does not exist in IAM.")
            return None
        keys = {**ABSENT_KEYS, **ENCRYPTED_CONNECTION, **self._keys_of_service()}
        request = RequestContext("sts:AssumeRole", role.arn, {"Service": [SERVICE]}, keys)
        try:
            trusted = evaluate(trust_statements(role), request) == "allowed"
        except UnsupportedPolicyError as error:
            raise AccessError(f"The trust policy of {role.arn} cannot be evaluated: {error}") from error
        if not trusted:
            raise AccessError(f"Cannot assume {role.arn}: its trust policy does not let {SERVICE} assume the role.")
        return role

    def _require_of_role(self, role: Role, request: RequestContext, bucket: str) -> None:
        account = self.account_id
        names = (role.arn, account, f"arn:{self.partition}:iam::{account}:root")
        keys = {"aws:PrincipalIsAWSService": "false", "aws:PrincipalArn": role.arn, "aws:PrincipalAccount": account}
        as_role = replace(request, principals={"AWS": names}, keys={**request.keys, **keys})
        _require_allowed(evaluate(identity_statements(role), as_role), role.arn, "identity-based", as_role)
        decision = evaluate(bucket_statements(account, bucket) or (), as_role)
        if decision == "explicitDeny":  # within an account the bucket need not allow what the role's policies do
            _require_allowed(decision, role.arn, "resource-based", as_role)

    def _require_of_bucket(self, request: RequestContext, bucket: str, *, is_demanded: bool) -> None:
        statements = bucket_statements(self.account_id, bucket)
        if statements is None and not (is_demanded or self.service.switches.access_policies == "always"):
            return
        keys = {**request.keys, **self._keys_of_service()}
        as_service = replace(request, principals={"Service": [SERVICE]}, keys=keys)
        _require_allowed(evaluate(statements or (), as_service), SERVICE, "resource-based", as_service)

    def _keys_of_service(self) -> Keys:
        return {
            "aws:PrincipalAccount": None,
            "aws:PrincipalArn": None,
            "aws:PrincipalIsAWSService": "true",
            "aws:PrincipalServiceName": SERVICE,
            "aws:SourceAccount": self.account_id,
            "aws:SourceArn": self.job_arn,
        }


def _require_allowed(decision: EvalDecision, who: str, kind: str, request: RequestContext) -> None:
    if decision != "allowed":
        because = _BECAUSE[decision].format(kind=kind, action=request.action)
        attempt = f'{request.action} on resource: "{request.resource}"'
        raise AccessError(f"{who} is not authorized to perform: {attempt} {because}")


def access_of(account: Account, job_arn: str, role_arn: str | None) -> JobAccess:
    """Return the access of a job whose role the service may assume; raises InvalidInputException otherwise."""
    access = JobAccess(account.service, account.account_id, account.region, account.partition, job_arn, role_arn)
    access.require_role()
    return access
