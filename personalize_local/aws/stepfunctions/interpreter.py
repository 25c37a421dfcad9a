"""Correct the interpreter that runs state machines (LocalStack's, as vendored in moto).

Simulated time for waits, retries and time stamps; errors named `States.*` that leave a branch, an iteration or a
`Fail` state; and two economies: a definition is parsed once, and so is the model behind a boto3 client.
"""

import functools
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.config import Config
from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state import state
from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import iteration_worker
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branches_decl
from moto.stepfunctions.parser.asl.component.state.fail import state_fail
from moto.stepfunctions.parser.asl.component.state.wait.wait_function import timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackEndpoint, HeartbeatEndpoint
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import boto_client

from personalize_local.aws import current_cloud
from personalize_local.aws.corrections import Correction
from personalize_local.clock import CLOCK

LONGEST_NAP_SECONDS = 0.25  # real; moto sets and clears its stop event at once, so a waiter can miss it

# moto logs every failing component with its whole source: a failed state is news to the history, not to the console.
logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)


def iso_time(moment: datetime) -> str:
    """Return a moment as the context object and the service show it: UTC, milliseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def wait_interval(_wait: Any, env: Any, wait_seconds: float) -> None:
    """Wait in simulated time; leave when the execution, or the branch, has been stopped."""
    until = CLOCK.time() + wait_seconds
    while env.is_running() and (left := until - CLOCK.time()) > 0:
        env.program_state_event.wait(min(CLOCK.real_seconds(left), LONGEST_NAP_SECONDS))


def seconds_until_timestamp(wait: Any, env: Any) -> float:
    """Return how long a `Timestamp` or `TimestampPath` is still away, in simulated time."""
    wait.string.eval(env=env)
    text = env.stack.pop()
    moment = wait._from_timestamp_string(text)  # noqa: SLF001 - moto's own parser of this field
    if moment is None:
        raise FailureEventException(wait._create_failure_event(env, text))  # noqa: SLF001 - same
    return float((moment.replace(tzinfo=UTC) - CLOCK.now()).total_seconds())


def sleep_before_retry(seconds: float) -> None:
    """Sleep in simulated time; leave when the cloud stops."""
    cloud = current_cloud.running()
    CLOCK.wait(seconds, cloud.stopping if cloud else threading.Event())


def state_data(Name: str, **_: Any) -> dict[str, str]:  # noqa: N803 - moto calls it with AWS's spelling
    """Return the context object's `$$.State`, entered at the simulated time."""
    return {"EnteredTime": iso_time(CLOCK.now()), "Name": Name}


def any_error_name(error_name: str | None) -> ErrorName:
    """Return the matching object for any name; `States.*` ones keep their special meaning to `ErrorEquals`."""
    try:
        return CustomErrorName(error_name)
    except ValueError:
        pass
    try:
        return StatesErrorName.from_name(str(error_name))
    except ValueError:
        return ErrorName(error_name)


_choose_as_moto = StateChoice._eval_state  # noqa: SLF001 - the method being corrected


def choose(choice: Any, env: Any) -> None:
    """Choose the next state; without a match and a default that is an error with a name of its own."""
    try:
        _choose_as_moto(choice, env)
    except RuntimeError as error:
        if choice.default_state is not None:
            raise
        name = StatesErrorName(StatesErrorNameType.StatesNoChoiceMatched)
        cause = (
            f"An error occurred while executing the state '{choice.name}' (entered at the event id "
            f"#{env.event_history_context.source_event_id}). Failed to transition out of the state. "
            "The state does not point to a next state."
        )
        failed = ExecutionFailedEventDetails(error=str(name.error_name), cause=cause)
        details = EventDetails(executionFailedEventDetails=failed)  # type: ignore[typeddict-item]  # one of many kinds
        raise FailureEventException(FailureEvent(env, name, HistoryEventType.ExecutionFailed, details)) from error


def parse_once(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Remember parsed definitions: the components keep no state of an execution, and parsing takes 20 ms or more."""
    lock = threading.Lock()
    remembered = functools.lru_cache(maxsize=256)(parse)

    def parse_definition(definition: str) -> Any:
        with lock:
            return remembered(definition)

    return parse_definition


def setup_heartbeat_endpoint(endpoint: CallbackEndpoint, heartbeat_seconds: int) -> HeartbeatEndpoint:
    """Wait for heartbeats; who answered as soon as the token was sent, before anybody waited, is heard, too."""
    waiting = HeartbeatEndpoint(heartbeat_seconds=heartbeat_seconds)
    endpoint._heartbeat_endpoint = waiting  # noqa: SLF001 - the only way in
    if endpoint.get_outcome() is not None:
        waiting.notify()  # type: ignore[no-untyped-call]
    return waiting


# As moto's own: a task's parameters are checked by the service, and the machine does the retrying.
CLIENT_CONFIG = Config(parameter_validation=False, retries={"max_attempts": 0})
_clients: dict[tuple[str, str], Any] = {}
_clients_lock = threading.Lock()


def shared_client(service_name: str, region_name: str, **_: Any) -> Any:
    """Return one client per service and region; 90 threads that each read a service model take a minute."""
    with _clients_lock:
        key = (service_name, region_name)
        if key not in _clients:
            session = boto3.Session("local", "local", region_name=region_name)
            _clients[key] = session.client(service_name, config=CLIENT_CONFIG)  # type: ignore[call-overload]
        return _clients[key]


CORRECTIONS = (
    Correction(WaitFunction, "_wait_interval", wait_interval, "it waits in real time"),
    Correction(timestamp.Timestamp, "_get_wait_seconds", seconds_until_timestamp, "it asks the machine's local time"),
    Correction(retrier_decl, "time", SimpleNamespace(sleep=sleep_before_retry), "retries wait in real time"),
    Correction(state, "StateData", state_data, "EnteredTime is real time, and not in AWS's format"),
    Correction(EventManager, "_get_current_timestamp", staticmethod(CLOCK.now), "the history is in real time"),
    Correction(branches_decl, "CustomErrorName", any_error_name, "a States.* error cannot leave a Parallel branch"),
    Correction(iteration_worker, "CustomErrorName", any_error_name, "a States.* error cannot leave a Map iteration"),
    Correction(state_fail, "CustomErrorName", any_error_name, "a Fail state cannot pass on a States.* error"),
    Correction(StateChoice, "_eval_state", choose, "no match is States.Runtime, not States.NoChoiceMatched"),
    Correction(
        CallbackEndpoint,
        "setup_heartbeat_endpoint",
        setup_heartbeat_endpoint,
        "a quick answer to a token is not noticed before the heartbeat is missed",
    ),
    Correction(
        AmazonStateLanguageParser,
        "parse",
        staticmethod(parse_once(AmazonStateLanguageParser.parse)),
        "every execution parses its definition again",
    ),
    Correction(boto_client, "boto3", SimpleNamespace(client=shared_client), "every task makes a client of its own"),
)
