"""Send Step Functions' own events: every change of an execution's status goes to the default event bus.

Best effort, as on AWS: order is not kept. Nothing here waits; rules match at once and deliver in the background.
"""

import json
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from personalize_local.aws import current_cloud
from personalize_local.aws.events.rules import send_to_default_bus
from personalize_local.aws.stepfunctions.redrive_eligibility import redrive_status
from personalize_local.clock import CLOCK

if TYPE_CHECKING:
    from personalize_local.aws.stepfunctions.local_execution import LocalExecution

MAX_DATA_BYTES = 248 * 1024  # the developer guide's, of the texts as they stand in the event


def send(execution: "LocalExecution") -> None:
    """Send the event about an execution's present status, if it is of a standard workflow."""
    if current_cloud.running() is None or execution.sm_type == "EXPRESS":
        return
    send_to_default_bus(execution.account_id, execution.region_name, describe(execution))


def describe(execution: "LocalExecution") -> dict[str, Any]:
    """Return the event, with the members of the developer guide's examples."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": execution.account_id,
        "time": CLOCK.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": execution.region_name,
        "resources": [execution.exec_arn],
        "detail": _detail(execution),
    }


def _detail(execution: "LocalExecution") -> dict[str, Any]:
    status, reason = redrive_status(execution)
    return {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine_arn,
        "stateMachineVersionArn": None,
        "stateMachineAliasArn": None,
        "name": execution.name,
        "status": execution.status,
        "startDate": _milliseconds(execution.start_date),
        "stopDate": _milliseconds(execution.stop_date),
        "error": execution.error,
        "cause": execution.cause,
        "redriveCount": execution.redrive_count,
        "redriveDate": _milliseconds(execution.redrive_date),
        "redriveStatus": status,
        "redriveStatusReason": reason,
        **_data(execution),
    }


def _data(execution: "LocalExecution") -> dict[str, Any]:
    given = execution.execution_input
    output = json.dumps(execution.output) if execution.status == "SUCCEEDED" else None
    is_output_small = output is None or _escaped_bytes(output) <= MAX_DATA_BYTES
    output_bytes = _escaped_bytes(output) if output and is_output_small else 0
    is_input_small = _escaped_bytes(given) + output_bytes <= MAX_DATA_BYTES
    return {
        "input": given if is_input_small else None,
        "inputDetails": {"included": is_input_small},
        "output": output if is_output_small else None,
        "outputDetails": None if output is None else {"included": is_output_small},
    }


def _escaped_bytes(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode())


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
