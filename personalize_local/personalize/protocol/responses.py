"""From HTTP to operations and back, for all three services."""

import logging
from typing import Any

from moto.core.responses import BaseResponse

from personalize_local.personalize.protocol import wire
from personalize_local.personalize.protocol.models import PersonalizeBackend, personalize_backends
from personalize_local.personalize.protocol.service_errors import ServiceError

_LOG = logging.getLogger(__name__)
Answer = tuple[int, dict[str, str], str]


class PersonalizeResponse(BaseResponse):
    """One request; moto is used for telling account and region, nothing else."""

    def __init__(self) -> None:
        super().__init__(service_name="personalize")

    def _dispatch(self, request: Any, full_url: str | None = None, headers: Any = None) -> Answer:  # noqa: ARG002 - moto's signature
        target = None
        try:
            target = wire.target_of(request.path, request.headers.get("x-amz-target"))
            result = self._backend(request).answer(target, wire.parse(request.get_data()))
            return 200, {"Content-Type": wire.content_type(target)}, wire.answer(target, result)
        except ServiceError as error:
            return wire.error_answer(target, error)
        except Exception:  # noqa: BLE001 - no traceback ever reaches the wire; this log is where to look
            _LOG.exception("%s broke", target.name if target else request.path)
            broken = ServiceError("InternalServerException", "An internal error occurred.", 500)
            return wire.error_answer(target, broken)

    def _backend(self, request: Any) -> PersonalizeBackend:
        self.headers = request.headers
        self.querystring: dict[str, Any] = {}
        region = self.get_region_from_url(request, request.url)
        backend: PersonalizeBackend = personalize_backends[self.get_current_account()][region]
        return backend
