"""Decide about the next training of a solution by what the service and CloudWatch tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambdas.gateways.cloud_watch import Counts
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.resources import RESOURCES
from lambdas.releases.trained_versions import comparable_versions, put_events_since
from lambdas.releases.training_decision import NewData, TrainingDecision, TrainingPolicy, Version, decide_training
from lambdas.requests.recipe_facts import can_update


@dataclass(frozen=True)
class TrainingChoice:
    """The decision, and the solution's versions that it was made by, the newest first."""

    decision: TrainingDecision
    versions: Sequence[Version]

    @property
    def is_ready(self) -> bool:
        """Whether the version decided on is there and ACTIVE."""
        return any(version.ready for version in self.versions if version.arn == self.decision.version_arn)

    @property
    def billed_hours(self) -> float | None:
        """How many hours were billed for the newest version's training, once that is known."""
        return next((version.billed_hours for version in self.versions if version.billed_hours), None)


def choose_training(
    personalize: Personalize,
    counts: Counts | None,
    stage: Mapping[str, Any],
    imported: Mapping[str, datetime],
    now: datetime,
) -> TrainingChoice:
    """Return the choice for the ``{"solution", "training"}`` of a plan: CreateSolution's parameters, and the policy.

    `imported` says when each dataset was last imported. Without `counts`, no streamed event calls for a training.
    """
    wanted = stage["solution"]
    arn = str(RESOURCES["solution"].arn(personalize.arn_prefix, wanted))
    policy = TrainingPolicy(**stage["training"], can_update=can_update(wanted.get("recipeArn")))
    versions = comparable_versions(personalize, arn, wanted)
    streamed = put_events_since(counts, policy, versions, wanted["datasetGroupArn"], now) if counts else 0
    return TrainingChoice(decide_training(policy, versions, NewData(imported, streamed), now), versions)
