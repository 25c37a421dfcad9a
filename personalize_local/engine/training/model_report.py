"""Draw a trained model: how it compares with popularity, and what it recommends."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from personalize_local.engine.evaluation.metrics import item_metrics
from personalize_local.engine.evaluation.ranked_lists import Scorer, ranked
from personalize_local.engine.interactions.held_out import newest_held_out
from personalize_local.engine.interactions.histories import Floats, Histories
from personalize_local.engine.interactions.training_data import TrainingData, popularity
from personalize_local.engine.recipes.popularity_count import FixedList

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHOWN = {
    "mean_reciprocal_rank_at_25": "MRR@25",
    "normalized_discounted_cumulative_gain_at_10": "NDCG@10",
    "normalized_discounted_cumulative_gain_at_25": "NDCG@25",
    "precision_at_10": "precision@10",
    "precision_at_25": "precision@25",
    "coverage": "coverage",
}
_MOST_USERS = 2000
_LISTED_CANDIDATES = 4
_MARGINS = {
    "left": 0.11,
    "right": 0.97,
    "bottom": 0.07,
    "top": 0.9,
    "wspace": 0.2,
    "hspace": 0.3,
}  # layout takes longer
_OURS, _POPULAR, _PLAIN = "#1f6f8b", "#c9a227", "#8a8f98"


def explained(settings: Mapping[str, Any]) -> str:
    """Return why the model is put together as it is: the candidates that did best, and on how many users."""
    values = dict(settings.get("compared") or {})
    users = values.pop("users", 0)
    if not values:
        return ""
    best = sorted(values.items(), key=lambda pair: -pair[1])[:_LISTED_CANDIDATES]
    compared = f"NDCG@10 or AUC of the newest events of {users:,} users: "
    lines = [compared + "; ".join(f"{k} {v:.4f}" for k, v in best), str(settings.get("memory") or "")]
    return "\n".join(line for line in lines if line)


def draw_report(data: TrainingData, measured: Scorer, test: Histories, title: str, target: Path) -> Path:
    """Draw the model into a PNG file and return its path.

    The title's first line is drawn above the others. Four panels: its metrics beside those of popularity, how popular
    the recommended items are, how many items the lists reach, and how long the histories are.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - takes half a second that only this needs

    held_out = newest_held_out(test.of(np.arange(min(len(test), _MOST_USERS))))
    size = len(data.catalogue)
    counts = popularity(data.histories, size)
    lists = ranked(measured, held_out.past, size).items
    baseline = ranked(FixedList(counts), held_out.past, size).items
    figure = Figure(figsize=(11, 8))
    heading, _, explanation = title.partition("\n")
    figure.suptitle(heading)
    figure.text(0.5, 0.94, explanation, ha="center", va="center", fontsize=7)
    axes = figure.subplots(2, 2, gridspec_kw=_MARGINS).ravel()
    _draw_metrics(axes[0], item_metrics(lists, held_out.truth, size), item_metrics(baseline, held_out.truth, size))
    _draw_popularity(axes[1], counts, lists)
    _draw_reach(axes[2], lists, size)
    _draw_lengths(axes[3], data.histories)
    figure.savefig(target, dpi=80)
    return target


def _draw_metrics(axes: "Axes", ours: Mapping[str, float], popular: Mapping[str, float]) -> None:
    place = np.arange(len(_SHOWN))
    axes.hlines(place - 0.2, 0, [ours[key] for key in _SHOWN], linewidth=13, color=_OURS, label="this model")
    axes.hlines(place + 0.2, 0, [popular[key] for key in _SHOWN], linewidth=13, color=_POPULAR, label="popularity")
    axes.set_xlim(left=0)
    axes.set_ylim(len(_SHOWN) - 0.5, -0.5)
    axes.set_yticks(place, list(_SHOWN.values()))
    axes.legend(loc="lower right")
    _title(axes, "Held-out users: this model and popularity")


def _draw_popularity(axes: "Axes", counts: Floats, lists: npt.NDArray[np.int32]) -> None:
    """Draw which tenth of the catalogue, from the most to the least popular, the recommended places go to."""
    tenth = np.empty(len(counts), dtype=np.int64)
    tenth[np.argsort(-counts, kind="stable")] = np.arange(len(counts)) * 10 // max(1, len(counts))
    places = np.bincount(tenth[lists[lists >= 0]], minlength=10) / max(1, int((lists >= 0).sum()))
    events = np.bincount(tenth, weights=counts, minlength=10) / max(1.0, float(counts.sum()))
    at = np.arange(1, 11)
    axes.vlines(at - 0.2, 0, 100 * places, linewidth=12, color=_OURS, label="recommended")
    axes.vlines(at + 0.2, 0, 100 * events, linewidth=12, color=_PLAIN, label="interactions")
    axes.set_xlim(0.5, 10.5)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("tenth of the catalogue, most popular first")
    axes.set_ylabel("%")
    axes.legend(loc="upper right")
    _title(axes, "How popular the recommended items are")


def _draw_reach(axes: "Axes", lists: npt.NDArray[np.int32], size: int) -> None:
    """Draw how much of the catalogue is reached by the first 1, 2, … 25 places of all lists."""
    reached = np.zeros(size, dtype=np.bool_)
    shares = []
    for place in range(lists.shape[1]):
        column = lists[:, place]
        reached[column[column >= 0]] = True
        shares.append(100 * float(reached.mean()))
    axes.plot(np.arange(1, len(shares) + 1), shares, color=_OURS)
    axes.set_ylim(0, 100)
    axes.set_xlabel("length of the list")
    axes.set_ylabel("% of all items")
    _title(axes, "Coverage")


def _draw_lengths(axes: "Axes", histories: Histories) -> None:
    """Draw how many users have histories of which length, in steps that grow with it."""
    lengths = histories.lengths[histories.lengths > 0]
    edges = np.unique(np.geomspace(1, max(2, int(lengths.max(initial=2)) + 1), 30).astype(np.int64))
    axes.stairs(np.histogram(lengths, edges)[0], fill=True, color=_PLAIN)
    axes.set_ylim(bottom=0)
    shown = np.arange(len(edges))[:: max(1, len(edges) // 6)]
    axes.set_xticks(shown, [f"{edge:,}" for edge in edges[shown]])
    axes.set_xlabel("interactions")
    axes.set_ylabel("users")
    _title(axes, "History lengths")


def _title(axes: "Axes", text: str) -> None:
    axes.set_title(text, y=1.0)  # to have it placed takes a sixth of all the time
