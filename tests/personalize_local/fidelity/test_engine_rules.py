"""Every rule of the engine's own names a test that exists."""

import subprocess
import sys
from pathlib import Path

import pytest

from personalize_local.fidelity.engine_rules import ENGINE_RULES
from personalize_local.fidelity.rule import EngineRule

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def collected() -> set[str]:
    """Return the names of the engine's tests as pytest collects them, with and without the case in brackets."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/personalize_local/engine",
    ]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout
    names = {line.partition("::")[2] for line in listing.splitlines() if "::" in line}
    return names | {name.partition("[")[0] for name in names}


@pytest.mark.parametrize("rule", ENGINE_RULES, ids=lambda rule: rule.rule)
def test_a_rule_names_its_test(rule: EngineRule, collected: set[str]) -> None:
    assert rule.test in collected


def test_plain_words_name_no_test(collected: set[str]) -> None:
    assert not {"milliseconds", "another order", "test_", "infinity"} & collected
