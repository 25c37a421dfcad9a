"""Next-Best-Action on planted behaviour: drama lovers subscribe, comedy lovers share, nobody answers the survey."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from personalize_local.engine.api import EngineError, Query
from personalize_local.engine.evaluation.metrics import area_under_curve
from personalize_local.engine.recipes.recipe import ACTION_METRICS
from personalize_local.engine.training.saved_model import load_model
from tests.personalize_local.engine.planted import NOW, START, FrameSnapshot, fit, interactions, snapshot, taste

ACTIONS = pl.DataFrame({"ACTION_ID": ["subscribe", "share", "survey"], "TYPE": ["a", "b", "c"]})
END = START + 10_000_000


def behaviour(n_users: int = 240) -> pl.DataFrame:
    generator = np.random.default_rng(5)
    wanted = {"drama": "subscribe", "comedy": "share"}
    rows = []
    for number in range(n_users):
        for action in ACTIONS["ACTION_ID"]:
            likely = 0.8 if wanted.get(taste(f"u{number}")) == action else 0.05
            kind = "Taken" if generator.random() < likely else "Not Taken"
            rows.append((f"u{number}", action, kind, END - int(generator.integers(0, 2_000_000))))
    return pl.DataFrame(rows, schema=["USER_ID", "ACTION_ID", "EVENT_TYPE", "TIMESTAMP"], orient="row")


def data(events: pl.DataFrame | None = None, actions: pl.DataFrame = ACTIONS) -> FrameSnapshot:
    return snapshot(interactions(), actions=actions, action_interactions=behaviour() if events is None else events)


def test_actions_follow_behaviour(tmp_path: Path) -> None:
    result = fit(tmp_path, "aws-next-best-action", data())
    model = load_model(tmp_path / "films/one")
    drama, comedy = (model.recommend(Query(now=NOW, user_id=user)) for user in ("u0", "u1"))
    assert (drama[0].item_id, comedy[0].item_id) == ("subscribe", "share")
    assert all(0 < (line.score or 0) < 1 for line in drama)
    assert tuple(sorted(result.metrics)) == ACTION_METRICS
    assert result.metrics["area_under_the_curve"] > 0.75


def test_fact_too_little_behaviour_gives_actions_without_scores(tmp_path: Path) -> None:
    """Fact: fewer than 50 Taken and 50 other events within six weeks: exploration without scores."""
    fit(tmp_path, "aws-next-best-action", data(behaviour().head(40)))
    lines = load_model(tmp_path / "films/one").recommend(Query(now=NOW, user_id="u0"))
    assert sorted(line.item_id for line in lines) == ["share", "subscribe", "survey"]
    assert all(line.score is None for line in lines)


def test_expired_actions_are_left_out(tmp_path: Path) -> None:
    actions = ACTIONS.with_columns(EXPIRATION_TIMESTAMP=pl.Series([int(NOW) - 1, int(NOW) + 1, None], dtype=pl.Int64))
    fit(tmp_path, "aws-next-best-action", data(actions=actions))
    lines = load_model(tmp_path / "films/one").recommend(Query(now=NOW, user_id="u0"))
    assert sorted(line.item_id for line in lines) == ["share", "survey"]


def test_actions_taken_lately_wait_for_their_repeat_frequency(tmp_path: Path) -> None:
    actions = ACTIONS.with_columns(REPEAT_FREQUENCY=pl.lit(7))
    fit(tmp_path, "aws-next-best-action", data(actions=actions))
    model = load_model(tmp_path / "films/one")
    taken = pl.DataFrame({"USER_ID": ["u0"], "ACTION_ID": ["subscribe"], "EVENT_TYPE": ["Taken"]})
    for days, listed in ((3, 2), (8, 3)):
        recent = taken.with_columns(TIMESTAMP=pl.lit(int(NOW) - days * 86_400, pl.Int64))
        assert len(model.recommend(Query(now=NOW, user_id="u0"), recent)) == listed


def test_a_view_that_led_to_taking_is_no_refusal(tmp_path: Path) -> None:
    viewed = behaviour().with_columns(EVENT_TYPE=pl.lit("Viewed"), TIMESTAMP=pl.col("TIMESTAMP") - pl.lit(86_400))
    fit(tmp_path, "aws-next-best-action", data(pl.concat([behaviour(), viewed])))
    lines = load_model(tmp_path / "films/one").recommend(Query(now=NOW, user_id="u0"))
    assert lines[0].item_id == "subscribe"
    assert (lines[0].score or 0) > 2 * (lines[1].score or 1)


def test_without_actions_the_training_fails(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="needs an Actions dataset"):
        fit(tmp_path, "aws-next-best-action", snapshot(interactions()))


def test_area_under_curve_counts_pairs_in_the_right_order() -> None:
    generator = np.random.default_rng(0)
    chances, taken = generator.integers(0, 5, 60) / 5, generator.random(60) < 0.4
    pairs = chances[taken][:, None] - chances[~taken][None, :]
    assert area_under_curve(chances, taken) == pytest.approx(float(((pairs > 0) + 0.5 * (pairs == 0)).mean()))
