"""Turn HTTP requests into operations and their answers into HTTP, for all three services."""

import logging
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from moto.core.responses import BaseResponse

from personalize_local.personalize.protocol import wire
from personalize_local.personalize.protocol.dispatch import CONTROL_PLANE, DATA_PLANE
from personalize_local.personalize.protocol.models import personalize_backends
from personalize_local.personalize.protocol.paging import check_token
from personalize_local.personalize.protocol.service_errors import ServiceError, throttled
from personalize_local.personalize.protocol.validation import check
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.reconcile import reconciled
from personalize_local.personalize.resources.records import Members
from personalize_local.personalize.resources.settling import skip_to_next_change

_LOG = logging.getLogger(__name__)
_READING: Final = ("Describe", "Get", "List")
HttpAnswer = tuple[int, dict[str, str], str]


class PersonalizeResponse(BaseResponse):
    """One request; moto is used for telling account and region, nothing else."""

    def __init__(self) -> None:
        super().__init__(service_name="personalize")

    def _dispatch(self, request: Any, full_url: str | None = None, headers: Any = None) -> HttpAnswer:  # noqa: ARG002 - moto's signature
        path, amz_target = urlsplit(request.url).path, request.headers.get("x-amz-target")
        return answered(lambda: self._account_and_region(request), path, amz_target, _body(request))

    def _account_and_region(self, request: Any) -> tuple[str, str]:
        self.headers = request.headers
        self.querystring: dict[str, Any] = {}
        return self.get_current_account(), self.get_region_from_url(request, request.url)


def answered(caller: Callable[[], tuple[str, str]], path: str, amz_target: str | None, body: bytes) -> HttpAnswer:
    """Return status, headers and body of the answer to a request; `caller` tells its account and region."""
    target = None
    try:
        target = wire.target_of(path, amz_target)
        result = _answer(_account(*caller()), target, wire.parse(body))
        return 200, {"Content-Type": wire.content_type(target)}, wire.answer(target, result)
    except ServiceError as error:
        return wire.error_answer(target, error)
    except Exception:  # noqa: BLE001 - no traceback ever reaches the wire; this log is where to look
        _LOG.exception("%s broke", target.name if target else path)
        broken = ServiceError("InternalServerException", "An internal error occurred.", 500)
        return wire.error_answer(target, broken)


def _account(account_id: str, region: str) -> Account:
    try:
        account: Account = personalize_backends[account_id][region].account
    except KeyError as error:
        message = f"Credential should be scoped to a valid region; {region!r} is none."
        raise ServiceError("InvalidSignatureException", message, 403) from error
    return account


def _body(request: Any) -> bytes:
    """Return the body of werkzeug's request, or of botocore's: in process, early versions of moto hand that over."""
    body = request.get_data() if hasattr(request, "get_data") else request.body or b""
    return body.encode() if isinstance(body, str) else bytes(body)


def _answer(account: Account, target: wire.Target, request: dict[str, Any]) -> Members | None:
    faults = account.service.faults
    if faults.throttled and faults.is_unlucky("personalize"):
        raise throttled()
    if "nextToken" in request:
        check_token(request)
    check(target.operation.input_shape, request, account.switches, target.errors)
    present = {name: value for name, value in request.items() if value is not None}
    if target.name in DATA_PLANE:
        return DATA_PLANE[target.name](account, present)
    is_reading = target.name.startswith(_READING)
    with reconciled(account):
        account.changes += not is_reading
        result = CONTROL_PLANE[target.name](account, present)
    if is_reading and account.service.passage.is_automatic:
        skip_to_next_change(account)
    return result
