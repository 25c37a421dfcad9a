"""Read the policies that the local IAM and the local S3 keep."""

from moto.iam.models import Role, iam_backends
from moto.s3.models import s3_backends

from personalize_local.aws.iam.policy_conditions import UnsupportedPolicyError
from personalize_local.aws.iam.policy_evaluation import Statement, statements_in


def find_role(account_id: str, *, name: str | None = None, arn: str | None = None) -> Role | None:
    """Return the role of that name or ARN, or None."""
    roles: list[Role] = list(iam_backends[account_id]["aws"].roles.values())
    return next((role for role in roles if role.name == name or role.arn == arn), None)


def identity_statements(role: Role) -> tuple[Statement, ...]:
    """Return what a role's inline and attached policies say.

    Raises:
        UnsupportedPolicyError: when the role has a permissions boundary, which is not evaluated here.
    """
    if role.permissions_boundary_arn:
        raise UnsupportedPolicyError(f"the local cloud does not evaluate the permissions boundary of {role.arn}")
    attached = (version.document for policy in role.managed_policies.values() for version in policy.versions
                if version.is_default)  # fmt: skip
    documents = [*role.policies.values(), *attached]
    return tuple(statement for document in documents for statement in statements_in(document))


def trust_statements(role: Role) -> tuple[Statement, ...]:
    """Return who may assume a role."""
    return statements_in(role.assume_role_policy_document)


def bucket_exists(account_id: str, bucket: str) -> bool:
    """Tell whether the account has the bucket."""
    return bucket in s3_backends[account_id]["aws"].buckets


def bucket_statements(account_id: str, bucket: str) -> tuple[Statement, ...] | None:
    """Return what the policy of an account's bucket says, or None when it has no policy."""
    stored = s3_backends[account_id]["aws"].buckets.get(bucket)
    policy: bytes | None = stored.policy if stored else None
    return statements_in(policy.decode()) if policy else None
