"""Every listed choice is held by a test that exists."""

from pathlib import Path

import pytest

from emulator.fidelity.engine_rules import CHOICES
from emulator.fidelity.rule import Choice


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.rule)
def test_a_choice_names_its_test(choice: Choice) -> None:
    folders = [Path(__file__).parents[1] / "engine"]
    others = [file for folder in folders for file in folder.rglob("test_*.py")]
    assert any(choice.test in file.read_text() for file in others)
