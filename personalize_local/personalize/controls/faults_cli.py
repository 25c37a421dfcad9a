"""Inject faults into a running local cloud, from the command line: `fault`."""

import argparse
import json
import sys
import urllib.error
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, Final

from personalize_local.command_line import endpoint
from personalize_local.personalize.controls.control_client import change, look
from personalize_local.personalize.resources.resource_types import TYPES

_TYPES: Final = sorted(TYPES)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--endpoint", type=endpoint, required=True, help="where serve said it is READY, http://127.0.0.1:PORT"
    )
    actions = parser.add_subparsers(dest="action", required=True)
    fail = actions.add_parser("fail", help="let the next resource of a type end CREATE FAILED")
    _add_type(fail)
    fail.add_argument("reason", help="the failureReason that clients will see")
    fail.add_argument("--name", help="only the resource of this name")
    fail.add_argument("--times", type=int, help="how many resources (default: 1)")
    slow = actions.add_parser("slow", help="let a type take longer from now on")
    _add_type(slow)
    slow.add_argument("factor", type=float, help="how many times as long")
    slow.add_argument("--name", help="only the resource of this name")
    throttle = actions.add_parser("throttle", help="refuse a share of all calls for coming too fast")
    throttle.add_argument("share", type=float, help="0 to 1")
    throttle.add_argument(
        "--service", dest="services", action="append", help="named as in signatures, such as s3 (default: personalize)"
    )
    _add_type(actions.add_parser("fill-quota", help="pretend that the quota of a type is used up"))
    deny = actions.add_parser("deny-s3", help="refuse the service its access to S3")
    deny.add_argument("prefix", nargs="?", help="only below this s3:// location")
    _add_settings(actions)
    actions.add_parser("clear", help="end all trouble")
    actions.add_parser("show", help="tell what is in force")


def _add_settings(actions: Any) -> None:
    switch = actions.add_parser("switch", help="turn a switch (show lists them)")
    switch.add_argument("name", help="the switch")
    switch.add_argument("value", help="one of its values")
    quota = actions.add_parser("quota", help="set the limit of a quota")
    _add_type(quota)
    quota.add_argument("limit", type=int, help="how many there may be")
    duration = actions.add_parser("duration", help="set a typical duration (show lists them)")
    duration.add_argument("what", help='such as "create campaign"')
    duration.add_argument("seconds", type=float, help="simulated seconds")


def _add_type(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("resourceType", metavar="type", choices=_TYPES, help=", ".join(_TYPES))


def run(args: argparse.Namespace) -> int:
    """Do it, print what is in force then, and return the exit code."""
    ours = {"endpoint", "action", "command"}
    body = {
        name: value
        for name, value in vars(args).items()
        if name not in ours and isinstance(value, str | int | float | list) and not isinstance(value, bool)
    }
    return reported(args.endpoint, lambda: _done(args.endpoint, args.action, body))


def _done(address: str, action: str, body: dict[str, Any]) -> None:
    state = look(address) if action == "show" else change(address, action, body)
    sys.stdout.write(json.dumps(state if action == "show" else state["faults"], indent=2) + "\n")


def reported(address: str, action: Callable[[], None]) -> int:
    """Do something with a served Personalize; say in a sentence why it cannot be done, and return the exit code."""
    try:
        action()
    except urllib.error.HTTPError as error:
        return _refused(error)
    except OSError as error:
        return _complain(f"{address} does not answer: {getattr(error, 'reason', error)}", 2)
    except (HTTPException, ValueError):
        return _complain(f"what answers at {address} is no local cloud", 2)
    return 0


def _complain(sentence: str, status: int) -> int:
    sys.stderr.write(f"{sentence}\n")
    return status


def _refused(error: urllib.error.HTTPError) -> int:
    try:
        return _complain(str(json.loads(error.read())["message"]), 1)
    except (ValueError, KeyError, TypeError):
        return _complain(f"{error.url} answers {error.code} {error.reason}: it is no local cloud, or an older one", 2)
