"""Settings: a value that is right or refused, never half read."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from config.settings import Settings, load

STAGES = sorted(path.stem for path in (Path(__file__).parents[2] / "config").glob("*.toml"))


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_loads(stage: str) -> None:
    assert load(stage).stage == stage


def test_only_production_keeps_its_data() -> None:
    assert {stage for stage in STAGES if load(stage).keep_data_on_destroy} == {"prod"}


def test_a_misspelt_key_is_an_error_not_a_default() -> None:
    with pytest.raises(ValidationError, match="alarm_mail"):
        Settings.model_validate({**load("dev").model_dump(), "alarm_mail": "operator@example.com"})


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load("dev").name = "another"  # type: ignore[misc]  # what the test is about


def test_names_fit_what_is_named_after_them() -> None:
    """A fact: the shortest limit among what we name is Lambda's, 64 characters."""
    longest = Settings.model_validate({**load("dev").model_dump(), "name": "n" * 20, "stage": "s" * 10})
    assert len(longest.named("run_batch_inference_failed")) <= 64


def test_an_unknown_stage_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="there is no stage 'staging': config/ has dev, prod, test"):
        load("staging")
