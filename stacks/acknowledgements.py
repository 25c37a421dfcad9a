"""List the findings of cdk-nag that we have looked at and left as they are, each with the reason.

A test fails when a reason no longer matches a finding; the synthesis fails on a finding without a reason.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from aws_cdk import Acknowledgment, App, Validations

import statemachines
from lambdas.personalize.resources import RESOURCES
from stacks.access.personalize_actions import arn_paths
from stacks.grants import STARTABLE


@dataclass(frozen=True)
class Acknowledged:
    """A finding on the constructs whose path matches, and why it stays."""

    path: str  # without the name of application and stage; * matches anything
    finding: (
        str  # {app} stands for that name, {machine} for every state machine's, {arn_path} for what follows an account
    )
    reason: str

    def findings(self, app_name: str, name_patterns: Sequence[str]) -> Iterator[str]:
        """Return the finding as cdk-nag spells it for an application of that name, and its names in Personalize."""
        if "{arn_path}" in self.finding:
            yield from (self.finding.format(arn_path=path) for path in arn_paths(tuple(RESOURCES), name_patterns))
            return
        if "{machine}" not in self.finding:
            yield self.finding.format(app=app_name)
            return
        for machine in sorted({*statemachines.names(), *(machine.name for machine in STARTABLE)}):
            yield self.finding.format(app=app_name, machine=machine.replace("_", "-"))


_FUNCTION: Final = "workflow/*Role/DefaultPolicy/Resource"
_MACHINE: Final = "workflow/*/Role/DefaultPolicy/Resource"
_IN_BUCKET: Final = "AwsSolutions-IAM5[Resource::{{app}}-data:ExportsOutputFnGetAttDataBucketE3889A50Arn98F8399F/{}/*]"

ACKNOWLEDGED: Final = (
    Acknowledged(
        "data/DataBucket/Resource",
        "AwsSolutions-S1",
        "CloudTrail's data events tell who touched what; access logs would want a second bucket with a life of its own",
    ),
    Acknowledged(
        "data/DataRole/DefaultPolicy/Resource",
        "AwsSolutions-IAM5[Resource::<DataBucketE3889A50.Arn>/*]",
        "Personalize reads what was uploaded, staged or written by an earlier job; names are the uploader's choice",
    ),
    Acknowledged(
        "data/DataRole/DefaultPolicy/Resource",
        "AwsSolutions-IAM5[Resource::<DataBucketE3889A50.Arn>/results/*]",
        "Personalize names the files it writes; it may write nowhere else",
    ),
    Acknowledged(
        "data/DataRole/DefaultPolicy/Resource",
        "AwsSolutions-IAM5[Resource::*]",
        "IAM knows no resource for CloudWatch's PutMetricData, which metric attributions need",
    ),
    Acknowledged(
        _FUNCTION,
        "AwsSolutions-IAM5[Resource::*]",
        "IAM knows no resource for X-Ray, Personalize's lists, reading CloudWatch's metrics, nor network interfaces",
    ),
    Acknowledged(_MACHINE, "AwsSolutions-IAM5[Resource::*]", "IAM knows no resource for X-Ray nor for log delivery"),
    Acknowledged(
        _FUNCTION,
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:personalize:<AWS::Region>:<AWS::AccountId>:{arn_path}]",
        "What is built is named in requests, which come after the deployment; stage, type and actions are exact. Only "
        "ids of event trackers tell no stage: the service invents them (docs/decisions/0032-stages-do-not-meet.md)",
    ),
    *(
        Acknowledged(_FUNCTION, _IN_BUCKET.format(folder), f"Names below {folder}/ come with requests and uploads")
        for folder in ("requests", "uploads", "staging", "rejected", "runs")
    ),
    *(
        Acknowledged(
            path,
            "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>"
            ":execution:{app}-{machine}:*]",
            "Executions are named when they start; the machine is exact",
        )
        for path in (_FUNCTION, _MACHINE)
    ),
)


def acknowledge(
    app: App, app_name: str, name_patterns: Sequence[str], acknowledged: Iterable[Acknowledged] = ACKNOWLEDGED
) -> None:
    """Tell cdk-nag about every finding that has a reason."""
    entries = tuple(acknowledged)
    for construct in app.node.find_all():
        path = construct.node.path.removeprefix(f"{app_name}-")
        rules = [
            Acknowledgment(id=finding, reason=entry.reason)
            for entry in entries
            if fnmatchcase(path, entry.path)
            for finding in entry.findings(app_name, name_patterns)
        ]
        if rules:
            Validations.of(construct).acknowledge(*rules)
