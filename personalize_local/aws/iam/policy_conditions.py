"""Evaluate the conditions of policy statements, with the operators that AWS documents and our templates use.

A condition that cannot be evaluated is never ignored: it raises.
"""

import functools
import operator as compare
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Keys = Mapping[str, str | None]
Comparison = Callable[[str, str], bool]

# As every client of AWS connects; the local endpoint itself speaks plain HTTP.
ENCRYPTED_CONNECTION: Final[Keys] = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
# What AWS leaves out of a request that comes from no service, no VPC endpoint and no organization.
ABSENT_KEYS: Final[Keys] = dict.fromkeys(
    (
        "aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths", "aws:SourceVpc",
        "aws:SourceVpce", "aws:VpcSourceIp", "aws:PrincipalOrgID", "aws:PrincipalServiceName", "sts:ExternalId",
    )
)  # fmt: skip


class UnsupportedPolicyError(NotImplementedError):
    """A policy says something that the local cloud cannot evaluate; the message names it."""


def conditions_hold(conditions: Mapping[str, Mapping[str, Any]], keys: Keys) -> bool:
    """Tell whether every condition holds for the given condition keys.

    A key whose value is None is one that AWS would leave out of the request.

    Raises:
        UnsupportedPolicyError: for an operator, a key or a policy variable that is not known here.
    """
    present = {name.lower(): value for name, value in keys.items()}
    return all(
        _holds(operator, _value_of(key, operator, present), [_text(each) for each in as_list(expected)])
        for operator, pairs in conditions.items()
        for key, expected in pairs.items()
    )


def matches_wildcards(pattern: str, text: str) -> bool:
    """Tell whether a text fits a pattern in which `*` stands for any characters and `?` for one."""
    if "${" in pattern:
        raise UnsupportedPolicyError(f"the local cloud does not know the policy variables in {pattern}")
    return _compiled(pattern).fullmatch(text) is not None


def as_list(value: Any) -> list[Any]:
    """Return a policy element as a list: JSON policies may leave the brackets of a single value out."""
    return value if isinstance(value, list) else [value]


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _value_of(key: str, operator: str, present: Keys) -> str | None:
    if key.lower() not in present:
        raise UnsupportedPolicyError(f"the local cloud does not know the condition {operator} of {key}")
    return present[key.lower()]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _holds(operator: str, value: str | None, expected: list[str]) -> bool:
    if operator == "Null":
        return any((text.lower() == "true") == (value is None) for text in expected)
    name = operator.removesuffix("IfExists")
    negated = name.replace("Not", "", 1) in _COMPARISONS and name not in _COMPARISONS
    comparison = _COMPARISONS.get(name.replace("Not", "", 1) if negated else name)
    if comparison is None:
        raise UnsupportedPolicyError(f"the local cloud does not know the condition operator {operator}")
    if value is None:
        return negated or operator != name
    return negated != any(comparison(text, value) for text in expected)


def _is_arn_like(pattern: str, arn: str) -> bool:
    patterns, parts = pattern.split(":", 5), arn.split(":", 5)
    return len(patterns) == len(parts) and all(map(matches_wildcards, patterns, parts))


def _numeric(comparison: Callable[[float, float], bool]) -> Comparison:
    return lambda expected, value: comparison(float(value), float(expected))


def _is_equal(expected: str, value: str) -> bool:
    if "${" in expected:
        raise UnsupportedPolicyError(f"the local cloud does not know the policy variables in {expected}")
    return expected == value


_COMPARISONS: Final[Mapping[str, Comparison]] = {
    "StringEquals": _is_equal,
    "StringEqualsIgnoreCase": lambda expected, value: _is_equal(expected.lower(), value.lower()),
    "StringLike": matches_wildcards,
    "ArnEquals": _is_arn_like,
    "ArnLike": _is_arn_like,
    "Bool": lambda expected, value: expected.lower() == value.lower(),
    "NumericEquals": _numeric(compare.eq),
    "NumericLessThan": _numeric(compare.lt),
    "NumericLessThanEquals": _numeric(compare.le),
    "NumericGreaterThan": _numeric(compare.gt),
    "NumericGreaterThanEquals": _numeric(compare.ge),
}
