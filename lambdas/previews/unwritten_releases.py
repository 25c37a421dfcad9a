"""Read a group's releases, and remember a judgement for the rest of a plan without writing it down."""

from collections.abc import Sequence
from dataclasses import replace

from lambdas.gateways.table import Table
from lambdas.releases.releases import JudgedVersion, Release, Releases, Verdict


class UnwrittenReleases(Releases):
    """Releases as they will be once what is planned was judged."""

    def __init__(self, table: Table, group: str) -> None:
        super().__init__(table, group)
        self._judged: dict[str, tuple[Verdict, str]] = {}

    def of(self, version_arn: str) -> Release:
        """Return what is known of a version, and how it was judged in this plan."""
        release = super().of(version_arn)
        if version_arn not in self._judged:
            return release
        verdict, reasons = self._judged[version_arn]
        return replace(release, verdict=verdict, reasons=reasons)

    def note_judgement(self, version: JudgedVersion, verdict: Verdict, reasons: Sequence[str], time: str) -> None:  # noqa: ARG002 -- as the class above has it
        """Remember a judgement until the plan is made."""
        self._judged[version.arn] = (verdict, "; ".join(reasons))
