"""The command line's program: its options, its commands, and how it refuses."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Final

import typer
from botocore.exceptions import BotoCoreError, ClientError

from control.commands import costs, data_preparation, decisions, endings, group_views, requests, runs, uploads
from control.commands.options import RefusedError
from control.connection import Connection, NotDeployedError
from control.conversion import NoConfigurationError
from control.data_files.checking import UnknownDatasetError
from control.data_files.text_files import UnreadableFileError
from control.group_export import NoSuchGroupError
from control.runs.execution_reader import NoSuchExecutionError
from control.runs.following import StillRunningError
from lambdas.costs.price_table import UnreadablePricesError
from lambdas.requests.request import InvalidRequestError

NAME: Final = "control"
_REFUSALS: Final = (
    BotoCoreError, InvalidRequestError, NoConfigurationError, NoSuchExecutionError, NoSuchGroupError, NotDeployedError,
    OSError, RefusedError, StillRunningError, UnknownDatasetError, UnreadableFileError, UnreadablePricesError,
)  # fmt: skip
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Prepare, run, ask, decide and end: recommendations with Amazon Personalize, on AWS and on the local cloud.",
)


@app.callback()
def connect(
    context: typer.Context,
    endpoint: Annotated[
        str | None, typer.Option(envvar="AWS_ENDPOINT_URL", help="the local cloud's address; without it, AWS")
    ] = None,
    region: Annotated[str | None, typer.Option(help="the AWS region (default: the profile's)")] = None,
    profile: Annotated[str | None, typer.Option(help="the AWS profile (default: AWS_PROFILE)")] = None,
    stage_app: Annotated[
        str, typer.Option("--app", envvar="CONTROL_APP", help="what the stage's stacks begin with: <name>-<stage>")
    ] = "personalize-dev",
) -> None:
    """Say where: every command is about one stage in one account and region."""
    context.obj = Connection(stage_app, region, profile, endpoint)


for commands in (data_preparation, requests, uploads, runs, group_views, decisions, costs, endings):
    for name, command in commands.COMMANDS.items():
        app.command(name)(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; return 0, or 1 when it was refused something (2: the arguments are wrong)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = app(
            args=given, prog_name=os.environ.get("CONTROL_PROGRAM", f"python -m {NAME}"), standalone_mode=False
        )
    except typer.TyperException as error:
        _refuse(error.format_message())
        return error.exit_code
    except ClientError as error:
        _refuse(_of_the_service(error))
    except KeyboardInterrupt:
        _refuse("stopped; what was started goes on")
    except _REFUSALS as error:
        _refuse(str(error))
    else:
        return int(status or 0)
    return 1


def _of_the_service(error: ClientError) -> str:
    if error.response.get("Error", {}).get("Code") in _DENIED:
        return f"your profile may not do that ({error.operation_name}): {error}. The stage's policies say who may"
    return str(error)


def _refuse(text: str) -> None:
    print(f"{NAME}: {text}", file=sys.stderr)
