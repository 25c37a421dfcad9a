"""Serve Personalize with S3 and IAM alone, for other programs, until interrupted: `serve --bare`."""

import argparse
import contextlib
import json
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Final

from personalize_local.aws.http.endpoint import Access
from personalize_local.aws.http.request_limits import MIB, RequestLimits
from personalize_local.engine.processes.child_processes import end_with_parent
from personalize_local.interruption import INTERRUPTED, ending_in_order
from personalize_local.personalize_server import PersonalizeServer

_EXPLANATION: Final = """Personalize, S3 and IAM run on this machine. For the aws command line, boto3 or any other SDK:

{exports}

Try
  aws personalize list-recipes
  personalize-local fault --endpoint {endpoint} fail campaign "no capacity"
  personalize-local clock --endpoint {endpoint} advance 3600

One second is {speed:g} simulated seconds. Ctrl-C ends it; {fate}."""


def access_of(arguments: argparse.Namespace) -> Access:
    """Return who may use the endpoint, how much of the machine, and with which certificate, as the arguments say."""
    limits = RequestLimits(body_bytes=arguments.max_body_mib * MIB, bodies_bytes=2 * arguments.max_body_mib * MIB)
    certificate = None
    if arguments.https:
        from personalize_local.aws.http.certificate import make_certificate  # noqa: PLC0415 - loads cryptography

        authority = arguments.ca_file or Path(tempfile.mkdtemp(prefix="personalize-local-")) / "authority.pem"
        certificate = make_certificate(authority)
    return Access(tuple(arguments.allow_origin), limits, certificate)


def say(*lines: str) -> None:
    """Print lines at once: our parent may wait for them at the other end of a pipe."""
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run(arguments: argparse.Namespace) -> int:
    """Tell where it is, say READY, and stay until SIGINT or SIGTERM."""
    if arguments.parent is not None:
        end_with_parent(arguments.parent)
    try:
        return _serve(arguments)
    except (OSError, sqlite3.Error) as error:
        sys.stderr.write(f"serve: {error}\n")
        return 1


def _serve(arguments: argparse.Namespace) -> int:
    with contextlib.ExitStack() as stack:
        state = None
        if arguments.state is not None:
            from personalize_local.state.directory import taken  # noqa: PLC0415 - loads moto's DynamoDB and SQS

            state = stack.enter_context(taken(arguments.state))
        server = PersonalizeServer(arguments.speed, state=state, port=arguments.port, access=access_of(arguments))
        stack.enter_context(ending_in_order())
        stack.enter_context(server)
        say(_announcement(server, arguments), f"READY {server.endpoint}")
        INTERRUPTED.wait()
    return 0


def _announcement(server: PersonalizeServer, arguments: argparse.Namespace) -> str:
    if arguments.json:
        return json.dumps({"endpoint": server.endpoint, "env": server.environment})
    fate = "everything in it is forgotten" if arguments.state is None else f"its data stay in {arguments.state}"
    exports = "\n".join(f"export {name}={value}" for name, value in server.environment.items())
    return _EXPLANATION.format(exports=exports, endpoint=server.endpoint, speed=arguments.speed, fate=fate)
