"""Fail executions whose data is larger than Step Functions passes from state to state.

moto counts the escapes and blanks of Python's JSON instead of UTF-8, looks neither at what `Parameters` make nor at the
whole result of a Map, and lets `States.ALL` catch what it cannot. A result counts before its `ResultSelector`: that
is our choice, the stricter one: AWS does not say.
"""

import json
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.parargs import Parargs
from moto.stepfunctions.parser.asl.component.state import state
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_selector import ItemSelector
from moto.stepfunctions.parser.asl.component.state.exec.state_map.state_map import StateMap
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.state_parallel import StateParallel
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_lambda
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from personalize_local.aws.corrections import Correction
from personalize_local.aws.limits import STATE_DATA

UNCATCHABLE = tuple(
    StatesErrorName(kind)
    for kind in (StatesErrorNameType.StatesStatesDataLimitExceeded, StatesErrorNameType.StatesRuntime)
)


def size_in_bytes(value: Any) -> int:
    """Return how long a value is as Step Functions passes it on: compact JSON in UTF-8."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return len(text.encode(errors="surrogatepass"))


def is_within_size_quota(value: Any) -> bool:
    """Tell whether a value may be passed on."""
    return size_in_bytes(value) <= STATE_DATA.value


def is_payload_within_size_quota(value: Any) -> bool:
    """Tell whether what a function returned may be passed on: its payload, not the whole answer of Invoke."""
    return is_within_size_quota(value["Payload"] if isinstance(value, dict) and "Payload" in value else value)


def within_quota(evaluate: Callable[..., None], what: str) -> Callable[..., None]:
    """Make an evaluation fail when what it leaves is larger than a state may take or give."""

    def evaluate_within_quota(component: Any, env: Any) -> None:
        evaluate(component, env)
        if env.is_running() and not is_within_size_quota(env.stack[-1]):
            raise FailureEventException(_too_large(env, what))

    return evaluate_within_quota


def _too_large(env: Any, what: str) -> FailureEvent:
    name = StatesErrorName(StatesErrorNameType.StatesStatesDataLimitExceeded)
    cause = (
        f"The state/task '{env.next_state_name}' {what} with a size exceeding "
        "the maximum number of bytes service limit."
    )
    failed = ExecutionFailedEventDetails(error=str(name.error_name), cause=cause)
    details = EventDetails(executionFailedEventDetails=failed)  # type: ignore[typeddict-item]  # one of many kinds
    return FailureEvent(env, name, HistoryEventType.TaskFailed, details)


def _bounded(owner: Any, attribute: str, what: str, because: str) -> Correction:
    return Correction(owner, attribute, within_quota(vars(owner)[attribute], what), because)


_match_as_moto = ErrorEqualsDecl._eval_body  # noqa: SLF001 - the method being corrected


def match(declared: Any, env: Any) -> None:
    """Match an error as moto does, except that `States.ALL` does not match what is terminal."""
    error_name = env.stack[-1]
    _match_as_moto(declared, env)
    if error_name in UNCATCHABLE and error_name not in declared.error_names:
        env.stack[-1] = False


_BYTES = "it counts Python's escapes and blanks"
CORRECTIONS = (
    Correction(state, "is_within_size_quota", is_within_size_quota, _BYTES),
    Correction(state_task_service, "is_within_size_quota", is_within_size_quota, _BYTES),
    Correction(state_task_lambda, "is_within_size_quota", is_payload_within_size_quota, _BYTES),
    _bounded(Parargs, "_eval_body", "provided parameters", "what Parameters make may be of any size"),
    _bounded(ItemSelector, "_eval_body", "provided parameters", "the input of an iteration may be of any size"),
    _bounded(StateMap, "_eval_execution", "returned a result", "a ResultSelector hides the size of a Map's result"),
    _bounded(StateParallel, "_eval_execution", "returned a result", "a ResultSelector hides the size of the result"),
    Correction(ErrorEqualsDecl, "_eval_body", match, "States.ALL catches terminal errors"),
)
