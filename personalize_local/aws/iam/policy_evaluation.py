"""Decide what policies say about a request: AWS's evaluation order, as a pure function of statements and request.

Identity policies, trust policies and resource policies are read alike; they differ in which elements they have.
"""

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from personalize_local.aws.iam.policy_conditions import Keys, as_list, conditions_hold, matches_wildcards

Statement = Mapping[str, Any]
EvalDecision = Literal["allowed", "explicitDeny", "implicitDeny"]  # the words of IAM's policy simulator


@dataclass(frozen=True)
class RequestContext:
    """What a policy can ask about one request.

    `principals` are all names of the caller, by type as in a policy: `{"Service": ["personalize.amazonaws.com"]}`.
    `keys` are the condition keys; None for one that AWS would leave out of this request.
    """

    action: str
    resource: str
    principals: Mapping[str, Iterable[str]] = field(default_factory=dict)
    keys: Keys = field(default_factory=dict)


def evaluate(statements: Iterable[Statement], request: RequestContext) -> EvalDecision:
    """Return what the statements say together: a Deny that applies wins, then an Allow; else nothing allows it.

    Raises:
        UnsupportedPolicyError: when a statement about this request cannot be evaluated.
    """
    effects = {statement["Effect"] for statement in statements if _applies(statement, request)}
    if "Deny" in effects:
        return "explicitDeny"
    return "allowed" if "Allow" in effects else "implicitDeny"


@functools.lru_cache(maxsize=256)
def statements_in(document: str) -> tuple[Statement, ...]:
    """Return the statements of a policy document; a role that trusts nobody may have one without any."""
    return tuple(as_list(json.loads(document).get("Statement", [])))


def _applies(statement: Statement, request: RequestContext) -> bool:
    return (
        _is_about_action(statement, request.action)
        and _is_about_resource(statement, request.resource)
        and _is_about_principal(statement, request.principals)
        and conditions_hold(statement.get("Condition", {}), request.keys)
    )


def _is_about_action(statement: Statement, action: str) -> bool:
    listed = statement.get("Action", statement.get("NotAction", []))
    matches = any(matches_wildcards(pattern.lower(), action.lower()) for pattern in as_list(listed))
    return matches != ("NotAction" in statement)


def _is_about_resource(statement: Statement, resource: str) -> bool:
    if "Resource" not in statement and "NotResource" not in statement:
        return True  # a trust policy: its resource is the role it belongs to
    listed = statement.get("Resource", statement.get("NotResource"))
    matches = any(matches_wildcards(pattern, resource) for pattern in as_list(listed))
    return matches != ("NotResource" in statement)


def _is_about_principal(statement: Statement, principals: Mapping[str, Iterable[str]]) -> bool:
    if "Principal" not in statement and "NotPrincipal" not in statement:
        return True  # an identity policy: its principal is the identity it is attached to
    listed = statement.get("Principal", statement.get("NotPrincipal"))
    return _names_one_of(listed, principals) != ("NotPrincipal" in statement)


def _names_one_of(listed: Any, principals: Mapping[str, Iterable[str]]) -> bool:
    if listed == "*" or "*" in as_list(listed.get("AWS", [])):
        return True
    return any(name in as_list(listed.get(kind, [])) for kind, names in principals.items() for name in names)
