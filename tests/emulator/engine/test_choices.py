"""Every listed choice is held by a test that exists."""

from pathlib import Path

import pytest

from emulator.engine.choice import Choice
from emulator.engine.choices import CHOICES


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.rule)
def test_a_choice_names_its_test(choice: Choice) -> None:
    others = [file for file in Path(__file__).parent.glob("test_*.py") if file.name != Path(__file__).name]
    assert any(choice.test in file.read_text() for file in others)
