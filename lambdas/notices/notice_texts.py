"""Write the notice about a run's outcome, in a text for each protocol of SNS."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from lambdas.names import shown
from lambdas.notices.run_outcome import LONGEST_REASON, SUCCEEDED, RunOutcome

LONGEST_SUBJECT: Final = 100  # SNS's, in ASCII letters
LONGEST_SMS: Final = 160  # one message, in GSM's letters
RUN_IS_RED: Final = "docs/runbook.md#a-run-is-red"

# Hosts of the consoles, by partition; those of others are in no public document.
CONSOLES: Final[Mapping[str, str]] = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


def subject(outcome: RunOutcome, stage: str) -> str:
    """Return a subject as SNS takes it: one line of at most 100 ASCII letters."""
    return _ascii(f"[{stage}] {_headline(outcome)}", LONGEST_SUBJECT)


def message(outcome: RunOutcome, stage: str) -> str:
    """Return the message of structure `json`: long for mail, short for phones, an object for programs."""
    long, document = _long(outcome, stage), json.dumps(notice_document(outcome, stage))
    programs = dict.fromkeys(("email-json", "firehose", "http", "https", "lambda", "sqs"), document)
    return json.dumps({"default": long, "email": long, "sms": _sms(outcome, stage), **programs})


def attributes(outcome: RunOutcome, stage: str) -> dict[str, str]:
    """Return what subscriptions can be filtered by."""
    return {"stage": stage, "datasetGroup": outcome.group, "machine": outcome.machine, "status": outcome.status}


def notice_document(outcome: RunOutcome, stage: str) -> dict[str, Any]:
    """Return the notice for programs."""
    return {
        "stage": stage,
        "datasetGroup": outcome.group,
        "machine": outcome.machine,
        "resource": outcome.resource,
        "status": outcome.status,
        "error": outcome.error or None,
        "reason": shown(outcome.reason, LONGEST_REASON),
        "outputs": list(outcome.outputs),
        "executionArn": outcome.execution_arn,
        "console": console_link(outcome),
        "runbook": _runbook(outcome),
    }


def console_link(outcome: RunOutcome) -> str | None:
    """Return the execution's page in the console of its partition; None where we know of none."""
    console = CONSOLES.get(outcome.partition)
    if console is None:
        return None
    return f"https://{console}/states/home?region={outcome.region}#/v2/executions/details/{outcome.execution_arn}"


def _headline(outcome: RunOutcome) -> str:
    if outcome.status != SUCCEEDED:
        verb = {"FAILED": "failed", "TIMED_OUT": "timed out", "ABORTED": "was stopped"}.get(
            outcome.status, outcome.status
        )
        return f"{outcome.group}: {outcome.machine} {verb}: {outcome.error}"
    ready = "batch is ready" if outcome.outputs else f"{outcome.machine} is done"
    return f"{outcome.group}: {ready}"


def _runbook(outcome: RunOutcome) -> str | None:
    return None if outcome.status == SUCCEEDED else f"{RUN_IS_RED}, row {outcome.error}"


def _long(outcome: RunOutcome, stage: str) -> str:
    rows = {
        "Stage": stage,
        "Dataset group": outcome.group,
        "Resource": outcome.resource,
        "Machine": outcome.machine,
        "Error": outcome.error,
        "Output": ", ".join(outcome.outputs),
        "Execution": outcome.execution_arn,
        "Console": console_link(outcome),
        "What to do": _runbook(outcome),
    }
    lines = [f"{name}: {value}" for name, value in rows.items() if value]
    return "\n".join([_headline(outcome), "", shown(outcome.reason, LONGEST_REASON), "", *lines])


def _sms(outcome: RunOutcome, stage: str) -> str:
    return _ascii(f"{stage} {_headline(outcome)}: {outcome.reason}", LONGEST_SMS)


def _ascii(text: str, longest: int) -> str:
    line = re.sub(r"\s+", " ", text).encode("ascii", "replace").decode()
    line = re.sub(r"[^ -~]", "", line)
    return line if len(line) <= longest else f"{line[: longest - 3]}..."
