"""An outcome is told once, also when its event comes twice or its teller dies."""

from dataclasses import replace

from lambdas.notices.notice_log import NoticeLog
from tests.lambdas.gateways.memory_table import MemoryTable
from tests.lambdas.notices.test_notice_texts import outcome

NOW = 1_700_000_000


def test_a_duplicate_is_not_told_neither_meanwhile_nor_afterwards() -> None:
    log = NoticeLog(MemoryTable())
    assert log.begin(outcome(), "first", NOW)
    assert not log.begin(outcome(), "duplicate", NOW)
    log.end(outcome())
    assert not log.begin(outcome(), "duplicate", NOW)
    assert not log.begin(outcome(), "first", NOW)


def test_a_request_that_failed_is_tried_again_by_lambda_and_tells() -> None:
    log = NoticeLog(MemoryTable())
    assert log.begin(outcome(), "first", NOW)
    assert log.begin(outcome(), "first", NOW)


def test_what_fails_again_after_a_redrive_is_told_again() -> None:
    log = NoticeLog(MemoryTable())
    assert log.begin(outcome(), "first", NOW)
    assert log.begin(replace(outcome(), redrives=1), "second", NOW)


def test_rows_are_forgotten() -> None:
    table = MemoryTable()
    NoticeLog(table).begin(outcome(), "first", NOW)
    (row,) = table.items.values()
    assert int(row["expires_at"]) > NOW
