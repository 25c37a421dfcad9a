"""The evaluation of policies: AWS's documented order and elements, and where moto's own evaluator agrees."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.iam.access_control import IAMPolicy, PermissionResult

from personalize_local.aws.iam.policy_conditions import UnsupportedPolicyError, conditions_hold
from personalize_local.aws.iam.policy_evaluation import EvalDecision, RequestContext, evaluate, statements_in

BUCKET = "arn:aws:s3:::data"
FILE = f"{BUCKET}/uploads/file.csv"
GET = RequestContext("s3:GetObject", FILE)
ROLE = "arn:aws:iam::123456789012:role/data"
AS_PERSONALIZE = RequestContext("s3:GetObject", FILE, {"Service": ["personalize.amazonaws.com"]})
AS_ROLE = RequestContext("s3:GetObject", FILE, {"AWS": [ROLE, "123456789012", "arn:aws:iam::123456789012:root"]})

EFFECTS = st.sampled_from(["Allow", "Deny"])
ACTIONS = st.sampled_from(["*", "s3:*", "s3:Get*", "s3:GetObject", "s3:PutObject", "s3:*Object", "iam:PassRole"])
RESOURCES = st.sampled_from(["*", BUCKET, f"{BUCKET}/*", FILE, f"{BUCKET}/results/*", "arn:aws:s3:::other/*"])
STATEMENTS = st.fixed_dictionaries(
    {
        "Effect": EFFECTS,
        "Action": ACTIONS | st.lists(ACTIONS, min_size=1, max_size=3),
        "Resource": RESOURCES | st.lists(RESOURCES, min_size=1, max_size=3),
    }
)
REQUESTS = st.builds(
    RequestContext,
    st.sampled_from(["s3:GetObject", "s3:PutObject", "s3:ListBucket", "iam:PassRole"]),
    st.sampled_from([BUCKET, FILE, f"{BUCKET}/results/users.json.out", "arn:aws:s3:::other/key"]),
)
AS_MOTO_SAYS: Mapping[EvalDecision, PermissionResult] = {
    "allowed": PermissionResult.PERMITTED,
    "explicitDeny": PermissionResult.DENIED,
    "implicitDeny": PermissionResult.NEUTRAL,
}


@given(st.lists(STATEMENTS, max_size=5), REQUESTS)
def test_identity_policies_without_conditions_decide_as_moto_decides(
    statements: list[dict[str, Any]], request: RequestContext
) -> None:
    """These are the elements that moto's evaluator reads; a peer with another author and the same answer."""
    policy = IAMPolicy(json.dumps({"Version": "2012-10-17", "Statement": statements}))
    theirs = policy.is_action_permitted(request.action, request.resource)
    assert AS_MOTO_SAYS[evaluate(statements, request)] == theirs


@given(st.lists(STATEMENTS, max_size=5), REQUESTS, st.randoms())
def test_the_order_of_statements_says_nothing(
    statements: list[dict[str, Any]], request: RequestContext, random: Any
) -> None:
    shuffled = random.sample(statements, len(statements))
    assert evaluate(shuffled, request) == evaluate(statements, request)


@given(st.lists(STATEMENTS, max_size=5), STATEMENTS, REQUESTS)
def test_statements_are_combined_in_the_documented_order(
    statements: list[dict[str, Any]], added: dict[str, Any], request: RequestContext
) -> None:
    """Fact: an explicit deny overrides everything, an allow overrides the implicit deny, the rest changes nothing."""
    before, alone, after = (evaluate(each, request) for each in (statements, [added], [*statements, added]))
    if "explicitDeny" in (before, alone):
        assert after == "explicitDeny"
    else:
        assert after == ("allowed" if "allowed" in (before, alone) else "implicitDeny")


@given(STATEMENTS, REQUESTS)
def test_a_not_element_is_about_what_its_twin_is_not_about(statement: dict[str, Any], request: RequestContext) -> None:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    for element in ("Action", "Resource"):
        listed = statement[element]
        positive = {**everything, element: listed}
        negative = {name: value for name, value in everything.items() if name != element} | {f"Not{element}": listed}
        assert {evaluate([positive], request), evaluate([negative], request)} == {"allowed", "implicitDeny"}


