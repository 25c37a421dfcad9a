"""One line for a person, however much there is to say."""

from typing import Any

import pytest

from lambdas.releases.run_summary import brief, run_summary


def solution(name: str, note: str = "") -> dict[str, Any]:
    return {
        "trained": {"summary": f"{name}: trained 2026-03-01-full (there is no version yet); DEPLOY"},
        "deployed": {"campaigns": [{}], "summary": f"{name} serves 2026-03-01-full"},
        "batch": {"jobs": [], "note": note},
    }


def data(warnings: tuple[str, ...] = (), **rows: int) -> dict[str, Any]:
    return {
        "datasets": [{"name": name, "uploads": {"rows": count}} for name, count in rows.items()],
        "warnings": list(warnings),
    }


def test_it_tells_decisions_imports_and_what_was_missing() -> None:
    text = run_summary(
        data(("users: no file of it was ever imported",), interactions=1200, users=0),
        [solution("films", "no input yet below uploads/movies/batch/weekly/")],
        ["filter movies-seen"],
    )
    assert text == (
        "films: trained 2026-03-01-full (there is no version yet); DEPLOY; "
        "1 campaign(s): films serves 2026-03-01-full; "
        "imported rows: interactions 1,200; users: no file of it was ever imported; "
        "no input yet below uploads/movies/batch/weekly/; not in the request any more: filter movies-seen"
    )


def test_a_run_that_left_it_to_another_says_that() -> None:
    assert run_summary({"note": "Another run is under way."}, [], []) == "Another run is under way."


@pytest.mark.parametrize("name", ["films", "filme-für-dich-ä", "映画"])
def test_it_stays_below_500_bytes(name: str) -> None:
    text = run_summary(data(interactions=1), [solution(f"{name}-{number}") for number in range(50)], ["x" * 1000])
    assert 300 < len(text.encode()) < 500


def test_a_person_may_write_reasons_in_any_script() -> None:
    """An approval's words are in the summaries of two machines; letters of several bytes count as such."""
    assert brief("short") == "short"
    assert 480 < len(brief("映" * 500).encode()) < 500
