"""Estimate what a change costs once, and what keeping it costs every month."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lambdas.costs.price_table import Price, PriceTable

HOURS_OF_A_MONTH: Final = 730
_HOUR_SECONDS: Final = 3_600
_GB: Final = 1_000_000_000
_USERS_AT_LEAST: Final = 1


@dataclass(frozen=True)
class Estimate:
    """What something costs in the table's currency; None where it costs something that nobody can say beforehand."""

    once: float | None = 0.0
    monthly: float | None = 0.0
    basis: str = ""  # what was multiplied with which price
    verified: bool = True  # whether the price was

    @property
    def is_free(self) -> bool:
        """Whether it costs nothing at all."""
        return self.once == 0 and self.monthly == 0


@dataclass(frozen=True)
class CostTotal:
    """The sum of estimates: at least this much, where some of them are `unknown`."""

    once: float
    monthly: float
    unknown: int
    verified: bool


def total_cost(estimates: Iterable[Estimate]) -> CostTotal:
    """Return the sum of estimates."""
    known = list(estimates)
    return CostTotal(
        sum(one.once or 0 for one in known),
        sum(one.monthly or 0 for one in known),
        sum(one.once is None or one.monthly is None for one in known),
        all(one.verified for one in known),
    )


class CostEstimator:
    """Estimates by one price table. Monthly figures are the least that something costs, with no request at all."""

    def __init__(self, prices: PriceTable) -> None:
        self.prices = prices

    def imported(self, size_bytes: int) -> Estimate:
        """Estimate the import of files."""
        return _once(self.prices["data_ingestion"], size_bytes / _GB)

    def training(self, recipe_arn: str | None, hours: float, interactions: int | None) -> Estimate:
        """Estimate a training: by the hours that are billed, or by the interactions where the recipe is a v2."""
        if not is_v2(recipe_arn):
            return _once(self.prices["training"], hours)
        return _once(self.prices["training_v2"], interactions)

    def batch(self, noun: str, request: Mapping[str, Any], recipe_arn: str | None) -> Estimate:
        """Say by what a batch job is paid; how much there will be of it, only its input tells."""
        if request.get("batchInferenceJobMode") == "THEME_GENERATION":
            return _once(self.prices["themes"], None)
        if noun == "batch_segment_job":
            return _once(self.prices["segments"], None)
        return _once(self.prices["requests_v2" if is_v2(recipe_arn) else "batch"], None)

    def serving(self, noun: str, values: Mapping[str, Any] | None, recipe_arn: str | None) -> Estimate:
        """Estimate what a campaign or recommender costs at least while it is there, as created or as described."""
        per_second = provisioned(noun, values)
        if not per_second:
            return Estimate()
        return self._campaign(per_second, recipe_arn) if noun == "campaign" else self._recommender(per_second)

    def _campaign(self, tps: int, recipe_arn: str | None) -> Estimate:
        price = self.prices["requests_v2" if is_v2(recipe_arn) else "requests"]
        monthly = price.of(tps * _HOUR_SECONDS * HOURS_OF_A_MONTH)
        return Estimate(0, monthly, f"{tps} TPS all month, {price}", price.verified)

    def _recommender(self, requests_per_second: int) -> Estimate:
        users, requests = self.prices["recommender_users"], self.prices["recommender_requests"]
        # A recommender pays for at least one step of users.
        hourly, beyond = users.of(users.per * _USERS_AT_LEAST), requests.of(requests_per_second * _HOUR_SECONDS)
        monthly = None if hourly is None or beyond is None else (hourly + beyond) * HOURS_OF_A_MONTH
        basis = f"up to {users.per:,g} users and {requests_per_second} request(s) per second, {users}, {requests}"
        return Estimate(0, monthly, basis, users.verified and requests.verified)


def provisioned(noun: str, values: Mapping[str, Any] | None) -> int:
    """Return the requests per second that a campaign or recommender is paid for, as created or as described."""
    if values is None or values.get("status") == "INACTIVE":
        return 0
    if noun == "campaign":
        return int(values.get("minProvisionedTPS") or 1)
    if noun == "recommender":
        config = values.get("recommenderConfig") or {}
        return int(config.get("minRecommendationRequestsPerSecond") or 1)
    return 0


def is_v2(recipe_arn: str | None) -> bool:
    """Say whether a recipe is one of those that are paid by interactions and requests."""
    return (recipe_arn or "").endswith("-v2")


def difference(after: Estimate, before: Estimate) -> Estimate:
    """Return what a change from one to the other adds to a month."""
    if after.monthly is None or before.monthly is None:
        return after
    monthly = after.monthly - before.monthly
    basis = after.basis or f"no more {before.basis}"
    return Estimate(0, monthly, basis if monthly else "", (after.verified and before.verified) or not monthly)


def _once(price: Price, quantity: float | None) -> Estimate:
    if quantity is None:
        return Estimate(None, 0, str(price), price.verified)
    return Estimate(price.of(quantity), 0, f"{quantity:,.3g} {price.unit}, {price}", price.verified)
