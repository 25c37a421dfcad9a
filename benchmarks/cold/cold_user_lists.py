"""How good lists are for users without a history, unknown ones and those that only the Users dataset describes.

`python -m benchmarks.cold.cold_user_lists [--seeds 5]`. A tenth of the users is new: nothing they did is trained on.
Their lists are compared with those of Popularity-Count by NDCG@10 of all that they did, on the same users; the error is
the standard error of the paired difference. Nothing is explored.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.cold.cold_items import gains
from benchmarks.cold.described_sets import DescribedSet, described_sets, new_users
from benchmarks.instruments.bars import NOW, Bar, report, spec
from personalize_local.engine.api import Query
from personalize_local.engine.training.saved_model import load_model
from personalize_local.engine.training.training_run import train

_LENGTH = 10
_RECIPES = ("aws-popularity-count", "aws-user-personalization")
_NO_EXPLORATION = {"itemExplorationConfig": {"explorationWeight": "0"}}


def main() -> int:
    """Measure, print, and return how many bars were missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=int, default=5)
    seeds = arguments.parse_args().seeds
    bars: list[Bar] = []
    for described in described_sets():
        found = [measure(described, seed) for seed in range(seeds)]
        joined = {kind: np.concatenate([each[kind] for each in found], axis=1) for kind in found[0]}
        bars += [_bar(f"{described.name}: {kind}", values) for kind, values in joined.items()]
    return report("users without a history: NDCG@10, times popularity", bars)


def measure(described: DescribedSet, seed: int) -> dict[str, npt.NDArray[np.float64]]:
    """Return for each kind of new user the NDCG@10 of popularity and of User-Personalization, shape (2, users)."""
    aside = new_users(described, seed)
    taken = dict(aside.cold.group_by("USER_ID", maintain_order=True).agg("ITEM_ID").iter_rows())
    known: list[npt.NDArray[np.str_]] = []
    unknown: list[npt.NDArray[np.str_]] = []
    with tempfile.TemporaryDirectory() as name:
        for recipe in _RECIPES:
            snapshot = described.snapshot(aside.past, Path(name))
            train(spec(recipe), snapshot, Path(name) / recipe)
            model = load_model(Path(name) / recipe)
            for ids, lists in ((list(taken), known), ([f"nobody {user}" for user in taken], unknown)):
                queries = [
                    Query(NOW, user_id=user, num_results=_LENGTH, campaign_config=_NO_EXPLORATION) for user in ids
                ]
                lists.append(np.array([[line.item_id for line in model.recommend(query)] for query in queries]))
    truth = [np.array(sorted(set(items))) for items in taken.values()]
    values = {"nothing is known": np.array([gains(list(each), truth) for each in unknown])}
    if described.users is not None:
        values["described by the Users dataset"] = np.array([gains(list(each), truth) for each in known])
    return values


def _bar(promise: str, values: npt.NDArray[np.float64]) -> Bar:
    popular, ours = values
    ratio = float(ours.mean() / popular.mean())
    error = float((ours - ratio * popular).std(ddof=1) / np.sqrt(len(ours)) / popular.mean())
    figures = f"{ours.mean():.4f}, popularity {popular.mean():.4f}; standard error {error:.3f}, {len(ours):,} users"
    return Bar(promise, ratio, 1.0 - 1e-9, detail=figures)


if __name__ == "__main__":
    raise SystemExit(main())
