"""Corrections of moto: each can be taken back, and each has a test that does so."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from personalize_local.aws import corrections, installation
from personalize_local.aws.corrections import Correction

TESTS = Path(__file__).parent


def test_a_correction_can_be_taken_back() -> None:
    owner = SimpleNamespace(__name__="some.module", answer=41)
    correction = Correction(owner, "answer", 42, "it is wrong")
    correction.apply()
    assert owner.answer == 42
    correction.undo()
    assert owner.answer == 41


def test_an_attribute_that_moto_no_longer_has_is_missed_loudly() -> None:
    with pytest.raises(KeyError, match="gone"):
        Correction(SimpleNamespace(__name__="some.module"), "gone", None, "it was wrong")


def test_every_correction_has_a_test_that_takes_it_back() -> None:
    installation.install()
    sources = "".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    tested = set(re.findall(r'moto_as_shipped\(\s*"([^"]+)"', sources))
    assert set(corrections.APPLIED) == tested


def test_installing_again_changes_nothing() -> None:
    installation.install()
    before = dict(corrections.APPLIED)
    installation.install()
    assert before == corrections.APPLIED
