"""Keep what is known of solution versions: trained on what, measured how, judged, approved, pinned, served where.

All of a group stands in one partition of the ledger's table: a row per version, per pin, and per change of what a
campaign serves. Nothing of it expires.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from lambdas.gateways.table import Item, Table, Value
from lambdas.names import shown

Verdict = Literal["DEPLOY", "KEEP"]

VERSION: Final = "version#"
PIN: Final = "pin#"
SERVING: Final = "serving#"
_LONGEST_REASONS: Final = 2000  # characters


@dataclass(frozen=True)
class SignedDecision:
    """What a person decided about a version, and why."""

    version_arn: str
    by: str
    why: str
    time: str

    def __str__(self) -> str:
        """Return the decision as it is told in reasons."""
        return f"by {self.by}: {self.why}"


@dataclass(frozen=True)
class Release:
    """What is known of one solution version."""

    version_arn: str
    name: str  # as it was trained, or the service's id
    verdict: Verdict | None = None
    reasons: str = ""
    approved: SignedDecision | None = None
    withdrawn: SignedDecision | None = None  # by a rollback

    @property
    def may_serve(self) -> bool:
        """Say whether a campaign may be given this version: approved or not kept back, and not rolled back since."""
        return self.withdrawn is None and (self.approved is not None or self.verdict != "KEEP")


@dataclass(frozen=True)
class JudgedVersion:
    """What is written down of a version beside its judgement."""

    arn: str
    name: str
    metrics: Mapping[str, float]
    imported: Mapping[str, str]  # when each dataset was last imported before the training
    training_reasons: Sequence[str] = ()  # empty when this run did not train it


@dataclass(frozen=True)
class Pin:
    """A version that no run deploys over until it is released; a rollback pins, too."""

    decision: SignedDecision
    rollback: bool = False


class Releases:
    """The releases of one dataset group."""

    def __init__(self, table: Table, group: str) -> None:
        self._table = table
        self._partition = partition_of(group)

    def of(self, version_arn: str) -> Release:
        """Return what is known of a version; one that was never judged here is known by its ARN alone."""
        return _release(version_arn, self._table.get(self._partition, _version_entry(version_arn)) or {})

    def of_solution(self, solution: str) -> list[Release]:
        """Return what is known of every version of a solution that was judged here."""
        items = self._table.entries(self._partition, f"{VERSION}{solution}/")
        return [_release(str(item["version_arn"]), item) for item in items]

    def note_judgement(
        self,
        version: "JudgedVersion",
        verdict: Verdict,
        reasons: Sequence[str],
        time: str,
    ) -> None:
        """Write down how a version was measured and judged, and why it was trained; a later judgement counts."""
        put: dict[str, Value] = {
            "verdict": verdict,
            "reasons": shown("; ".join(reasons), _LONGEST_REASONS),
            "judged": time,
            "metrics": json.dumps(version.metrics, sort_keys=True),
            "imported": json.dumps(version.imported, sort_keys=True),
            "training_reasons": "; ".join(version.training_reasons),
            "name": version.name,
            "version_arn": version.arn,
        }
        if version.training_reasons == ():
            del put["training_reasons"]  # a version that is judged again keeps what it was trained for
        self._table.update(self._partition, _version_entry(version.arn), put=put)

    def approve(self, decision: SignedDecision) -> None:
        """Let a version serve whatever it was judged, and although it was once rolled back."""
        self._table.update(
            self._partition, _version_entry(decision.version_arn), put=_signed("approved", decision),
            remove=("withdrawn_by", "withdrawn_why", "withdrawn_at"),
        )  # fmt: skip

    def withdraw(self, decision: SignedDecision) -> None:
        """Keep a version that has served from serving again, until it is approved anew."""
        put = _signed("withdrawn", decision)
        self._table.update(self._partition, _version_entry(decision.version_arn), put=put)

    def pin(self, solution: str, pin: Pin) -> None:
        """Let no run deploy over a version."""
        put = {
            **_signed("pinned", pin.decision),
            "version_arn": pin.decision.version_arn,
            "rollback": pin.rollback,
        }
        self._table.update(self._partition, f"{PIN}{solution}", put=put)

    def unpin(self, solution: str) -> None:
        """Let runs deploy again."""
        self._table.delete(self._partition, f"{PIN}{solution}")

    def pinned(self, solution: str) -> Pin | None:
        """Return the version that a solution's campaigns are pinned to, if any."""
        item = self._table.get(self._partition, f"{PIN}{solution}")
        if item is None:
            return None
        decision = _decision(str(item["version_arn"]), item, "pinned")
        return Pin(decision, rollback=bool(item["rollback"])) if decision else None

    def note_serving(self, campaign: str, version_arn: str, time: str) -> None:
        """Write down that a campaign serves a version, unless it is known to."""
        if next(self.served(campaign), None) != version_arn:
            entry = f"{SERVING}{campaign}#{time}"
            self._table.create({"dataset": self._partition, "entry": entry, "version_arn": version_arn})

    def served(self, campaign: str) -> Iterator[str]:
        """Yield the versions that a campaign has served, the newest first."""
        rows = list(self._table.entries(self._partition, f"{SERVING}{campaign}#"))
        return (str(row["version_arn"]) for row in reversed(rows))


def partition_of(group: str) -> str:
    """Return the partition of the ledger's table that keeps a group's releases."""
    return f"{group}#releases"


def _release(version_arn: str, item: Item) -> Release:
    return Release(
        version_arn,
        name=str(item.get("name", version_arn.rpartition("/")[2])),
        verdict=item.get("verdict"),  # type: ignore[arg-type]  # written by `note_judgement` only
        reasons=str(item.get("reasons", "")),
        approved=_decision(version_arn, item, "approved"),
        withdrawn=_decision(version_arn, item, "withdrawn"),
    )


def _version_entry(version_arn: str) -> str:
    """Return the sort key of a version: solution and id, the end of its ARN."""
    return f"{VERSION}{'/'.join(version_arn.split('/')[-2:])}"


def _signed(what: str, decision: SignedDecision) -> dict[str, Value]:
    return {f"{what}_by": decision.by, f"{what}_why": decision.why, f"{what}_at": decision.time}


def _decision(version_arn: str, item: Item, what: str) -> SignedDecision | None:
    if f"{what}_at" not in item:
        return None
    by, why, time = (str(item.get(f"{what}_{part}", "")) for part in ("by", "why", "at"))
    return SignedDecision(version_arn, by, why, time)
