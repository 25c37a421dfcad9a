"""Correct `Task` states that call a service: what goes in, what comes out, and nested executions.

moto removed LocalStack's translation between the casing of Step Functions (`StateMachineArn`) and boto3's
(`stateMachineArn`) and left the two methods empty. Here it is again, driven by botocore's service models.
"""

import functools
from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from botocore.model import OperationModel
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_aws_sdk
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import (
    StateTaskServiceSfn,
)

from personalize_local.aws import current_cloud
from personalize_local.aws.corrections import Correction
from personalize_local.aws.stepfunctions.executions import find_execution, stop_nested, wait_until_ended
from personalize_local.aws.stepfunctions.interpreter import iso_time, shared_client

# The prefix of an error's name is the service's id as Step Functions spells it: "Personalize.LimitExceededException".
ERROR_PREFIXES = {
    "cloudwatch": "CloudWatch",
    "dynamodb": "DynamoDb",
    "eventbridge": "EventBridge",
    "lambda": "Lambda",
    "personalize": "Personalize",
    "personalizeevents": "PersonalizeEvents",
    "personalizeruntime": "PersonalizeRuntime",
    "s3": "S3",
    "secretsmanager": "SecretsManager",
    "sfn": "Sfn",
    "sns": "Sns",
    "sqs": "Sqs",
    "ssm": "Ssm",
}
WAITING_PATTERNS = ("sync", "sync:2")
BOTO_NAMES = {
    "eventbridge": "events",
    "personalizeevents": "personalize-events",
    "personalizeruntime": "personalize-runtime",
    "sfn": "stepfunctions",
    "states": "stepfunctions",
}


def _operation(task: Any, service: str | None, action: str | None) -> OperationModel:
    client = shared_client(task._get_boto_service_name(service), current_cloud.REGION)  # noqa: SLF001 - moto's own naming
    name = client.meta.method_to_api_mapping[task._get_boto_service_action(action)]  # noqa: SLF001 - same
    operation: OperationModel = client.meta.service_model.operation_model(name)
    return operation


def normalise_parameters(
    task: Any, parameters: Any, boto_service_name: str | None = None, service_action_name: str | None = None
) -> None:
    """Rename a task's parameters, in place, to what boto3 calls them."""
    shape = _operation(task, boto_service_name, service_action_name).input_shape
    if shape is not None:
        task._to_boto_request(parameters, shape)  # noqa: SLF001 - LocalStack's translation, still there but not called


def normalise_response(
    task: Any, response: Any, boto_service_name: str | None = None, service_action_name: str | None = None
) -> None:
    """Rename a service's answer, in place, to Step Functions' casing; dates become JSON."""
    shape = _operation(task, boto_service_name, service_action_name).output_shape
    if shape is not None:
        task._from_boto_response(response, shape)  # noqa: SLF001 - as above
    # SDK integrations give ISO text, the optimised ones milliseconds since 1970.
    show = iso_time if isinstance(task, StateTaskServiceAwsSdk) else _milliseconds
    if isinstance(response, dict):
        response.update({key: _without_dates(value, show) for key, value in response.items()})


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _without_dates(value: Any, show: Callable[[datetime], Any]) -> Any:
    if isinstance(value, datetime):
        return show(value)
    if isinstance(value, dict):
        return {key: _without_dates(member, show) for key, member in value.items()}
    if isinstance(value, list):
        return [_without_dates(member, show) for member in value]
    return value


def after_the_child(build: Callable[..., Any]) -> Callable[..., Callable[[], Any]]:
    """Make a `.sync` resolver look once, when the child execution has ended, instead of twice a second.

    When a sibling branch has failed, nobody waits for the child any more and it is stopped, as Step Functions does
    with every job it runs.
    """

    def build_resolver(task: Any, env: Any, **parts: Any) -> Callable[[], Any]:
        child_arn = env.stack[-1]["ExecutionArn"]
        resolve = build(task, env=env, **parts)

        def resolve_when_ended() -> Any:
            if wait_until_ended(child_arn, env.is_running):
                return resolve()
            stop_nested(child_arn)
            return None

        return resolve_when_ended

    return build_resolver


