"""Judge whether a new solution version may replace the deployed one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class UnknownMetricError(ValueError):
    """A gate names a metric that the version does not have."""


@dataclass(frozen=True)
class Judgement:
    """The decision about a new version, and each reason why it is kept back (empty when it is deployed)."""

    deploy: bool
    reasons: Sequence[str]


def judge(
    gates: Sequence[Mapping[str, Any]], metrics: Mapping[str, float], deployed: Mapping[str, float] | None
) -> Judgement:
    """Judge a version's offline `metrics` by the request's `gates` and by those of the `deployed` version, if any."""
    reasons = [reason for gate in gates for reason in _misses(gate, metrics, deployed)]
    return Judgement(not reasons, reasons)


def _misses(
    gate: Mapping[str, Any], metrics: Mapping[str, float], deployed: Mapping[str, float] | None
) -> Sequence[str]:
    metric = gate["metric"]
    if metric not in metrics:
        raise UnknownMetricError(f"A gate names the metric {metric!r}; this version has {', '.join(sorted(metrics))}.")
    value, reasons = metrics[metric], []
    minimum, drop = gate.get("minimum"), gate.get("largestDropPercent")
    if minimum is not None and value < minimum:
        reasons.append(f"{metric} is {value}, below the minimum of {minimum}")
    before = (deployed or {}).get(metric)
    if drop is not None and before is not None and value < before * (1 - drop / 100):
        reasons.append(f"{metric} is {value}, more than {drop} % below the deployed version's {before}")
    return reasons
