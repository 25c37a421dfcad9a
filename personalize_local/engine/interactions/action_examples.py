"""Read what Next-Best-Action learns from: who took which action when it was shown, and who did not."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from personalize_local.engine.api import EngineError
from personalize_local.engine.datasets.snapshot import Snapshot
from personalize_local.engine.interactions.histories import Ints, encode, find

_SECONDS_PER_DAY = 86_400
_SIX_WEEKS_DAYS = 42
_LEAST_EVENTS = 50  # Taken ones, and likewise others, within six weeks: below, nothing can be scored


@dataclass(frozen=True)
class ActionExamples:
    """One row per user and action that met; and the actions there are."""

    action_ids: pl.Series  # sorted
    actions: pl.DataFrame  # the Actions dataset in the order of action_ids
    user_ids: pl.Series
    users: Ints
    met: Ints  # the action of each row
    taken: npt.NDArray[np.bool_]
    scorable: bool  # enough was taken and not taken lately


def load_examples(snapshot: Snapshot, period_days: float) -> ActionExamples:
    """Read actions and what users did with them; no Actions dataset is an EngineError.

    A Viewed action counts as not taken unless the user took it within the optimization period.
    """
    frame = snapshot.actions()
    if frame is None:
        raise EngineError("The recipe aws-next-best-action needs an Actions dataset")
    actions = frame.collect().unique("ACTION_ID", keep="last").sort("ACTION_ID")
    events = snapshot.action_interactions()
    met = pl.DataFrame(schema=_EVENT_COLUMNS) if events is None else _events(events.collect(), actions)
    pairs = _pairs(met, period_days)
    user_ids, users = encode(pairs["USER_ID"])
    return ActionExamples(
        actions["ACTION_ID"],
        actions,
        user_ids,
        users,
        find(actions["ACTION_ID"], pairs["ACTION_ID"]),
        pairs["taken"].to_numpy(),
        _scorable(met),
    )


_EVENT_COLUMNS = {"USER_ID": pl.String, "ACTION_ID": pl.String, "TIMESTAMP": pl.Int64, "taken": pl.Boolean}


def _events(events: pl.DataFrame, actions: pl.DataFrame) -> pl.DataFrame:
    known = events.filter(pl.col("ACTION_ID").is_in(actions["ACTION_ID"].implode()))
    kind = pl.col("EVENT_TYPE").str.to_lowercase().str.replace_all(" ", "")
    return known.select(
        "USER_ID", "ACTION_ID", pl.col("TIMESTAMP").cast(pl.Int64), taken=(kind == "taken").fill_null(value=False)
    ).sort("USER_ID", "ACTION_ID", "TIMESTAMP", "taken")


def _pairs(met: pl.DataFrame, period_days: float) -> pl.DataFrame:
    """Return an example for each event: taken ones, and those after which nothing was taken within the period."""
    together = ["USER_ID", "ACTION_ID"]
    next_taken = pl.when("taken").then("TIMESTAMP").backward_fill().over(together)
    later = (next_taken - pl.col("TIMESTAMP")) <= period_days * _SECONDS_PER_DAY
    return met.with_columns(answered=later.fill_null(value=False)).filter(pl.col("taken") | ~pl.col("answered"))


def _scorable(met: pl.DataFrame) -> bool:
    if met.is_empty():
        return False
    lately = met.filter(pl.col("TIMESTAMP") > pl.col("TIMESTAMP").max() - _SIX_WEEKS_DAYS * _SECONDS_PER_DAY)
    taken = int(lately["taken"].sum())
    return taken >= _LEAST_EVENTS and len(lately) - taken >= _LEAST_EVENTS
