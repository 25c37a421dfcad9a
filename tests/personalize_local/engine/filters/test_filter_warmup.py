"""The example of a filter uses what filters are made of, and answers as it says."""

from personalize_local.engine.filters.filter_parser import parse_filter
from personalize_local.engine.filters.filter_warmup import _EXPRESSION, warm_up_filters


def test_the_example_is_answered() -> None:
    """Both items pass the first rule, by A and by D of the current item j; the user watched i."""
    assert warm_up_filters().tolist() == [False, True]


def test_every_kind_of_test_is_in_the_example() -> None:
    rules = parse_filter(_EXPRESSION).rules
    tests = [test for rule in rules for test in (*rule.tests, *rule.when)]
    assert {rule.include for rule in rules} == {True, False}
    assert {"IN", "NOT IN", "<", ">"} <= {test.operator for test in tests}
    assert {test.dataset for test in tests} == {"ITEMS", "USERS", "INTERACTIONS"}
    assert rules[0].placeholders
    assert all(rule.personal for rule in rules)
