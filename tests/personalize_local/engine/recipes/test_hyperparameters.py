"""Every hyperparameter that claims an effect has one, and every one without is listed as such."""

from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from personalize_local.engine.recipes.recipe import Hyperparameter
from personalize_local.engine.recipes.recipe_table import RECIPES, accepted_without_effect
from tests.personalize_local.engine.planted import START, FrameSnapshot, fit, interactions, items, snapshot
from tests.personalize_local.engine.recipes.test_next_best_action import data as action_data

OTHER = {"recency_mask": "False", "apply_recency_bias": "false", "trend_discovery_frequency": "1 day", "bptt": "3"}
OTHER |= {"hidden_dimension": "32", "min_cointeraction_count": "9", "item_id_hidden_dim": "30"}
OTHER |= {"item_metadata_hidden_dim": "30", "popularity_discount_factor": "1.0", "action_optimization_period": "7"}
OTHER |= {"min_user_history_length_percentile": "0.5", "max_user_history_length_percentile": "0.5"}
OTHER |= {"min_item_interaction_count_percentile": "0.5", "max_item_interaction_count_percentile": "0.5"}
CLAIMS = [
    pytest.param(recipe.name, parameter, id=f"{recipe.name}-{parameter.name}")
    for recipe in RECIPES.values()
    for parameter in recipe.hyperparameters
    if parameter.effect is not None and not recipe.legacy and not recipe.name.startswith(("aws-ecomm", "aws-vod"))
]


@cache
def in_order() -> pl.DataFrame:
    """Return users who walk through their items in the order of the ids, so that order says a lot."""
    numbered = interactions(n_users=300, n_items=260).with_columns(
        number=pl.col("ITEM_ID").str.slice(1).cast(pl.Int64), lengths=pl.col("USER_ID").str.slice(1).cast(pl.Int64) % 9
    )
    walk = numbered.with_columns(TIMESTAMP=START + pl.col("number") * 3600).sort("USER_ID", "number")
    shorter = walk.filter(pl.int_range(pl.len()).over("USER_ID") >= pl.col("lengths"))
    return shorter.select("USER_ID", "ITEM_ID", "TIMESTAMP")


def data_for(recipe: str) -> FrameSnapshot:
    if recipe == "aws-next-best-action":
        base = action_data()
        taken = base.frames["ACTION_INTERACTIONS"].with_columns(EVENT_TYPE=pl.lit("Taken"))
        viewed = taken.with_columns(pl.col("TIMESTAMP") - 10 * 86_400, EVENT_TYPE=pl.lit("Viewed"))
        frames = {**base.frames, "ACTION_INTERACTIONS": pl.concat([base.frames["ACTION_INTERACTIONS"], viewed])}
        return FrameSnapshot(schemas={}, frames=frames)
    return snapshot(in_order(), items=items(300))


def fitted(folder: Path) -> list[bytes]:
    return [np.load(path).tobytes() for path in sorted((folder / "fitted").glob("*.npy"))]


@pytest.mark.parametrize(("recipe", "parameter"), CLAIMS)
def test_a_claimed_effect_is_real(tmp_path: Path, recipe: str, parameter: Hyperparameter) -> None:
    group = {"algorithm": "algorithmHyperParameters", "feature": "featureTransformationParameters"}[parameter.kind]
    assert OTHER[parameter.name] != parameter.default
    for version, value in (("default", parameter.default), ("other", OTHER[parameter.name])):
        solution = {"solutionConfig": {group: {parameter.name: value}}}
        fit(tmp_path, recipe, data_for(recipe), solution, version=f"films/{version}")
    assert fitted(tmp_path / "films/default") != fitted(tmp_path / "films/other")


def test_what_has_no_effect_is_listed() -> None:
    assert set(accepted_without_effect()) == {
        ("aws-hrnn-coldstart", "cold_start_max_interactions"),
        ("aws-hrnn-coldstart", "cold_start_max_duration"),
        ("aws-hrnn-coldstart", "cold_start_relative_from"),
    }
