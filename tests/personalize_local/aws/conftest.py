"""A bare cloud per module, and short ways to machines and functions on it."""

import io
import itertools
import json
import zipfile
from collections.abc import Callable, Iterator
from textwrap import dedent
from typing import Any

import pytest

from personalize_local.cloud import Cloud, Run

ROLE = "arn:aws:iam::123456789012:role/anyone"
ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_numbers = itertools.count()


@pytest.fixture(scope="module")
def aws() -> Iterator[Cloud]:
    """Return a cloud with nothing deployed, shared by the tests of a module."""
    with Cloud(speed=3600) as running:
        iam = running.client("iam")
        iam.create_role(RoleName="anyone", AssumeRolePolicyDocument="{}")
        iam.put_role_policy(RoleName="anyone", PolicyName="anything", PolicyDocument=json.dumps(ANYTHING))
        yield running


MakeMachine = Callable[[dict[str, Any]], str]
MakeFunction = Callable[..., str]
RunStates = Callable[..., Run]


@pytest.fixture
def machine(aws: Cloud) -> MakeMachine:
    """Return a function that makes a state machine of a definition and returns its ARN."""

    def make(definition: dict[str, Any]) -> str:
        made = aws.client("stepfunctions").create_state_machine(
            name=f"machine-{next(_numbers)}", definition=json.dumps(definition), roleArn=ROLE
        )
        return str(made["stateMachineArn"])

    return make


@pytest.fixture
def run(aws: Cloud, machine: MakeMachine) -> RunStates:
    """Return a function that runs states from the first one on and returns how that ended."""

    def run_states(states: dict[str, Any], given: dict[str, Any] | None = None, **members: Any) -> Run:
        definition = {"StartAt": next(iter(states)), "States": states, **members}
        return aws.run(machine(definition), given or {}, timeout_seconds=90)

    return run_states


@pytest.fixture
def function(aws: Cloud) -> MakeFunction:
    """Return a function that makes a Lambda function of source text and returns its name."""

    def make(source: str, **settings: Any) -> str:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as opened:
            opened.writestr("code.py", dedent(source))
        name = f"function-{next(_numbers)}"
        defaults = {"Handler": "code.handler", "Runtime": "python3.13", "Timeout": 5}
        aws.client("lambda").create_function(
            FunctionName=name, Role=ROLE, Code={"ZipFile": archive.getvalue()}, **{**defaults, **settings}
        )
        return name

    return make
