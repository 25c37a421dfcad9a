"""What the runbook tells a reader to type, to open or to look for is there."""

import json
import re
import shlex
from typing import Any, Final

import botocore.session
import pytest
import typer
from botocore import xform_name

from control.program import app
from lambdas.bucket_layout import REJECTED, REQUESTS, STAGING, UPLOADS
from tests.docs import runbook_page
from tests.docs.runbook_page import ROOT

PAGE: Final = runbook_page.text()
# What the AWS CLI has beside the services' own operations.
OF_THE_CLI: Final = {"s3": {"ls", "mv"}}

# Words in code font that the code does not have, and whose they are.
ELSEWHERE: Final = {
    "an example": {
        "movies", "dev-movies", "movies*", "2026-03-01-101500-full-1a2b3c", "--prices own.toml", "<name>-<stage>-data",
        "movies#releases", "DEPLOY-…", "KEEP-…",
    },
    "CloudTrail's name of an operation": {"StopExecution"},
    "of Lambda, where a function dies": {"Runtime.ExitError", "Lambda.Unknown", "Sandbox.Timedout"},
    "of Step Functions": {"States.DataLimitExceeded", "States.Runtime", "Cause"},
    "of EventBridge, beside what it could not deliver": {"RULE_ARN", "ERROR_CODE", '"detail-type": "Scheduled Event"'},
    "outputs that are put together": {"AdoptedBucketPolicy", "AdoptedRolePolicy", "AdoptedKeyPolicy"},
    "of S3's answer": {"EventBridgeConfiguration"},
}  # fmt: skip
OTHERS: Final = set().union(*ELSEWHERE.values())

# Words in italics that are no heading, no state and no text of the code.
SHOWN_ELSEWHERE: Final = {
    "Error": "a field of the console", "Cause": "a field of the console", "Redrive": "a button of the console",
}  # fmt: skip


def program() -> Any:
    return typer.main.get_command(app)


@pytest.mark.parametrize("line", [one for one in runbook_page.commands(PAGE) if one.startswith("python -m control")])
def test_a_command_of_ours_is_one_that_the_program_takes(line: str) -> None:
    _, _, _, verb, *arguments = shlex.split(re.sub(r"<[^>]+>", "placeholder", line))
    command = program().commands[verb]
    command.make_context(verb, arguments)


@pytest.mark.parametrize("line", [one for one in runbook_page.commands(PAGE) if one.startswith("aws ")])
def test_a_command_of_aws_is_one_that_the_service_takes(line: str) -> None:
    _, service, operation, *arguments = shlex.split(line)
    if operation in OF_THE_CLI.get(service, ()):
        return
    members = input_members(service, operation)
    for option in (one for one in arguments if one.startswith("--")):
        assert option.removeprefix("--").removeprefix("no-") in members, option


def input_members(service: str, operation: str) -> set[str]:
    """Return the options that the AWS CLI makes of an operation's members. Raises KeyError for none."""
    api = {"s3api": "s3"}.get(service, service)
    model = botocore.session.get_session().get_service_model(api)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(names[operation]).input_shape
    return {xform_name(member, "-") for member in shape.members} if shape else set()


def operations_after_a_command() -> list[tuple[str, str]]:
    """Return ``(service, operation)`` of each operation that is named behind a command, without its service."""
    found, service = [], ""
    for span in runbook_page.spans(PAGE):
        if span.startswith("aws "):
            service = span.split()[1]
        elif re.fullmatch(r"(get|list|describe|restore|delete|update)-[a-z-]+", span):
            found.append((service, span))
    return found


@pytest.mark.parametrize(("service", "operation"), operations_after_a_command())
def test_an_operation_that_is_named_is_one_of_the_service_before_it(service: str, operation: str) -> None:
    assert input_members(service, operation)


@pytest.mark.parametrize("link", runbook_page.links(PAGE))
def test_a_link_leads_somewhere(link: str) -> None:
    file, _, anchor = link.partition("#")
    page = (ROOT / "docs" / file).read_text(encoding="utf-8") if file else PAGE
    assert not anchor or anchor in runbook_page.anchors(page)


@pytest.mark.parametrize("words", sorted(set(runbook_page.italics(PAGE))))
def test_words_in_italics_are_a_heading_a_state_or_what_the_code_says(words: str) -> None:
    code = runbook_page.words_of_the_code()
    if words in SHOWN_ELSEWHERE or f"## {words}\n" in PAGE or words in code:
        return
    said = [part.strip() for part in words.split("…") if part.strip()]
    assert all(any(part in text for text in code) for part in said), f"nothing of ours says {words!r}"


@pytest.mark.parametrize("span", sorted(set(runbook_page.spans(PAGE)) - OTHERS))
def test_words_in_code_font_name_something(span: str) -> None:
    if span.startswith(("aws ", "python -m ")) or span in {operation for _, operation in operations_after_a_command()}:
        return  # they are looked for in particular
    assert names_something(span), f"`{span}` is nothing of ours: mend it, or say in ELSEWHERE whose it is"


def test_what_is_said_to_be_of_others_is_used() -> None:
    assert set(runbook_page.spans(PAGE)) >= OTHERS
    assert set(runbook_page.italics(PAGE)) >= SHOWN_ELSEWHERE.keys()


def names_something(span: str) -> bool:
    code = runbook_page.words_of_the_code()
    if "/" in span and (ROOT / span.replace("<stage>", "dev")).exists():
        return True
    if span.startswith((REQUESTS, UPLOADS, STAGING, REJECTED)):
        return True
    if '"' in span:
        return all(name in code for name in json_names(span))
    parts = re.split(r"[.=]", span.strip("…#-"))
    return span in code or all({part, part.replace("-", "_")} & code for part in parts)


def json_names(span: str) -> set[str]:
    """Return the keys of a piece of JSON, and its values that are words in capitals."""
    piece = span if span.startswith("{") else f"{{{span}}}" if ":" in span else f"[{span}]"
    found: set[str] = set()

    def remember(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found.update(key for key, _ in pairs)
        return dict(pairs)

    value = json.loads(piece, object_pairs_hook=remember)
    if isinstance(value, list):
        found.update(value)
    return found | set(re.findall(r'"([A-Z][A-Z_]+)"', span))
