"""Report what a dataset group costs: every month while nobody asks, for each training, and what serves nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from control.plan_report import amount_text
from lambdas.costs.estimates import CostEstimator, Estimate, total_cost
from lambdas.costs.group_costs import (
    ServingResource,
    TrainingHours,
    below,
    month_of,
    serving_resources,
    training_hours,
)
from lambdas.costs.idle_resources import idle_resources, requests_since
from lambdas.gateways.cloud_watch import Counts
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.group_arn import group_arn_of
from lambdas.personalize.resources import RESOURCES
from lambdas.releases.trained_versions import versions_of

IDLE_HOURS: Final = 72


@dataclass(frozen=True)
class ServingCost:
    """What a campaign or recommender costs every month, and how often it was asked."""

    resource: ServingResource
    estimate: Estimate
    requests: int
    is_idle: bool


@dataclass(frozen=True)
class TrainingCost:
    """What the newest finished training of a solution took, and what another like it will cost."""

    solution: str
    hours: float
    estimate: Estimate


@dataclass(frozen=True)
class CostReport:
    """What one dataset group costs; `hours` is for how long requests were counted."""

    group: str
    serving: tuple[ServingCost, ...]
    trainings: tuple[TrainingCost, ...]
    trained: TrainingHours
    trained_cost: float
    month: datetime
    hours: float

    @property
    def monthly(self) -> float:
        """What all that serves costs at least."""
        return total_cost(one.estimate for one in self.serving).monthly


def cost_report(
    personalize: Personalize,
    counts: Counts,
    costs: CostEstimator,
    group: str,
    now: datetime,
    hours: float = IDLE_HOURS,
) -> CostReport:
    """Return what a group costs; what was not asked for so many hours is idle."""
    group_arn = group_arn_of(personalize, group)
    serving = serving_resources(personalize, group_arn)
    idle = {one.resource.arn for one in idle_resources(counts, serving, hours, now)}
    since, month = now - timedelta(hours=hours), month_of(now)
    trained = training_hours(personalize, group_arn, month)
    return CostReport(
        group,
        tuple(
            ServingCost(
                one,
                costs.serving(one.noun, one.described, one.recipe_arn),
                requests_since(counts, one, since, now),
                one.arn in idle,
            )
            for one in serving
        ),
        tuple(_trainings(personalize, costs, group_arn)),
        trained,
        costs.training(None, trained.paid_by_hour, None).once or 0,
        month,
        hours,
    )


def group_names(personalize: Personalize) -> list[str]:
    """Return the names of all dataset groups that are the stage's, as requests call them."""
    names = personalize.names
    there = (str(one["name"]) for one in personalize.summaries(RESOURCES["dataset_group"]))
    return sorted(name.removeprefix(names.prefix) for name in there if names.covers(name))


def _trainings(personalize: Personalize, costs: CostEstimator, group_arn: str) -> Iterator[TrainingCost]:
    row = RESOURCES["solution_version"]
    for solution in below(personalize, "solution", group_arn):
        versions = versions_of(personalize, solution["solutionArn"])
        described = (personalize.describe(row, one[row.arn_key]) or {} for one in versions)
        hours = next((float(one["trainingHours"]) for one in described if one.get("trainingHours")), None)
        if hours is not None:
            yield TrainingCost(solution["name"], hours, costs.training(solution.get("recipeArn"), hours, None))


def cost_lines(report: CostReport, costs: CostEstimator) -> Iterator[str]:
    """Yield the report in lines."""
    yield f"{report.group}: {amount_text(report.monthly)} a month while nobody asks"
    for one in report.serving:
        resource = one.resource
        asked = "idle" if one.is_idle else f"asked {one.requests:,} times"
        doubt = "" if one.estimate.verified else ", unverified"
        cost = "an unknown amount" if one.estimate.monthly is None else amount_text(one.estimate.monthly)
        yield (
            f"  {resource.noun} {resource.name}: {cost} a month at {resource.requests_per_second} TPS{doubt}; "
            f"{asked} in {report.hours:g} hours"
        )
    for training in report.trainings:
        each = training.estimate
        cost = f"at {each.basis}" if each.once is None else amount_text(each.once)
        yield f"  a training of {training.solution} took {training.hours:.1f} billed hours: {cost}"
    yield (
        f"  {report.trained.trainings} training(s) since {report.month:%Y-%m-%d} took {report.trained.hours:.1f} "
        f"billed hours: {amount_text(report.trained_cost)}"
    )
    yield f"  {costs.prices}"


def cost_document(report: CostReport, costs: CostEstimator) -> dict[str, Any]:
    """Return the report for programs."""
    prices = costs.prices
    return {
        "datasetGroup": report.group,
        "monthly": round(report.monthly, 2),
        "serving": [_serving_document(one) for one in report.serving],
        "trainings": [
            {"solution": one.solution, "hours": one.hours, "cost": one.estimate.once, "basis": one.estimate.basis}
            for one in report.trainings
        ],
        "month": {
            "since": report.month.isoformat(),
            "trainings": report.trained.trainings,
            "trainingHours": round(report.trained.hours, 3),
            "trainingCost": round(report.trained_cost, 2),
        },
        "prices": {key: str(getattr(prices, key)) for key in ("date", "region", "currency", "source")},
    }


def _serving_document(one: ServingCost) -> dict[str, Any]:
    monthly = None if one.estimate.monthly is None else round(one.estimate.monthly, 2)
    return {
        "type": one.resource.noun,
        "name": one.resource.name,
        "monthly": monthly,
        "verified": one.estimate.verified,
        "requestsPerSecond": one.resource.requests_per_second,
        "requests": one.requests,
        "idle": one.is_idle,
    }
