"""Go from an empty cloud to recommendations in under a minute, with the example request and data."""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from examples import movies
from personalize_local.cloud import Cloud
from personalize_local.deploy import DeploymentError, synthesise
from personalize_local.stages_view import StagesView

EXAMPLES = Path(movies.__file__).parent
GROUP = "movies"
LATER = "later/"  # what movies.write puts aside for the second upload
PATIENCE_SECONDS = 240
_LOOK_EVERY_SECONDS = 0.5


class DemoFailedError(Exception):
    """A run of the demo ended red."""


def run_demo(arguments: argparse.Namespace) -> int:
    """Run the demo; return the process's exit status."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    try:
        with tempfile.TemporaryDirectory(prefix="demo-") as directory:
            _tell_the_story(Path(directory), arguments, console)
    except DemoFailedError as error:
        console.print(f"[red]{error}[/]")
        return 1
    except (DeploymentError, OSError) as error:
        sys.stderr.write(f"demo: {error}\n")
        return 1
    return 0


def _tell_the_story(directory: Path, arguments: argparse.Namespace, console: Console) -> None:
    began = time.monotonic()
    console.print("[bold]1. A cloud of our own[/]: moto, Step Functions, Lambda workers, and a Personalize that learns")
    assembly = synthesise(directory / "cdk.out")
    with Cloud(arguments.port, arguments.speed, directory / "personalize") as cloud:
        deployment = cloud.deploy(assembly)
        machines = len(deployment.state_machines)
        console.print(f"   {machines} state machines deployed from the synthesised stacks; bucket {deployment.bucket}")
        files = movies.write(directory / "data")
        run = _watch(cloud, console, "pipeline", lambda: _upload(cloud, files, console))
        pictures = directory.rglob("report.png")  # the engine draws one of each version it trains
        _report(cloud, run, pictures, arguments.out, console)
        console.print(f"   from start to recommendations: {time.monotonic() - began:.0f} s\n")
        _upload_later(cloud, files, console)
        if cloud.lambda_errors:
            raise DemoFailedError(f"{len(cloud.lambda_errors)} Lambda invocations failed: {cloud.lambda_errors[0]}")
    _say_what_next(console)


def _upload(cloud: Cloud, files: dict[str, Path], console: Console) -> None:
    console.print("\n[bold]2. Drop files in the bucket[/]: data first, then the request, which starts the pipeline")
    for key, path in files.items():
        if not key.startswith(LATER):
            _put(cloud, key, path, console)
    _put(cloud, f"requests/{GROUP}.json", EXAMPLES / "movies.json", console)


def _put(cloud: Cloud, key: str, path: Path, console: Console) -> None:
    cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body=path.read_bytes())
    console.print(f"   {path.stat().st_size:>9,} bytes  {key}")


def _upload_later(cloud: Cloud, files: dict[str, Path], console: Console) -> None:
    console.print("[bold]4. A week later[/]: more interactions arrive, and are appended rather than replaced")
    key = next(key for key in files if key.startswith(LATER))
    upload = partial(_put, cloud, key.removeprefix(LATER), files[key], console)
    imported = _watch(cloud, console, "import_uploads", upload)
    jobs = [job for job in imported["jobs"] if job["mode"] == "INCREMENTAL"]
    if not jobs:
        raise DemoFailedError(f"the second upload was not imported INCREMENTAL: {json.dumps(imported)}")
    console.print(f"   {jobs[0]['rows']:,} rows imported [green]{jobs[0]['mode']}[/] by {jobs[0]['jobName']}\n")


def _watch(cloud: Cloud, console: Console, machine: str, upload: Callable[[], None]) -> Any:
    """Upload, show the stages until the execution of `machine` that this starts has ended, and return its output."""
    before, deadline = set(_executions(cloud, machine)), time.monotonic() + PATIENCE_SECONDS
    with StagesView(cloud, console) as view:
        upload()
        console.print()
        while time.monotonic() < deadline:
            view.refresh()
            for arn, status in _executions(cloud, machine).items():
                if arn not in before and status != "RUNNING":
                    view.refresh()
                    return _output(cloud, arn)
            time.sleep(_LOOK_EVERY_SECONDS)
    raise DemoFailedError(f"{machine} has not ended after {PATIENCE_SECONDS} s")


def _executions(cloud: Cloud, machine: str) -> dict[str, str]:
    arn = cloud.deployment.state_machines[machine]
    found = cloud.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
    return {execution["executionArn"]: execution["status"] for execution in found}


def _output(cloud: Cloud, arn: str) -> Any:
    described = cloud.client("stepfunctions").describe_execution(executionArn=arn)
    if described["status"] != "SUCCEEDED":
        raise DemoFailedError(f"{arn} ended {described['status']}: {described.get('error')}: {described.get('cause')}")
    return json.loads(described["output"])


def _report(cloud: Cloud, run: dict[str, Any], pictures: Iterable[Path], out: Path, console: Console) -> None:
    console.print("\n[bold]3. What came out[/]")
    solution = run["solutions"][0]
    table = Table(show_header=False, box=None, padding=(0, 2), width=110)
    for dataset in run["data"]["datasets"]:
        table.add_row(f"{dataset['name']} imported", f"{dataset['uploads']['rows']:,} rows")
    for metric, value in sorted(solution["trained"]["metrics"].items()):
        table.add_row(metric.replace("_", " "), f"{value:.4f}")
    table.add_row("deployed solution version", solution["trained"]["solutionVersionArn"].rpartition("/")[2])
    for path in _copy_batch_output(cloud, solution, out):
        table.add_row("batch recommendations", str(path))
    for picture in pictures:
        table.add_row("picture of the model", str(shutil.copy(picture, out / "model.png")))
    console.print(table)
    console.print(_recommendations(cloud, solution["deployed"]["campaigns"][0]["arn"]))


def _copy_batch_output(cloud: Cloud, solution: dict[str, Any], out: Path) -> list[Path]:
    """Copy the job's `.out` files to `out`; return where they are."""
    s3, copied = cloud.client("s3"), []
    out.mkdir(parents=True, exist_ok=True)
    for job in solution["batch"]["jobs"]:
        bucket, _, prefix = job["resource"]["jobOutput"]["s3DataDestination"]["path"][len("s3://") :].partition("/")
        for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
            if item["Key"].endswith(".out"):
                copied.append(out / Path(item["Key"]).name)
                with copied[-1].open("wb") as file:
                    shutil.copyfileobj(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"], file)
    return copied


def _recommendations(cloud: Cloud, campaign_arn: str) -> Table:
    titles = {film.id: f"{film.title} ({film.genre})" for film in movies.films()}
    table = Table("Member", "loves, likes", "is recommended", header_style="bold", title="Recommendations")
    for member, taste in list(movies.favourite_genres().items())[:4]:
        answer = cloud.client("personalize-runtime").get_recommendations(
            campaignArn=campaign_arn, userId=member, numResults=4
        )
        films = "\n".join(titles[item["itemId"]] for item in answer["itemList"])
        table.add_row(member, ", ".join(taste), films, end_section=True)
    return table


def _say_what_next(console: Console) -> None:
    console.print("[bold]What to try next[/]")
    console.print(
        "   make serve                       keep a cloud running; point any boto3 client or the AWS CLI at it"
    )
    console.print("   examples/movies.json             change the request: another recipe, a gate, a second solution")
    console.print("   docs/architecture.md             how the machines work together")
    console.print("   make deploy                      the same stacks on AWS (this one costs money)")
