"""Build the application of one stage: three stacks, checked by cdk-nag as they are synthesised."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from aws_cdk import App, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from config.settings import Settings
from stacks.access.placement import confine
from stacks.acknowledgements import ACKNOWLEDGED, Acknowledged, acknowledge
from stacks.data import DataStack
from stacks.monitoring.monitoring_stack import MonitoringStack
from stacks.protection.encryption import encrypt
from stacks.workflow import WorkflowStack

_REPOSITORY: Final = Path(__file__).parents[1]


def new_app(outdir: Path | None = None) -> App:
    """Return an empty app with the feature flags of cdk.json, whether or not the CDK's command line runs it."""
    context = json.loads((_REPOSITORY / "cdk.json").read_text(encoding="utf-8"))["context"]
    flags = {key: value for key, value in context.items() if key.startswith("@aws-cdk")}
    # Without analytics there is no AWS::CDK::Metadata: templates hold what we wrote and nothing else.
    return App(outdir=str(outdir) if outdir else None, context=flags, analytics_reporting=False)


def build(
    app: App, settings: Settings, *, layer: str | None = None, acknowledged: Iterable[Acknowledged] = ACKNOWLEDGED
) -> None:
    """Add the stacks of one stage to `app`.

    `layer` is the folder that `make layer` fills, relative to the repository. Without it the functions get no
    dependencies: enough for templates, tests and the local cloud, which runs handlers in the project's environment.
    """
    name = f"{settings.name}-{settings.stage}"
    data = DataStack(app, f"{name}-data", settings)
    workflow = WorkflowStack(app, f"{name}-workflow", settings, data, _REPOSITORY / layer if layer else None)
    monitoring = MonitoringStack(app, f"{name}-monitoring", settings)
    if data.key_arn:
        encrypt(app, data.key_arn)
    for stack in (data, workflow, monitoring):
        confine(stack, settings)
    for key, value in {**settings.tags, "application": settings.name, "stage": settings.stage}.items():
        Tags.of(app).add(key, value)
    acknowledge(app, settings, acknowledged)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