@pytest.mark.parametrize(
    ("principal", "personalize", "role"),
    [
        ({"Principal": "*"}, "allowed", "allowed"),
        ({"Principal": {"AWS": "*"}}, "allowed", "allowed"),
        ({"Principal": {"Service": "personalize.amazonaws.com"}}, "allowed", "implicitDeny"),
        ({"Principal": {"Service": ["s3.amazonaws.com", "personalize.amazonaws.com"]}}, "allowed", "implicitDeny"),
        ({"Principal": {"Service": "sagemaker.amazonaws.com"}}, "implicitDeny", "implicitDeny"),
        ({"Principal": {"AWS": ROLE}}, "implicitDeny", "allowed"),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, "implicitDeny", "allowed"),
        ({"Principal": {"AWS": ["999999999999", "123456789012"]}}, "implicitDeny", "allowed"),
        ({"NotPrincipal": {"AWS": ROLE}}, "allowed", "implicitDeny"),
        ({"NotPrincipal": {"Service": "personalize.amazonaws.com"}}, "implicitDeny", "allowed"),
    ],
)
def test_principals(principal: dict[str, Any], personalize: str, role: str) -> None:
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*", **principal}
    assert (evaluate([statement], AS_PERSONALIZE), evaluate([statement], AS_ROLE)) == (personalize, role)


KEYS = {
    "aws:SourceAccount": "123456789012",
    "aws:SourceArn": "arn:aws:personalize:us-east-1:123456789012:dataset-import-job/monday",
    "aws:SecureTransport": "true",
    "s3:TlsVersion": "1.3",
    "s3:prefix": "uploads/movies",
    "aws:SourceVpce": None,
}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"StringEquals": {"aws:SourceAccount": "123456789012"}}, True),
        ({"StringEquals": {"AWS:sourceaccount": ["1", "123456789012"]}}, True),
        ({"StringEquals": {"aws:SourceAccount": "1"}}, False),
        ({"StringNotEquals": {"aws:SourceAccount": "1"}}, True),
        ({"StringNotEquals": {"aws:SourceAccount": ["1", "123456789012"]}}, False),
        ({"StringEqualsIgnoreCase": {"s3:prefix": "UPLOADS/movies"}}, True),
        ({"StringLike": {"aws:SourceArn": "arn:aws:personalize:us-east-1:123456789012:*"}}, True),
        ({"StringLike": {"s3:prefix": ["results/*", "uploads/*"]}}, True),
        ({"StringNotLike": {"s3:prefix": "uploads/*"}}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:personalize:*:123456789012:*"}}, True),
        ({"ArnEquals": {"aws:SourceArn": "arn:aws:personalize:*:123456789012:dataset-import-job/*"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:*:dataset-import-job/monday"}}, False),  # `*` stays within its part
        ({"ArnNotLike": {"aws:SourceArn": "arn:aws:forecast:*:*:*"}}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"Bool": {"aws:SecureTransport": True}}, True),
        ({"NumericLessThan": {"s3:TlsVersion": 1.2}}, False),
        ({"NumericGreaterThanEquals": {"s3:TlsVersion": "1.2"}}, True),
        ({"Null": {"aws:SourceVpce": "true"}}, True),
        ({"Null": {"aws:SourceArn": "true"}}, False),
        ({"StringEquals": {"aws:SourceVpce": "vpce-1"}}, False),
        ({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, True),
        ({"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}, True),
        ({"StringEqualsIfExists": {"aws:SourceAccount": "1"}}, False),
        ({"StringEquals": {"aws:SourceAccount": "123456789012", "s3:prefix": "results"}}, False),
        ({"StringEquals": {"aws:SourceAccount": "123456789012"}, "Bool": {"aws:SecureTransport": "true"}}, True),
    ],
)
def test_conditions(condition: dict[str, Any], *, holds: bool) -> None:
    """Facts of the IAM reference: values are alternatives, keys and operators all have to hold."""
    assert conditions_hold(condition, KEYS) is holds


@pytest.mark.parametrize(
    "condition",
    [
        {"IpAddress": {"s3:prefix": "10.0.0.0/8"}},
        {"ForAnyValue:StringEquals": {"s3:prefix": "a"}},
        {"StringEquals": {"aws:PrincipalTag/team": "data"}},
        {"StringEquals": {"s3:prefix": "${aws:username}"}},
    ],
)
def test_what_cannot_be_evaluated_is_told(condition: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedPolicyError, match="does not know"):
        conditions_hold(condition, KEYS)


def test_a_statement_about_something_else_may_have_any_condition() -> None:
    strange = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*", "Condition": {"IpAddress": {"a": "b"}}}
    assert evaluate([strange], GET) == "implicitDeny"


def test_a_single_statement_needs_no_list() -> None:
    assert statements_in('{"Statement": {"Effect": "Allow"}}') == ({"Effect": "Allow"},)
    assert statements_in("{}") == ()
