"""Expressions and time zones as the guide of EventBridge Scheduler has them."""

import pytest

from lambdas.requests.schedules.cron_syntax import expression_fault, zone_fault

# All examples of the guide's pages about schedule types, but for its one-time schedules.
DOCUMENTED = [
    "cron(15 10 ? * 6L 2022-2023)",
    "cron(0 10 * * ? *)",
    "cron(15 12 * * ? *)",
    "cron(0 18 ? * MON-FRI *)",
    "cron(0 8 1 * ? *)",
    "cron(0/10 * ? * MON-FRI *)",
    "cron(0/5 8-17 ? * MON-FRI *)",
    "cron(0 9 ? * 2#1 *)",
    "rate(5 minutes)",
    "rate(1 hour)",
    "rate(7 days)",
]


@pytest.mark.parametrize("expression", DOCUMENTED)
def test_documented_expressions_are_taken(expression: str) -> None:
    assert expression_fault(expression) is None


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("", "is neither rate("),
        ("rate(0 minutes)", "is neither rate("),
        ("rate(1 week)", "is neither rate("),
        ("cron(0 10 * * ?)", "has 5 fields"),
        ("cron(0 10  * * ? *)", "has 7 fields"),
        ("cron(0 10 ? * ? *)", "exactly one is '?'"),
        ("cron(60 10 * * ? *)", "'60' is no value for minutes (0 to 59)"),
        ("cron(0 10 * FOO ? *)", "'FOO' is no value for month (1 to 12)"),
        ("cron(0 17-8 * * ? *)", "'17-8' is no value for hours"),
    ],
)
def test_others_are_refused_with_the_field(expression: str, said: str) -> None:
    assert said in str(expression_fault(expression))


def test_time_zones_are_those_of_the_iana_database() -> None:
    assert [zone_fault(name) for name in ("UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires")] == [None] * 3
    assert all(zone_fault(name) for name in ("", "Berlin", "Europe", "/etc/localtime", "CEST+2", "europe\0"))
