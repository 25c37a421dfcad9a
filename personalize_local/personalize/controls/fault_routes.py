"""The back door, below /_local-cloud on the same endpoint: faults, switches, quotas and durations at run time."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from personalize_local.personalize.controls.control_header import CONTROL_HEADER
from personalize_local.personalize.controls.durations import DURATIONS
from personalize_local.personalize.controls.faults import FAULTS
from personalize_local.personalize.controls.switches import SWITCHES
from personalize_local.personalize.resources.quotas import QUOTAS

Answer = tuple[int, dict[str, str], str]


def _fail(asked: Mapping[str, Any]) -> None:
    times = int(asked.get("times", 1))
    FAULTS.fail(asked["resourceType"], asked["reason"], name=asked.get("name"), times=times)


def _slow(asked: Mapping[str, Any]) -> None:
    FAULTS.slow(asked["resourceType"], float(asked["factor"]), name=asked.get("name"))


def _throttle(asked: Mapping[str, Any]) -> None:
    FAULTS.throttle(float(asked["share"]))


def _fill_quota(asked: Mapping[str, Any]) -> None:
    FAULTS.fill_quota(asked["resourceType"])


def _deny_s3(asked: Mapping[str, Any]) -> None:
    FAULTS.deny_s3(asked.get("prefix", "s3://"))


def _clear(_: Mapping[str, Any]) -> None:
    FAULTS.clear()


def _switch(asked: Mapping[str, Any]) -> None:
    SWITCHES.set(asked["name"], str(asked["value"]))


def _quota(asked: Mapping[str, Any]) -> None:
    QUOTAS.table[asked["resourceType"]] = replace(QUOTAS.table[asked["resourceType"]], limit=int(asked["limit"]))


def _duration(asked: Mapping[str, Any]) -> None:
    if asked["what"] not in DURATIONS.seconds:
        raise ValueError(f"no duration {asked['what']!r}; there are {', '.join(DURATIONS.seconds)}")
    DURATIONS.seconds[asked["what"]] = float(asked["seconds"])


_ACTIONS: Final[Mapping[str, Callable[[Mapping[str, Any]], None]]] = {
    "fail": _fail,
    "slow": _slow,
    "throttle": _throttle,
    "fill-quota": _fill_quota,
    "deny-s3": _deny_s3,
    "clear": _clear,
    "switch": _switch,
    "quota": _quota,
    "duration": _duration,
}


def answer_fault_route(request: Any, _full_url: str, _headers: Any) -> Answer:
    """GET tells what is in force; POST /_local-cloud/<action> with a JSON object changes it and tells the same.

    A POST must have the control header: whatever a web page can send without one changes nothing.
    """
    action = request.path.rpartition("/_local-cloud/")[2]
    if request.method == "POST" and CONTROL_HEADER not in request.headers:
        return _told(403, {"message": f"a request that changes something here needs the header {CONTROL_HEADER}: 1"})
    try:
        if request.method == "POST":
            _ACTIONS[action](json.loads(request.get_data() or b"{}"))
    except KeyError as error:
        return _told(404 if action not in _ACTIONS else 400, {"message": f"unknown or missing: {error}"})
    except (TypeError, ValueError, AttributeError) as error:
        return _told(400, {"message": str(error)})
    return _told(200, in_force())


def in_force() -> dict[str, Any]:
    """Return everything that can be changed at run time, as plain values."""
    return {
        "faults": FAULTS.in_force(),
        "switches": asdict(SWITCHES),
        "quotas": {noun: quota.limit for noun, quota in QUOTAS.table.items()},
        "durations": DURATIONS.seconds,
    }


def _told(status: int, body: Mapping[str, Any]) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(body)
