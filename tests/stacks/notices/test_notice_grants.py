"""What the handler that tells outcomes may do."""

from stacks.notices.notice_grants import NOTICE_GRANTS


def test_it_may_publish_and_remember_and_nothing_else() -> None:
    assert NOTICE_GRANTS["tell_outcome"].actions == {"sns:Publish", "dynamodb:UpdateItem"}
