"""Ask the service what a dataset group has that serves, and how long its trainings were."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambdas.costs.estimates import is_v2, provisioned
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.lifecycle import Phase, phase_of
from lambdas.personalize.resources import HOUR, RESOURCES
from lambdas.personalize.wait_times import expect


@dataclass(frozen=True)
class ServingResource:
    """A campaign or recommender that is there, as described, with the recipe it is paid by."""

    noun: str
    name: str
    arn: str
    recipe_arn: str | None
    described: Mapping[str, Any]

    @property
    def requests_per_second(self) -> int:
        """The least that is paid for; nothing while it is stopped."""
        return provisioned(self.noun, self.described)


def serving_resources(personalize: Personalize, group_arn: str) -> list[ServingResource]:
    """Return the campaigns and recommenders of a group that came to be and are not on their way out."""
    return [*_campaigns(personalize, group_arn), *_recommenders(personalize, group_arn)]


def _campaigns(personalize: Personalize, group_arn: str) -> Iterator[ServingResource]:
    for solution in below(personalize, "solution", group_arn):
        campaigns = list(below(personalize, "campaign", solution["solutionArn"]))
        recipe = solution.get("recipeArn")
        if campaigns and recipe is None:
            recipe = (personalize.describe(RESOURCES["solution"], solution["solutionArn"]) or {}).get("recipeArn")
        for summary in campaigns:
            yield from _described(personalize, "campaign", summary, recipe)


def _recommenders(personalize: Personalize, group_arn: str) -> Iterator[ServingResource]:
    for summary in below(personalize, "recommender", group_arn):
        yield from _described(personalize, "recommender", summary, summary.get("recipeArn"))


def _described(
    personalize: Personalize, noun: str, summary: Mapping[str, Any], recipe_arn: str | None
) -> Iterator[ServingResource]:
    row = RESOURCES[noun]
    described = personalize.describe(row, summary[row.arn_key])
    if described and not _is_no_more(described["status"]):
        yield ServingResource(noun, summary["name"], summary[row.arn_key], recipe_arn, described)


def _is_no_more(status: str) -> bool:
    return status.startswith("DELETE") or status == "CREATE FAILED"


def below(personalize: Personalize, noun: str, parent_arn: str) -> Iterator[dict[str, Any]]:
    """Yield the summaries of what belongs to a parent; of one that is not there, nothing does."""
    try:
        yield from personalize.summaries(RESOURCES[noun], parent_arn)
    except (personalize.errors.ResourceNotFoundException, personalize.errors.InvalidInputException):
        return  # nobody documents which of the two a list answers


@dataclass(frozen=True)
class TrainingHours:
    """The training hours of a time, with those that trainings under way are expected to take.

    `paid_by_hour` are those of recipes whose trainings are paid by the hour.
    """

    hours: float
    paid_by_hour: float
    trainings: int


def training_hours(personalize: Personalize, group_arn: str, since: datetime) -> TrainingHours:
    """Return what the trainings of a group that began since a moment took, as the service bills them.

    What failed is not billed.
    """
    hours = [
        (_billed_hours(personalize, summary, summaries), is_v2(solution.get("recipeArn")))
        for solution in below(personalize, "solution", group_arn)
        for summaries in [list(below(personalize, "solution_version", solution["solutionArn"]))]
        for summary in summaries
        if summary["creationDateTime"] >= since and phase_of(summary["status"]) is not Phase.FAILED
    ]
    return TrainingHours(sum(each for each, _ in hours), sum(each for each, v2 in hours if not v2), len(hours))


def _billed_hours(personalize: Personalize, summary: Mapping[str, Any], siblings: Sequence[Mapping[str, Any]]) -> float:
    row = RESOURCES["solution_version"]
    if phase_of(summary["status"]) is Phase.READY:
        described = personalize.describe(row, summary[row.arn_key]) or {}
        return float(described.get("trainingHours") or 0)
    done = [one for one in siblings if phase_of(one["status"]) is Phase.READY]
    took = [(one["lastUpdatedDateTime"] - one["creationDateTime"]).total_seconds() for one in done]
    return expect(row.cadence, took).seconds / HOUR


def month_of(now: datetime) -> datetime:
    """Return when the calendar month of a moment began."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
