"""Choose the version that a solution's campaigns shall serve, as gates, pins and people's orders allow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError

from lambdas.personalize.gateway import Personalize
from lambdas.personalize.lifecycle import Phase, phase_of
from lambdas.releases.releases import Pin, Releases, SignedDecision
from lambdas.releases.trained_versions import deployed_versions, versions_of
from lambdas.requests.parameters import Problem
from lambdas.requests.request import InvalidRequestError
from lambdas.requests.sections import StrictSection

ORDERS: Final = ("approve", "pin", "unpin", "rollback")
_UNSIGNED: Final = "somebody"

Text = Annotated[str, Field(min_length=1, max_length=500)]


class VersionOrder(StrictSection):
    """What a person says about one version, in an execution's input."""

    solution_version: Text = Field(description="Its ARN, its name, or the id that its ARN ends with.")
    by: Text
    why: Text


@dataclass(frozen=True)
class ServingChoice:
    """The version to serve, or None to leave the campaigns as they are, and what is to be said about it."""

    version_arn: str | None
    note: str = ""


@dataclass(frozen=True)
class DeployedSolution:
    """A solution and its campaigns, as the request names them."""

    name: str
    arn: str
    campaigns: Mapping[str, str]  # names and ARNs
    following: str | None = None  # a campaign that the service itself brings to each new version


