"""Define what a group may cost, and what becomes of what serves nobody."""

from typing import Literal

from pydantic import Field

from lambdas.requests.sections import StrictSection


class Budget(StrictSection):
    """What a group may cost; a run that would pass a limit is refused before it begins."""

    training_hours_per_month: float | None = Field(
        default=None,
        ge=0,
        description="Training hours of a calendar month (UTC), as the service bills them; what trains now counts as "
        "long as it is expected to take.",
    )
    monthly_cost: float | None = Field(
        default=None,
        ge=0,
        description="In the price table's currency: what the group's campaigns and recommenders cost at least, and "
        "the trainings of a calendar month.",
    )
    max_provisioned_tps: int | None = Field(
        default=None,
        ge=1,
        description="The sum of minProvisionedTPS and minRecommendationRequestsPerSecond of all that serves.",
    )


class IdlePolicy(StrictSection):
    """What becomes of a campaign or recommender that nobody asked anything for so long."""

    hours: float = Field(default=72, ge=1, le=336, description="How long it was not asked, as CloudWatch counts.")
    then: Literal["REPORT", "LOWER", "STOP"] = Field(
        default="REPORT",
        description="LOWER brings its throughput to 1, STOP stops a recommender as well; once, until it was asked "
        "again. The next run brings it back to what the request says.",
    )
