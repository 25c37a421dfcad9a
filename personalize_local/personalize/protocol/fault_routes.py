"""Answer requests below /_local-cloud on the same endpoint: faults, clock, switches, quotas, durations at run time."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from personalize_local.personalize.controls.control_header import CONTROL_HEADER
from personalize_local.personalize.resources.service import PersonalizeService, current_service
from personalize_local.personalize.resources.settling import settle

HttpResponse = tuple[int, dict[str, str], str]
Body = Mapping[str, Any]


def _fail(service: PersonalizeService, body: Body) -> None:
    times = int(body.get("times", 1))
    service.faults.fail(body["resourceType"], body["reason"], name=body.get("name"), times=times)


def _slow(service: PersonalizeService, body: Body) -> None:
    service.faults.slow(body["resourceType"], float(body["factor"]), name=body.get("name"))


def _throttle(service: PersonalizeService, body: Body) -> None:
    service.faults.throttle(float(body["share"]), body.get("services") or ("personalize",))


def _fill_quota(service: PersonalizeService, body: Body) -> None:
    service.faults.fill_quota(body["resourceType"])


def _deny_s3(service: PersonalizeService, body: Body) -> None:
    service.faults.deny_s3(body.get("prefix", "s3://"))


def _clear(service: PersonalizeService, _: Body) -> None:
    service.faults.clear()


def _switch(service: PersonalizeService, body: Body) -> None:
    service.switches.set(body["name"], str(body["value"]))


def _quota(service: PersonalizeService, body: Body) -> None:
    service.quotas.set_limit(body["resourceType"], int(body["limit"]))


def _duration(service: PersonalizeService, body: Body) -> None:
    service.durations.set_seconds(body["what"], float(body["seconds"]))


def _restore(service: PersonalizeService, body: Body) -> None:
    service.faults.restore(body["faults"])


def _clock(service: PersonalizeService, body: Body) -> None:
    service.passage.change(body)


def _settle(service: PersonalizeService, body: Body) -> None:  # noqa: ARG001 - of the accounts that service has
    settle(float(body.get("seconds", 60)))


_ACTIONS: Final[Mapping[str, Callable[[PersonalizeService, Body], None]]] = {
    "fail": _fail,
    "slow": _slow,
    "throttle": _throttle,
    "fill-quota": _fill_quota,
    "deny-s3": _deny_s3,
    "clear": _clear,
    "restore": _restore,
    "clock": _clock,
    "settle": _settle,
    "switch": _switch,
    "quota": _quota,
    "duration": _duration,
}


def answer_fault_route(request: Any, _full_url: str, _headers: Any) -> HttpResponse:
    """GET returns what is in force; POST /_local-cloud/<action> with a JSON object changes it and returns the same.

    A POST must have the control header: whatever a web page can send without one changes nothing.
    """
    service = current_service()
    action = request.path.rpartition("/_local-cloud/")[2]
    if request.method == "POST" and CONTROL_HEADER not in request.headers:
        return _response(
            403, {"message": f"a request that changes something here needs the header {CONTROL_HEADER}: 1"}
        )
    try:
        if request.method == "POST":
            control(service, action, json.loads(request.get_data() or b"{}"))
    except KeyError as error:
        return _response(404 if action not in _ACTIONS else 400, {"message": f"unknown or missing: {error}"})
    except (TypeError, ValueError, AttributeError, TimeoutError) as error:
        return _response(400, {"message": str(error)})
    return _response(200, in_force(service))


def control(service: PersonalizeService, action: str, body: Body) -> None:
    """Change what is in force: the body is that of a request for the action."""
    _ACTIONS[action](service, body)


def in_force(service: PersonalizeService) -> dict[str, Any]:
    """Return everything that can be changed at run time, as plain values."""
    return {
        "faults": service.faults.in_force(),
        "switches": asdict(service.switches),
        "quotas": {noun: quota.limit for noun, quota in service.quotas.table.items()},
        "durations": service.durations.seconds,
        "clock": service.passage.in_force(),
    }


def _response(status: int, body: Mapping[str, Any]) -> HttpResponse:
    return status, {"Content-Type": "application/json"}, json.dumps(body)
