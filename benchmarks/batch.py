"""A whole batch inference job: a million users as JSON Lines in, an `.out` file of lists and scores out.

`python -m benchmarks.batch [--users 1000000] [--repeats 3]`. The job runs as users have it, in a process of its own,
whose peak memory is taken; the peer is `implicit.recommend` plus `json.dumps` on a tenth of the users, in a process of
its own, too. Both have the same model's factors or neighbours to work with, and filter what a user already has.
"""

import argparse
import json
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from benchmarks.instruments.bars import NOW, Bar, FileSnapshot, report, snapshot_of, spec
from benchmarks.instruments.synthetic import tastes
from personalize_local.engine.api import BatchSpec
from personalize_local.engine.interactions.model_files import load_facts
from personalize_local.engine.linear_models.fitted_models import Factors
from personalize_local.engine.serving.questions import LoadedModel
from personalize_local.engine.serving.served_models import UserLists
from personalize_local.engine.training.saved_model import load_model
from personalize_local.engine.training.training_run import train
from personalize_local.engine.worker_jobs import run_batch_of

_LENGTH = 25
_ITEMS = 5_000
_PEER_SHARE = 10


@dataclass(frozen=True)
class Took:
    """Seconds and peak memory of work in a process of its own."""

    seconds: float
    gigabytes: float


def main() -> int:
    """Measure, print, and return how many bars were missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--users", type=int, default=1_000_000)
    arguments.add_argument("--repeats", type=int, default=3)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trained = alone(prepare, folder, given.users)
        jobs = [(alone(job, folder), alone(peer, folder)) for _ in range(given.repeats)]
        kind = "factors" if load_facts(folder / "model")["settings"]["rank"] else "item to item"
    mine = statistics.median(ours.seconds for ours, _ in jobs)
    theirs = statistics.median(peers.seconds for _, peers in jobs) * _PEER_SHARE
    memory = max(ours.gigabytes for ours, _ in jobs)
    rate = f"{given.users / mine / 1000:.0f}k, {given.users / theirs / 1000:.0f}k users/s in {mine:.0f} s; {kind}"
    bars = [
        Bar("batch job, times implicit.recommend and json.dumps", theirs / mine, 1.5, detail=rate),
        Bar("batch job, peak memory in GB", memory, 3.0, at_most=True, detail=f"training {trained.gigabytes:.1f} GB"),
    ]
    return report(f"batch inference for {given.users:,} users, {_ITEMS:,} items", bars)


def alone(work: Callable[..., None], *arguments: Any) -> Took:
    """Run work in a fresh process; only its own time counts, not that of starting Python."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_measured, (work, arguments))


def _measured(work: Callable[..., None], arguments: tuple[Any, ...]) -> Took:
    started = time.perf_counter()
    work(*arguments)
    return Took(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)


def prepare(folder: Path, users: int) -> None:
    """Plant ten interactions per user, train User-Personalization, and write the job's input."""
    planted = tastes(users, _ITEMS, users * 10)
    train(spec("aws-user-personalization"), snapshot_of(planted.frame(), folder), folder / "model")
    (folder / "users.json").write_text("".join(f'{{"userId":"u{user}"}}\n' for user in range(users)))


def job(folder: Path) -> None:
    """Run the batch job as the service does."""
    live = FileSnapshot({}, files={"INTERACTIONS": folder / "interactions.parquet"})
    run_batch_of(
        BatchSpec("bench/model", [folder / "users.json"], folder / "out", NOW, _LENGTH), folder / "model", live
    )


def peer(folder: Path) -> None:
    """Do the same for a tenth of the users with `implicit` and `json.dumps`, from histories that are loaded already."""
    served = load_model(folder / "model")
    if not isinstance(served, UserLists):
        raise TypeError("User-Personalization lists items")
    model = served.model
    past = model.data.histories.slice(0, len(model.data.histories) // _PEER_SHARE)
    users, known = np.arange(len(past)), csr_matrix(past.unique(len(model.data.catalogue)))
    recommender = _same_model(model, past.matrix(len(model.data.catalogue)))
    lists, scores = recommender.recommend(users, known, N=_LENGTH, filter_already_liked_items=True)
    ids, names = model.data.catalogue.ids.to_list(), model.data.user_ids.to_list()
    with (folder / "peer.out").open("w") as file:
        for user, items, values in zip(users, lists.tolist(), scores.tolist(), strict=True):
            output = {"recommendedItems": [ids[item] for item in items], "scores": values}
            file.write(json.dumps({"input": {"userId": names[user]}, "output": output, "error": None}) + "\n")


def _same_model(model: LoadedModel, profiles: Any) -> Any:
    """Return implicit's recommender with our factors or neighbours in it: only its speed is compared."""
    from implicit.als import AlternatingLeastSquares  # noqa: PLC0415 - not in the process whose memory is measured
    from implicit.nearest_neighbours import ItemItemRecommender, NearestNeighboursScorer  # noqa: PLC0415

    scorer = model.scorer.influenced({})
    if isinstance(scorer, Factors):
        als = AlternatingLeastSquares(factors=scorer.vectors.shape[1])
        als.user_factors, als.item_factors = np.asarray(profiles @ scorer.vectors), scorer.vectors
        return als
    neighbours = ItemItemRecommender(K=_LENGTH)
    cells = scorer.weights  # type: ignore[attr-defined]
    parts = cells.data.astype(np.float64), cells.indices.astype(np.int32), cells.indptr.astype(np.int32)
    neighbours.similarity = csr_matrix(parts, shape=cells.shape)
    neighbours.scorer = NearestNeighboursScorer(neighbours.similarity)
    return neighbours


if __name__ == "__main__":
    raise SystemExit(main())
