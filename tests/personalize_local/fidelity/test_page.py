"""The fidelity page says what the code does: it is current, every switch is explained, every named test exists."""

import ast
from dataclasses import fields
from pathlib import Path

from personalize_local.fidelity import page
from personalize_local.fidelity.service_rules import RULES
from personalize_local.personalize.controls.switches import Switches

TESTS = Path(__file__).parents[2]


def test_the_committed_page_is_what_the_code_says() -> None:
    committed = page.PAGE.read_text(encoding="utf-8")
    assert committed == page.page(), "run `python -m personalize_local.fidelity.page` and commit the result"


def test_every_switch_is_explained_by_a_rule() -> None:
    assert {rule.switch for rule in RULES if rule.switch} == {field.name for field in fields(Switches)}


def test_every_named_test_exists() -> None:
    places = ("personalize_local/personalize", "personalize_local/engine", "personalize_local/aws", "contract")
    sources = [source for place in places for source in (TESTS / place).rglob("*.py")]
    trees = [ast.parse(source.read_text(encoding="utf-8")) for source in sources]
    there = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert {rule.test for rule in RULES if rule.test} - there == set()


def test_what_is_called_documented_or_observed_has_a_source_or_a_test() -> None:
    unproved = [rule.rule for rule in RULES if rule.standing in {"as documented", "as observed"}]
    assert [rule.rule for rule in RULES if rule.rule in unproved and not (rule.source and rule.test)] == []
