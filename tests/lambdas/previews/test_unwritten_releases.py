"""A plan judges as a run does and writes nothing."""

from lambdas.previews.unwritten_releases import UnwrittenReleases
from lambdas.releases.releases import JudgedVersion, Releases
from tests.lambdas.gateways.memory_table import MemoryTable

ARN = "arn:aws:personalize:us-east-1:1:solution/films/v1"


def test_a_judgement_holds_for_the_plan_and_is_not_written() -> None:
    table = MemoryTable()
    written, unwritten = Releases(table, "movies"), UnwrittenReleases(table, "movies")
    version = JudgedVersion(ARN, "v1", {}, {})
    written.note_judgement(version, "KEEP", ["too weak"], "2026-03-01T00:00:00Z")
    assert not unwritten.of(ARN).may_serve
    before = dict(table.items)
    unwritten.note_judgement(version, "DEPLOY", [], "2026-03-02T00:00:00Z")
    assert unwritten.of(ARN).may_serve
    assert (table.items, written.of(ARN).may_serve) == (before, False)
