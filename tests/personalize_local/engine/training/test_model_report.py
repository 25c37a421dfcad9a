"""The picture of a model, drawn when there is enough to draw."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from personalize_local.engine.interactions.model_files import load_facts
from personalize_local.engine.linear_models import cooccurrence
from personalize_local.engine.training.model_report import explained
from tests.personalize_local.engine.planted import fit, interactions, snapshot


def test_a_training_on_enough_events_leaves_a_picture(tmp_path: Path) -> None:
    data = snapshot(interactions(n_users=600))
    result = fit(tmp_path, "aws-user-personalization", data)
    assert result.report == tmp_path / "films/one/report.png"
    picture = result.report.read_bytes()
    assert picture.startswith(b"\x89PNG")
    width, height = (int.from_bytes(picture[at : at + 4], "big") for at in (16, 20))  # the header of the PNG format
    assert (width, height) == (880, 640)
    assert len(np.unique(np.frombuffer(picture, dtype=np.uint8))) > 200  # not blank


def test_a_small_training_leaves_none(tmp_path: Path) -> None:
    assert fit(tmp_path, "aws-user-personalization", snapshot(interactions())).report is None


def test_histories_of_one_length_can_be_drawn(tmp_path: Path) -> None:
    pairs = interactions(n_users=600).group_by("USER_ID", maintain_order=True).head(18)
    assert pairs.group_by("USER_ID").len()["len"].n_unique() <= 3
    assert fit(tmp_path, "aws-sims", snapshot(pairs.filter(pl.col("USER_ID").is_not_null()))).report is not None


def test_a_choice_is_explained_by_its_best_candidates() -> None:
    text = explained({"compared": {"EASE": 0.1, "RP3beta": 0.3, "cosine": 0.2, "users": 1234}})
    assert text.endswith("of 1,234 users: RP3beta 0.3000; cosine 0.2000; EASE 0.1000")
    assert explained({}) == ""


def test_what_memory_left_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cooccurrence, "DENSE_LIMIT", 100)
    fit(tmp_path, "aws-user-personalization", snapshot(interactions()))
    settings = load_facts(tmp_path / "films/one")["settings"]
    assert "EASE" not in settings["compared"]
    words = explained(settings).splitlines()[-1]
    assert words.startswith("EASE speaks about the 5,000 most popular items: a dense matrix of 120 x 120 items takes ")