_start_as_moto = StateTaskServiceSfn._eval_service_task  # noqa: SLF001 - the method being corrected


def start_nested(task: Any, env: Any, **parts: Any) -> None:
    """Start a nested execution; if the task waits for it, it belongs to the parent."""
    _start_as_moto(task, env=env, **parts)
    if task.resource.condition in WAITING_PATTERNS:
        parent = env.states.context_object.context_object_data["Execution"]["Id"]
        find_execution(parent).adopt(find_execution(env.stack[-1]["executionArn"]))


_explain_as_moto = StateTaskServiceSfn._from_error  # noqa: SLF001 - the method being corrected


def explain_refused_start(task: Any, env: Any, ex: Exception) -> Any:
    """Name an error that the model of Step Functions does not list, such as throttling, by the SDK's catch-all."""
    if isinstance(ex, ClientError) and (code := ex.response["Error"]["Code"]) not in _start_errors():
        renamed: Any = {**ex.response, "Error": {**ex.response["Error"], "Code": "AWSStepFunctions"}}
        event: Any = _explain_as_moto(task, env, ClientError(renamed, ex.operation_name))
        details = event.event_details["taskFailedEventDetails"]
        details["cause"] = details["cause"].replace("Error Code: AWSStepFunctions", f"Error Code: {code}")
        return event
    return _explain_as_moto(task, env, ex)


@functools.cache
def _start_errors() -> frozenset[str]:
    client = shared_client("stepfunctions", current_cloud.REGION)
    return frozenset(shape.name for shape in client.meta.service_model.operation_model("StartExecution").error_shapes)


_await_token_as_moto = StateTaskServiceCallback._eval_wait_for_task_token  # noqa: SLF001 - the method being corrected


def await_token(task: Any, env: Any, **parts: Any) -> Any:
    """Wait for a task token, unless the execution has been stopped: then moto's stack holds no timeout to wait for."""
    return _await_token_as_moto(task, env=env, **parts) if env.is_running() else None


CORRECTIONS = (
    Correction(
        StateTaskServiceCallback,
        "_eval_wait_for_task_token",
        await_token,
        "stopped at the wrong moment, its thread dies of a TypeError",
    ),
    Correction(
        StateTaskService, "_SERVICE_NAME_SFN_TO_BOTO_OVERRIDES", BOTO_NAMES, "it knows boto3's name of one service only"
    ),
    Correction(StateTaskService, "_normalise_parameters", normalise_parameters, "it does nothing: KeyError"),
    Correction(StateTaskService, "_normalise_response", normalise_response, "it does nothing, and dates are not JSON"),
    Correction(
        state_task_service_aws_sdk, "_SERVICE_ERROR_NAMES", ERROR_PREFIXES, "it writes s3.NoSuchKeyException in small"
    ),
    Correction(
        StateTaskServiceSfn,
        "_from_error",
        explain_refused_start,
        "it says StepFunctions.ThrottlingExceptionException, which no Retry of a real machine names",
    ),
    Correction(
        StateTaskServiceSfn, "_eval_service_task", start_nested, "the child of a stopped parent goes on for ever"
    ),
    Correction(
        StateTaskServiceSfn,
        "_build_sync_resolver",
        after_the_child(StateTaskServiceSfn._build_sync_resolver),  # noqa: SLF001 - the method being corrected
        "it asks twice a second: half a second is five simulated minutes",
    ),
    Correction(
        StateTaskServiceSfn,
        "_build_sync2_resolver",
        after_the_child(StateTaskServiceSfn._build_sync2_resolver),  # noqa: SLF001 - the method being corrected
        "it asks twice a second: half a second is five simulated minutes",
    ),
)
