"""Refuse what Lambda would refuse for its size: an invocation's payload, and a handler's response."""

import json
from dataclasses import replace
from types import SimpleNamespace

import moto.awslambda.responses
from moto.awslambda.exceptions import LambdaClientError

from personalize_local.aws.corrections import Correction
from personalize_local.aws.lambda_.workers import Answer
from personalize_local.aws.limits import ASYNCHRONOUS_PAYLOAD, RESPONSE_PAYLOAD, SYNCHRONOUS_PAYLOAD


class RequestEntityTooLargeException(LambdaClientError):  # noqa: N818 - AWS's name
    """The payload is longer than its kind of invocation allows."""

    code = 413

    def __init__(self, message: str) -> None:
        super().__init__("RequestEntityTooLargeException", message)


def check_request(payload: str | bytes, kind: str) -> None:
    """Raise RequestEntityTooLargeException for a payload that this kind of invocation does not take."""
    size = len(payload if isinstance(payload, bytes) else payload.encode())
    if kind == "Event" and size > ASYNCHRONOUS_PAYLOAD.value:
        raise RequestEntityTooLargeException(
            f"{size} byte payload is too large for the Event invocation type (limit {ASYNCHRONOUS_PAYLOAD.value} bytes)"
        )
    if size > SYNCHRONOUS_PAYLOAD.value:
        raise RequestEntityTooLargeException(
            f"Request must be smaller than {SYNCHRONOUS_PAYLOAD.value} bytes for the InvokeFunction operation"
        )


def bounded(answer: Answer) -> Answer:
    """Return the answer, or the error that Lambda gives in its place when it is too long."""
    if answer.payload is None or len(answer.payload.encode()) <= RESPONSE_PAYLOAD.value:
        return answer
    text = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_PAYLOAD.value} bytes)."
    error = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": text}
    return replace(answer, payload=json.dumps(error), is_error=True)


CORRECTIONS = (
    Correction(
        moto.awslambda.responses,
        "sys",
        SimpleNamespace(getsizeof=lambda _: 0),  # the function has checked its answer
        "it refuses responses of 6,000,000 bytes, which Lambda delivers",
    ),
)
