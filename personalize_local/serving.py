"""Serve the app on a local cloud, for other programs, until interrupted."""

import argparse
import contextlib
import json
import sqlite3
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from personalize_local.aws.cloudformation.templates import UnsupportedResourceError
from personalize_local.bare_serving import access_of, say
from personalize_local.cloud import Cloud
from personalize_local.deploy import DeployedApp, DeploymentError, synthesise
from personalize_local.interruption import INTERRUPTED, ending_in_order
from personalize_local.state.directory import taken
from personalize_local.state.state_errors import StateError


def run(arguments: argparse.Namespace) -> int:
    """Deploy, tell where things are, say READY, and stay until SIGINT or SIGTERM."""
    try:
        return _serve(arguments)
    except StateError as error:
        sys.stderr.write(f"serve: {error}\n")
        return 2
    except (DeploymentError, UnsupportedResourceError, OSError, sqlite3.Error) as error:
        sys.stderr.write(f"serve: {error}\n")
        return 1


def _serve(arguments: argparse.Namespace) -> int:
    with contextlib.ExitStack() as stack:
        state = None if arguments.state is None else stack.enter_context(taken(arguments.state))
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="local-cloud-assembly-"))
        assembly = arguments.assembly or synthesise(Path(directory))
        cloud = Cloud(
            port=arguments.port,
            speed=arguments.speed,
            state=state,
            access=access_of(arguments),
            cpu_shares=not arguments.whole_cpus,
        )
        with ending_in_order(), cloud:
            deployment = cloud.deploy(assembly)
            announcement = json.dumps(addresses(cloud, deployment))
            if not arguments.json:
                announcement = explanation(cloud, deployment, arguments.state)
            say(announcement, f"READY {cloud.endpoint}")
            INTERRUPTED.wait()
    return 0


def addresses(cloud: Cloud, deployment: DeployedApp) -> dict[str, Any]:
    """Return where things are, for programs."""
    return {
        "endpoint": cloud.endpoint,
        "env": cloud.environment,
        "bucket": deployment.bucket,
        "personalizeRoleArn": deployment.personalize_role_arn,
        "stateMachines": deployment.state_machines,
        "queues": deployment.queues,
        "tables": deployment.tables,
    }


def _listed(title: str, found: Mapping[str, str]) -> str:
    return f"\n{title}\n" + "\n".join(f"  {name:<22}{address}" for name, address in sorted(found.items()))


def explanation(cloud: Cloud, deployment: DeployedApp, state: Path | None) -> str:
    """Return where things are, for people."""
    fate = "everything in it is forgotten" if state is None else f"its data stay in {state}"
    exports = "\n".join(f"export {name}={value}" for name, value in cloud.environment.items())
    return f"""The app runs on a local AWS. For the aws command line, boto3 or any other SDK (with
another key you may use what is deployed, but change no code):

{exports}

Bucket  {deployment.bucket}
Role    {deployment.personalize_role_arn}
{_listed("State machines", deployment.state_machines)}
{_listed("Queues", deployment.queues)}
{_listed("Tables", deployment.tables)}

Try
  aws s3 cp interactions.csv s3://{deployment.bucket}/uploads/movies/interactions/
  aws stepfunctions list-executions --state-machine-arn {next(iter(deployment.state_machines.values()), "…")}
  python -m personalize_local fault --endpoint {cloud.endpoint} show

To deploy changes of the app, with the variables above but localhost for 127.0.0.1:
  cdk deploy --all --method=direct --require-approval never -c layer=

One second is {cloud.speed:g} simulated seconds. Ctrl-C ends it; {fate}."""
