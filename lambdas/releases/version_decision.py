"""Decide which version a solution serves after a training: judge the version, and heed pins and rollbacks."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from lambdas.personalize.gateway import Personalize
from lambdas.personalize.resources import RESOURCES
from lambdas.releases.judgement import Judgement, judge_release
from lambdas.releases.releases import JudgedVersion, Releases
from lambdas.releases.run_summary import brief
from lambdas.releases.trained_versions import deployed_versions
from lambdas.releases.training_decision import Action


class TrainingStep(BaseModel):
    """What was decided about the training, as `decide_training` answered."""

    action: Action
    reasons: Sequence[str]
    imported: Mapping[str, str] = {}


class VersionStep(BaseModel):
    """What is to be judged: a version that is ACTIVE, the gates, and the campaigns that it may come to serve."""

    model_config = ConfigDict(frozen=True)

    solution: str
    solutionVersionArn: str  # noqa: N815 -- as the state machine writes it
    gates: Sequence[Mapping[str, Any]]
    campaignArns: Sequence[str]  # noqa: N815 -- as the state machine writes it
    training: TrainingStep
    now: str


def decide_version(personalize: Personalize, releases: Releases, step: VersionStep) -> dict[str, Any]:
    """Judge the version, write it down, and return the decision with the version to serve.

    Raises UnknownMetricError.
    """
    trained, serving = step.solutionVersionArn, deployed_versions(personalize, step.campaignArns)
    deployed = serving[0] if serving else None
    metrics, release = personalize.metrics(trained), releases.of(trained)
    before = personalize.metrics(deployed) if step.gates and deployed and deployed != trained else None
    judgement = judge_release(step.gates, metrics, before, release, serves=trained in serving)
    version = _judged(personalize, step, metrics)
    releases.note_judgement(version, judgement.verdict, judgement.reasons, step.now)
    pin = releases.pinned(step.solution)
    if pin and pin.decision.version_arn != trained:
        deployed, judgement = pin.decision.version_arn, Judgement(False, [f"{step.solution} is pinned {pin.decision}"])
    elif release.withdrawn:
        judgement = Judgement(False, [f"rolled back {release.withdrawn}", *judgement.reasons])
    return {
        "summary": _summary(step, version, judgement),
        "decision": judgement.verdict,
        "reasons": list(judgement.reasons),
        "solutionVersionArn": trained if judgement.deploy else deployed,
        "trainedSolutionVersionArn": trained,
        "training": step.training.model_dump(include={"action", "reasons"}),
        "metrics": metrics,
    }


def _judged(personalize: Personalize, step: VersionStep, metrics: Mapping[str, float]) -> JudgedVersion:
    arn, training = step.solutionVersionArn, step.training
    described = personalize.describe(RESOURCES["solution_version"], arn) or {}
    reasons = training.reasons if training.action is Action.TRAIN else ()
    return JudgedVersion(arn, described.get("name") or arn.rpartition("/")[2], metrics, training.imported, reasons)


def _summary(step: VersionStep, version: JudgedVersion, judgement: Judgement) -> str:
    """Return one line: what was trained or not, and what was decided, each with its reason."""
    done = "trained" if step.training.action is Action.TRAIN else "reused"
    because = f": {'; '.join(judgement.reasons)}" if judgement.reasons else ""
    reasons = "; ".join(step.training.reasons)
    return brief(f"{step.solution}: {done} {version.name} ({reasons}); {judgement.verdict}{because}")
