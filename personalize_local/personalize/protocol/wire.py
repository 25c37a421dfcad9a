"""Read and write the wire format by the installed botocore models: no operation is described by hand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Final

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from personalize_local.personalize.protocol.service_errors import ServiceError, serialization

SERVICES: Final = ("personalize", "personalize-runtime", "personalize-events")
_MILLISECOND_DIGITS: Final = 3


@cache
def service_model(service: str) -> ServiceModel:
    """Return botocore's model of the service."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


@dataclass(frozen=True)
class Target:
    """The operation that a request is for."""

    service: str
    operation: OperationModel

    @property
    def name(self) -> str:
        """The operation's name, as in the model."""
        return self.operation.name

    @cached_property
    def errors(self) -> frozenset[str]:
        """The exceptions the operation declares."""
        return frozenset(shape.name for shape in self.operation.error_shapes)


@cache
def _targets() -> Mapping[str, Target]:
    return {
        _address(service, model.operation_model(name)): Target(service, model.operation_model(name))
        for service in SERVICES
        for model in (service_model(service),)
        for name in model.operation_names
    }


def _address(service: str, operation: OperationModel) -> str:
    if service == "personalize":
        return f"{service_model(service).metadata['targetPrefix']}.{operation.name}"
    return str(operation.http["requestUri"])


def target_of(path: str, amz_target: str | None) -> Target:
    """Return what a request asks for: control-plane calls name it in a header, the others in their path."""
    target = _targets().get(amz_target if amz_target is not None else path)
    if target is None:
        raise ServiceError("UnknownOperationException", "", 400 if amz_target is not None else 404)
    return target


def parse(body: bytes) -> dict[str, Any]:
    """Return the request's members; an empty body is a request without any."""
    try:
        request = json.loads(body or b"{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise serialization("Could not parse the request body as JSON.") from error
    if not isinstance(request, dict):
        raise serialization("Start of structure or map found where not expected.")
    return request


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def answer(target: Target, result: Mapping[str, Any] | None) -> str:
    """Return the body: exactly the members of the operation's output shape that have a value."""
    shape = target.operation.output_shape
    return json.dumps(_picked(shape, result or {})) if shape is not None else ""


def _picked(shape: Shape, value: Any) -> Any:
    match shape:
        case StructureShape():
            present = ((name, value.get(name), member) for name, member in shape.members.items())
            return {name: _picked(member, part) for name, part, member in present if part is not None}
        case ListShape():
            return [_picked(shape.member, part) for part in value]
        case MapShape():
            return {key: _picked(shape.value, part) for key, part in value.items()}
    return round(float(value), _MILLISECOND_DIGITS) if shape.type_name == "timestamp" else value


def error_answer(target: Target | None, error: ServiceError) -> tuple[int, dict[str, str], str]:
    """Return status, headers and body of an error, as the target's protocol writes it."""
    body = json.dumps({"__type": error.code, "message": error.message})
    headers = {"Content-Type": content_type(target), "x-amzn-ErrorType": error.code}
    return error.http_status or _modelled_status(target, error.code), headers, body


def _modelled_status(target: Target | None, code: str) -> int:
    if target is None:
        return 400
    shapes = {shape.name: shape for shape in service_model(target.service).error_shapes}
    error = shapes[code].metadata.get("error", {}) if code in shapes else {}
    return int(error.get("httpStatusCode", 400))


def content_type(target: Target | None) -> str:
    """Return the content type of the target's answers."""
    return "application/x-amz-json-1.1" if target is None or target.service == "personalize" else "application/json"
