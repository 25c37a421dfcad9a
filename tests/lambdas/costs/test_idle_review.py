"""What is idle is told once, and lowered or stopped once, until it was asked again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.costs.estimates import CostEstimator
from lambdas.costs.group_costs import serving_resources
from lambdas.costs.idle_review import IdleReview
from lambdas.costs.price_table import load_prices
from lambdas.personalize.group_arn import group_arn_of
from lambdas.personalize.resources import ResourceType
from lambdas.requests.budget import IdlePolicy
from tests.lambdas.gateways.memory_table import MemoryTable
from tests.lambdas.personalize.fake_personalize import FakePersonalize

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
COSTS = CostEstimator(load_prices())


class Starts:
    """What Step Functions is asked to start."""

    def __init__(self, started: list[dict[str, Any]]) -> None:
        self._started = started

    def start(self, machine_arn: str, name: str, execution_input: dict[str, Any]) -> bool:
        assert (machine_arn, len(name) <= 80) == ("arn:ensure_resource", True)
        self._started.append(execution_input)
        return True

    def was_started(self, machine_arn: str, name: str) -> bool:
        raise AssertionError((machine_arn, name))

    def is_running(self, execution_arn: str) -> bool:
        raise AssertionError(execution_arn)


@dataclass
class Capacity(FakePersonalize):
    """A group with the campaign `home` and the recommender `top`, its traffic, and what was started."""

    now: datetime = BEGAN + timedelta(days=30)
    described: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, datetime]] = field(default_factory=list)
    started: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        base = {"status": "ACTIVE", "creationDateTime": BEGAN}
        self.described["home"] = {**base, "minProvisionedTPS": 5}
        self.described["top"] = {**base, "recommenderConfig": {"minRecommendationRequestsPerSecond": 2}}
        self._review = IdleReview(self, MemoryTable(), Starts(self.started), "arn:ensure_resource")

    # What Amazon Personalize answers.

    def summaries(self, row: ResourceType, parent_arn: str | None = None) -> Iterator[dict[str, Any]]:  # noqa: ARG002
        names = {"campaign": "home", "recommender": "top", "solution": "taste"}
        if (name := names[row.noun]) in {*self.described, "taste"}:
            yield {"name": name, row.arn_key: f"arn:{name}", "recipeArn": "arn:recipe/aws-sims"}

    def describe(self, row: ResourceType, arn: str) -> dict[str, Any] | None:  # noqa: ARG002
        return self.described.get(arn.removeprefix("arn:"))

    # What CloudWatch answers.

    def total(self, namespace: str, metric: str, dimension: tuple[str, str], since: datetime, until: datetime) -> int:
        if (namespace, metric) != ("AWS/Personalize", "GetRecommendations"):
            return 0
        return sum(f"arn:{name}" == dimension[1] and since <= time <= until for name, time in self.asked)

    # What the test does.

    def review(self, then: str = "STOP", hours_later: float = 1) -> Sequence[str]:
        self.now += timedelta(hours=hours_later)
        policy = IdlePolicy.model_validate({"hours": 72, "then": then})
        serving = serving_resources(self, group_arn_of(self, "movies"))
        return [f"{one.done} {one.name}" for one in self._review.review("movies", serving, policy, COSTS, self.now)]


def test_what_is_idle_is_lowered_or_stopped_once() -> None:
    capacity = Capacity()
    assert capacity.review() == ["lower home", "stop top"]
    assert capacity.started == [
        {"type": "campaign", "request": {"campaignArn": "arn:home", "minProvisionedTPS": 1}},
        {"type": "recommender", "request": {"recommenderArn": "arn:top"}, "active": False},
    ]
    # A run brings both back to what the request says; that is left alone, however long nobody asks.
    assert [capacity.review(hours_later=200) for _ in range(3)] == [[], [], []]


def test_a_stop_under_way_is_no_traffic() -> None:
    capacity = Capacity()
    capacity.review()
    for status in ("STOP PENDING", "STOP IN_PROGRESS", "INACTIVE", "START PENDING", "ACTIVE"):
        capacity.described["top"]["status"] = status
        assert capacity.review() == []


def test_traffic_makes_it_count_anew() -> None:
    capacity = Capacity()
    capacity.review()
    capacity.asked.append(("home", capacity.now + timedelta(hours=5)))
    assert capacity.review(hours_later=10) == []
    assert capacity.review(hours_later=60) == []
    assert capacity.review(hours_later=20) == ["lower home"]


def test_one_that_was_made_anew_counts_anew() -> None:
    capacity = Capacity()
    capacity.review()
    made = capacity.now + timedelta(hours=1)
    capacity.described["home"] = {**capacity.described["home"], "creationDateTime": made}
    assert capacity.review(hours_later=72) == []
    assert capacity.review() == ["lower home"]
    del capacity.described["top"]
    assert capacity.review() == []


def test_only_what_the_policy_says_is_done() -> None:
    reported = Capacity()
    assert reported.review("REPORT") == ["leave home", "leave top"]
    assert reported.started == []
    lowered = Capacity()
    lowered.described["home"]["minProvisionedTPS"] = 1
    assert lowered.review("LOWER") == ["leave home", "lower top"]
    (started,) = lowered.started
    assert started["request"]["recommenderConfig"] == {"minRecommendationRequestsPerSecond": 1}
