"""Judge whether a solution version may replace the deployed one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.releases.releases import Release, Verdict


class UnknownMetricError(ValueError):
    """A gate names a metric that the version does not have."""


@dataclass(frozen=True)
class Judgement:
    """The decision about a version, and each reason for it (empty when nothing stands against deploying it)."""

    deploy: bool
    reasons: Sequence[str]

    @property
    def verdict(self) -> Verdict:
        """The decision in the words of a machine's output."""
        return "DEPLOY" if self.deploy else "KEEP"


def judge_release(
    gates: Sequence[Mapping[str, Any]],
    metrics: Mapping[str, float],
    deployed: Mapping[str, float] | None,
    release: Release,
    *,
    serves: bool,
) -> Judgement:
    """Judge a version by the gates, unless a person approved it; one that `serves` already has nothing to replace.

    Raises UnknownMetricError.
    """
    judgement = judge(gates, metrics, deployed)
    if release.approved:
        return Judgement(True, [f"approved {release.approved}", *judgement.reasons])
    if serves and not judgement.deploy:
        return Judgement(True, ["it serves already", *judgement.reasons])
    return judgement


def judge(
    gates: Sequence[Mapping[str, Any]], metrics: Mapping[str, float], deployed: Mapping[str, float] | None
) -> Judgement:
    """Judge a version's offline `metrics` by the request's `gates` and by those of the `deployed` version, if any.

    Raises UnknownMetricError.
    """
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
    if (
        drop is not None and before is not None and value < round(before * (1 - drop / 100), 9)
    ):  # metrics have four decimals
        reasons.append(f"{metric} is {value}, more than {drop} % below the deployed version's {before}")
    return reasons
