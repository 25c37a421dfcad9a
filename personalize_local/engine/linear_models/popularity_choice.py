"""Choose how much it counts that many take an item, at all times or when the user was last there.

Where histories are short, or where what is wanted changes by the week, popularity says more than they do; films that
are watched for years gain nothing. Each strength is tried beside the candidate chosen, on the same users.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from personalize_local.engine.interactions.held_out import HeldOut
from personalize_local.engine.interactions.histories import Floats
from personalize_local.engine.linear_models.fitted_models import FitSettings
from personalize_local.engine.linear_models.model_choice import Candidate, Gauge
from personalize_local.engine.linear_models.model_parts import ModelParts, Uncut
from personalize_local.engine.processes.parallel_rows import in_parallel

_ROWS_AT_ONCE: Final = 64
# Of how many take an item, and of the trend: the first is what a model has by itself.
_STRENGTHS: Final = ((0.0, 0.0), (0.0, 0.4), (0.4, 0.4), (0.8, 0.8))


def weigh_popularity(
    parts: ModelParts, settings: FitSettings, held_out: HeldOut, gauge: Gauge, *, trend: bool
) -> list[Candidate]:
    """Return the settings, whose scale is fitted, with each strength, the weakest first; without `trend` at all times.

    The latter is what `recency_mask` and `apply_recency_bias` say when they are off: all past events weigh the same.
    """
    strengths = dict.fromkeys((of_all, of_trend * trend) for of_all, of_trend in _STRENGTHS)
    return _compared(parts, [_with_strength(settings, parts.popularity, *each) for each in strengths], held_out, gauge)


def _with_strength(settings: FitSettings, popularity: Floats, of_all: float, trend: float) -> FitSettings:
    """Return the settings under which the scaled scores gain these logits."""
    most = float(np.log1p(popularity.max(initial=0)))
    return replace(settings, popularity=max(settings.popularity, of_all * most / settings.scale), trend=trend)


def _compared(parts: ModelParts, tried: list[FitSettings], held_out: HeldOut, gauge: Gauge) -> list[Candidate]:
    scorer, size = Uncut(parts, tried[0]), len(parts.popularity)
    added = [parts.prior(each, None, size) for each in tried]

    def work(first: int, last: int) -> None:
        scores = np.empty((_ROWS_AT_ONCE, size), dtype=np.float32)
        for start in range(first, last, _ROWS_AT_ONCE):
            stop = min(start + _ROWS_AT_ONCE, last)
            block = scores[: stop - start]
            scorer.without_prior(held_out.past, start, stop, block)
            for number, each in enumerate(added):
                raised = block.copy()
                each.add_to(raised, held_out.past.slice(start, stop))
                gauge.take(number, start, raised)

    in_parallel(work, len(held_out.past), _ROWS_AT_ONCE)
    return gauge.judged(tried)
