"""What the handlers that tell of runs may do."""

from stacks.notices.notice_grants import NOTICE_GRANTS


def test_it_may_publish_and_remember_and_nothing_else() -> None:
    assert NOTICE_GRANTS["tell_outcome"].actions == {"sns:Publish", "dynamodb:UpdateItem"}


def test_who_publishes_changes_may_look_and_keep_parameters_and_nothing_else() -> None:
    actions = NOTICE_GRANTS["publish_change"].actions
    describing = {action for action in actions if action.startswith(("personalize:Describe", "states:Describe"))}
    assert actions - describing == {
        "events:PutEvents",
        "ssm:DeleteParameters",
        "ssm:GetParameter",
        "ssm:GetParametersByPath",
        "ssm:PutParameter",
    }
