"""How a notice reads by each protocol, within the limits of SNS."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.notices.notice_texts import LONGEST_SMS, LONGEST_SUBJECT, RUN_IS_RED, console_link, message, subject
from lambdas.notices.run_outcome import RunOutcome

ROOT = Path(__file__).parents[3]


def outcome(
    group: str = "films", error: str = "ResourceFailed", reason: str = "no capacity", **more: str
) -> RunOutcome:
    partition = more.get("partition", "aws")
    arn = f"arn:{partition}:states:eu-west-1:123456789012:execution:personalize-dev-pipeline:one"
    return RunOutcome(arn, "pipeline", more.get("status", "FAILED"), 0, group, "campaign films", error, reason)


@given(st.text(min_size=1), st.text(), st.text(max_size=40_000))
def test_whatever_it_is_about_every_text_keeps_the_limits_of_its_protocol(group: str, error: str, reason: str) -> None:
    told = outcome(group, error, reason)
    line = subject(told, "personalize-dev")
    assert line.isascii()
    assert line.isprintable()
    assert len(line) <= LONGEST_SUBJECT
    text = message(told, "personalize-dev")
    assert len(text.encode()) <= 256 * 1024
    texts = json.loads(text)
    assert len(texts["sms"]) <= LONGEST_SMS
    assert texts["sms"].isascii()
    assert all(isinstance(one, str) and one for one in texts.values())


def test_a_notice_says_who_what_why_where_and_what_to_do() -> None:
    texts = json.loads(message(outcome(), "personalize-dev"))
    for word in ("personalize-dev", "films", "campaign films", "ResourceFailed", "no capacity", RUN_IS_RED, "https://"):
        assert word in texts["email"]
        assert word in texts["sqs"]
    assert json.loads(texts["sqs"])["datasetGroup"] == "films"
    assert texts["sms"] == "personalize-dev films: pipeline failed: ResourceFailed: no capacity"
    assert subject(outcome(), "personalize-dev") == "[personalize-dev] films: pipeline failed: ResourceFailed"


@pytest.mark.parametrize(
    ("partition", "host"),
    [
        ("aws", "https://console.aws.amazon.com/"),
        ("aws-cn", "https://console.amazonaws.cn/"),
        ("aws-us-gov", "https://console.amazonaws-us-gov.com/"),
    ],
)
def test_links_lead_to_the_console_of_the_partition(partition: str, host: str) -> None:
    assert str(console_link(outcome(partition=partition))).startswith(host)
    assert console_link(outcome(partition="aws-iso")) is None


def test_the_runbook_has_the_heading_and_a_row_for_what_step_functions_itself_names() -> None:
    page, _, anchor = RUN_IS_RED.partition("#")
    runbook = (ROOT / page).read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line[3:].lower()).replace(" ", "-")
        for line in runbook.splitlines()
        if line.startswith("## ")
    }
    assert anchor in headings
    for error in ("States.Timeout", "Aborted", "States.Runtime"):
        assert f"`{error}`" in runbook
