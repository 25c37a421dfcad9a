"""Ask how old the models are that campaigns serve."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambdas.personalize.gateway import Personalize
from lambdas.personalize.resources import RESOURCES


@dataclass(frozen=True)
class ServingModel:
    """A campaign, and how many hours ago the training of its version began: so old is what it has learnt."""

    campaign: str
    hours: float


def serving_models(
    personalize: Personalize, campaigns: Iterable[Mapping[str, Any]], now: datetime
) -> list[ServingModel]:
    """Return the age of each campaign's version; `campaigns` are as described. What went meanwhile is left out."""
    found = []
    for campaign in campaigns:
        version = personalize.describe(RESOURCES["solution_version"], str(campaign["solutionVersionArn"]))
        if version:
            hours = (now - version["creationDateTime"]).total_seconds() / 3600
            found.append(ServingModel(str(campaign["name"]), hours))
    return found