class ServingChooser:
    """Chooses the version for one solution, and writes down what people decide about its versions."""

    def __init__(self, personalize: Personalize, releases: Releases, solution: DeployedSolution, now: str) -> None:
        self._personalize = personalize
        self._releases = releases
        self._solution = solution
        self._now = now

    def choose(self, given: Mapping[str, Any]) -> ServingChoice:
        """Carry out the orders in an execution's input and choose. Raises InvalidRequestError."""
        orders = [order for order in ORDERS if given.get(order)]
        if orders and self._solution.following:
            text = f"campaign {self._solution.following} follows the newest version; nothing else can decide for it"
            raise _refusal(orders[0], text)
        if len(orders) > 1:
            raise _refusal(orders[1], f"give one of {', '.join(ORDERS)} at a time")
        if not orders:
            return self._unordered(given)
        carry_out = {"approve": self._approve, "pin": self._pin, "unpin": self._unpin, "rollback": self._roll_back}
        return carry_out[orders[0]](given)

    def _approve(self, given: Mapping[str, Any]) -> ServingChoice:
        decision = self._signed(given, "approve")
        pin = self._releases.pinned(self._solution.name)
        if pin and pin.decision.version_arn != decision.version_arn:
            raise _refusal("approve", f'{self._pinned(pin)}; say "unpin": true first')
        self._releases.approve(decision)
        return ServingChoice(decision.version_arn, f"{self._name(decision.version_arn)} was approved {decision}")

    def _pin(self, given: Mapping[str, Any]) -> ServingChoice:
        decision = self._signed(given, "pin")
        self._demand_allowed(decision.version_arn, "pin")
        self._releases.approve(decision)  # by a person, whatever a later run may judge
        self._releases.pin(self._solution.name, Pin(decision))
        return ServingChoice(decision.version_arn, f"{self._name(decision.version_arn)} was pinned {decision}")

    def _unpin(self, given: Mapping[str, Any]) -> ServingChoice:
        self._releases.unpin(self._solution.name)
        return self._unordered({key: value for key, value in given.items() if key != "unpin"})

    def _roll_back(self, given: Mapping[str, Any]) -> ServingChoice:
        """Go back to what served before. Asked again, a rollback does nothing more, and one cut short is finished."""
        current = self._newest_deployed()
        pin = self._releases.pinned(self._solution.name)
        if pin and pin.rollback:
            target = pin.decision.version_arn
            if set(self._all_deployed()) == {target}:
                further = 'name a version under "pin" to go further, or say "unpin": true to let runs deploy again'
                return ServingChoice(
                    target, f"{self._name(target)} serves since the rollback {pin.decision}; {further}"
                )
            return ServingChoice(target, f"finished the rollback to {self._name(target)}")
        before = self._served_before(current)
        if current is None or before is None:
            raise _refusal("rollback", f"no version of {self._solution.name} that may serve has served before")
        by, why = str(given.get("by", _UNSIGNED)), str(given.get("why", f"rolled back from {self._name(current)}"))
        self._releases.withdraw(SignedDecision(current, by, why, self._now))
        returned = SignedDecision(before, by, why, self._now)
        self._releases.approve(returned)
        self._releases.pin(self._solution.name, Pin(returned, rollback=True))
        return ServingChoice(before, f"rolled back from {self._name(current)} to {self._name(before)}")

    def _newest_deployed(self) -> str | None:
        """Return the newest of what the campaigns serve: after a failure they may differ."""
        serving = self._all_deployed()
        newest_first = [str(one["solutionVersionArn"]) for one in versions_of(self._personalize, self._solution.arn)]
        return next((version for version in newest_first if version in serving), None)

    def _served_before(self, current: str | None) -> str | None:
        there = {one["solutionVersionArn"] for one in versions_of(self._personalize, self._solution.arn)}
        for campaign in self._solution.campaigns:
            for version in self._releases.served(campaign):
                if version != current and version in there and self._releases.of(version).may_serve:
                    return version
        return None

    def _unordered(self, given: Mapping[str, Any]) -> ServingChoice:
        pin = self._releases.pinned(self._solution.name)
        asked = given.get("solutionVersionArn")
        if pin:
            if asked not in (None, pin.decision.version_arn) and "run" not in given:
                raise _refusal("solutionVersionArn", f'{self._pinned(pin)}; say "unpin": true first')
            return ServingChoice(pin.decision.version_arn, self._pinned(pin))
        deployed = self._deployed()
        if "solutionVersionArn" in given and asked is None:
            return ServingChoice(None, f"{self._solution.name} has no version to serve")
        version = asked or deployed or self._newest_allowed()
        if version is None:
            return ServingChoice(None, f"{self._solution.name} has no version to serve")
        if version == deployed and not self._releases.of(version).may_serve:
            # Somebody deployed it by other means; nothing here spreads it to another campaign.
            return ServingChoice(None, f"{self._name(version)} serves although it was kept back; nothing was changed")
        self._demand_allowed(version, "solutionVersionArn")
        return ServingChoice(version)

    def _deployed(self) -> str | None:
        return next(iter(self._all_deployed()), None)

    def _all_deployed(self) -> list[str]:
        return deployed_versions(self._personalize, list(self._solution.campaigns.values()))

    def _newest_allowed(self) -> str | None:
        for summary in versions_of(self._personalize, self._solution.arn):
            arn = str(summary["solutionVersionArn"])
            if phase_of(summary["status"]) is Phase.READY and self._releases.of(arn).may_serve:
                return arn
        return None

    def _demand_allowed(self, version_arn: str, key: str) -> None:
        release = self._releases.of(version_arn)
        if not release.may_serve:
            because = (
                f"was rolled back {release.withdrawn}" if release.withdrawn else f"was kept back: {release.reasons}"
            )
            way_out = '"approve" lets it serve: {"solutionVersion", "by", "why"}'
            raise _refusal(key, f"{release.name} {because}. {way_out}")

    def _signed(self, given: Mapping[str, Any], key: str) -> SignedDecision:
        try:
            order = VersionOrder.model_validate(given[key])
        except ValidationError as error:
            text = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise _refusal(key, f'must be {{"solutionVersion", "by", "why"}}: {text}') from error
        return SignedDecision(self._version_named(order.solution_version, key), order.by, order.why, self._now)

    def _version_named(self, named: str, key: str) -> str:
        names = {release.version_arn: release.name for release in self._releases.of_solution(self._solution.name)}
        ready = [
            str(summary["solutionVersionArn"])
            for summary in versions_of(self._personalize, self._solution.arn)
            if phase_of(summary["status"]) is Phase.READY
        ]
        for arn in ready:
            if named in (arn, arn.rpartition("/")[2], names.get(arn)):
                return arn
        known = ", ".join(names.get(arn, arn.rpartition("/")[2]) for arn in ready[:20]) or "none"
        raise _refusal(
            f"{key}.solutionVersion", f"{named!r} is no ACTIVE version of {self._solution.name}; there are: {known}"
        )

    def _pinned(self, pin: Pin) -> str:
        return f"{self._solution.name} is pinned to {self._name(pin.decision.version_arn)} {pin.decision}"

    def _name(self, version_arn: str) -> str:
        return self._releases.of(version_arn).name


def _refusal(key: str, text: str) -> InvalidRequestError:
    return InvalidRequestError([Problem(f"$.{key}", text)])
