"""What is kept of solution versions, and given back."""

import pytest

from lambdas.releases.releases import JudgedVersion, Pin, Releases, SignedDecision
from tests.lambdas.gateways.memory_table import MemoryTable

V1, V2 = (f"arn:aws:personalize:eu-west-1:1:solution/films/{name}" for name in ("v1", "v2"))


@pytest.fixture
def releases() -> Releases:
    return Releases(MemoryTable(), "movies")


def signed(version: str = V1, time: str = "2026-03-02T00:00:00Z") -> SignedDecision:
    return SignedDecision(version, "Ann", "because", time)


def judge(releases: Releases, version: str, *reasons: str, trained: bool = True) -> None:
    facts = JudgedVersion(version, "2026-03-01-full", {"coverage": 0.5}, {}, ("first",) if trained else ())
    releases.note_judgement(facts, "KEEP" if reasons else "DEPLOY", reasons, "2026-03-01T00:00:00Z")


def test_a_version_that_nobody_judged_here_may_serve_and_goes_by_its_id(releases: Releases) -> None:
    release = releases.of(V1)
    assert (release.name, release.verdict, release.may_serve) == ("v1", None, True)


def test_a_later_judgement_counts(releases: Releases) -> None:
    judge(releases, V1, "too low")
    assert not releases.of(V1).may_serve
    assert releases.of(V1).reasons == "too low"
    judge(releases, V1, trained=False)
    assert releases.of(V1).may_serve
    assert [release.name for release in releases.of_solution("films")] == ["2026-03-01-full"]


def test_why_a_version_was_trained_outlives_its_being_judged_again() -> None:
    table = MemoryTable()
    releases = Releases(table, "movies")
    judge(releases, V1)
    judge(releases, V1, "too low", trained=False)
    (item,) = table.items.values()
    assert (item["training_reasons"], item["verdict"]) == ("first", "KEEP")


def test_an_approval_lets_a_kept_version_serve_and_a_rollback_takes_it_back(releases: Releases) -> None:
    judge(releases, V1, "too low")
    releases.approve(signed())
    assert releases.of(V1).may_serve
    assert releases.of(V1).approved == signed()
    releases.withdraw(signed())
    assert not releases.of(V1).may_serve
    releases.approve(signed())
    assert releases.of(V1).may_serve


def test_a_pin_holds_one_solution_until_it_is_released(releases: Releases) -> None:
    releases.pin("films", Pin(signed(V1)))
    releases.pin("films", Pin(signed(V2), rollback=True))
    assert releases.pinned("films") == Pin(signed(V2), rollback=True)
    assert releases.pinned("books") is None
    releases.unpin("films")
    assert releases.pinned("films") is None


def test_what_a_campaign_served_is_told_newest_first_and_written_once(releases: Releases) -> None:
    for day, version in enumerate([V1, V1, V2, V2, V1], start=1):
        releases.note_serving("home", version, f"2026-03-0{day}T00:00:00Z")
        releases.note_serving("home-2", V2, f"2026-03-0{day}T00:00:00Z")
    assert list(releases.served("home")) == [V1, V2, V1]
    assert list(releases.served("home-2")) == [V2]


def test_reasons_of_any_length_fit_a_row() -> None:
    table = MemoryTable()
    judge(Releases(table, "movies"), V1, "x" * 1_000_000)
    assert sum(len(str(value)) for item in table.items.values() for value in item.values()) < 10_000
