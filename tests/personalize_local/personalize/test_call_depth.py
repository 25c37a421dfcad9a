"""How far a warm call goes through our files: a count, so the same on every machine."""

from pathlib import Path

from tests.personalize_local.personalize.call_depth import FILES_AT_MOST, files_of_a_warm_call


def test_a_warm_call_enters_few_files(tmp_path: Path) -> None:
    entered = files_of_a_warm_call(tmp_path)
    assert len(entered) <= FILES_AT_MOST, sorted(str(each) for each in entered)
