"""List the findings of cdk-nag that we have looked at and left as they are, each with the reason.

A test fails when a reason no longer matches a finding; the synthesis fails on a finding without a reason.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from aws_cdk import Acknowledgment, App, Validations

import statemachines
from stacks.grants import STARTABLE
from stacks.handlers import handlers


@dataclass(frozen=True)
class Acknowledged:
    """A finding on the constructs whose path matches, and why it stays."""

    path: str  # without the name of application and stage; * matches anything
    finding: str  # {app} stands for that name, {machine} and {handler} for those of every machine and function,
    # {bucket} for the bucket's ARN as other stacks write it, {own_bucket} as its own stack does
    reason: str

    def findings(self, app_name: str, adopted_bucket: str | None = None) -> Iterator[str]:
        """Return the finding as cdk-nag spells it for an application of that name."""
        bucket = f"{app_name}-data:ExportsOutputFnGetAttDataBucketE3889A50Arn98F8399F"
        own_bucket = "<DataBucketE3889A50.Arn>"
        if adopted_bucket:
            bucket = own_bucket = f"arn:<AWS::Partition>:s3:::{adopted_bucket}"
        machines = sorted({*statemachines.names(), *(machine.name for machine in STARTABLE)})
        names = {"{machine}": machines, "{handler}": handlers()}
        stems = next((stems for word, stems in names.items() if word in self.finding), ("",))
        for stem in stems:
            name = stem.replace("_", "-")
            yield self.finding.format(app=app_name, bucket=bucket, own_bucket=own_bucket, machine=name, handler=name)


_FUNCTION: Final = "workflow/*Role/DefaultPolicy/Resource"
_MACHINE: Final = "workflow/*/Role/DefaultPolicy/Resource"
_IN_BUCKET: Final = "AwsSolutions-IAM5[Resource::{{bucket}}/{}/*]"
_DATA_ROLE: Final = "data/DataRolePolicy/Resource"

ACKNOWLEDGED: Final = (
    Acknowledged(
        "data/DataBucket/Resource",
        "AwsSolutions-S1",
        "Who wants to know who touched what turns on CloudTrail's data events, as docs/security.md says: access logs "
        "would want a second bucket with a life of its own",
    ),
    Acknowledged(
        _DATA_ROLE,
        "AwsSolutions-IAM5[Resource::{own_bucket}/*]",
        "Personalize reads what was uploaded, staged or written by an earlier job; names are the uploader's choice",
    ),
    Acknowledged(
        _DATA_ROLE,
        "AwsSolutions-IAM5[Resource::{own_bucket}/results/*]",
        "Personalize names the files it writes; it may write nowhere else",
    ),
    Acknowledged(
        _DATA_ROLE,
        "AwsSolutions-IAM5[Resource::*]",
        "IAM knows no resource for CloudWatch's PutMetricData, which metric attributions need",
    ),
    Acknowledged(
        _FUNCTION,
        "AwsSolutions-IAM5[Resource::*]",
        "IAM knows no resource for X-Ray, for lists of Personalize and Scheduler, nor for reading CloudWatch's metrics",
    ),
    Acknowledged(_MACHINE, "AwsSolutions-IAM5[Resource::*]", "IAM knows no resource for X-Ray nor for log delivery"),
    Acknowledged(
        _FUNCTION,
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:personalize:<AWS::Region>:<AWS::AccountId>:*]",
        "What is built is named in requests, which come after the deployment; the actions are exact",
    ),
    Acknowledged(
        _MACHINE,
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function:{app}-{handler}:*]",
        "A run that began before a deployment goes on with the versions that it began with; the function is exact",
    ),
    Acknowledged(
        _FUNCTION,
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>"
        ":schedule/{app}-schedules/*]",
        "Schedules are named in requests; the group, the stage's own, is exact",
    ),
    *(
        Acknowledged(_FUNCTION, _IN_BUCKET.format(folder), f"Names below {folder}/ come with requests and uploads")
        for folder in ("requests", "uploads", "staging", "results", "rejected", "runs")
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
    app: App,
    app_name: str,
    acknowledged: Iterable[Acknowledged] = ACKNOWLEDGED,
    adopted_bucket: str | None = None,
) -> None:
    """Tell cdk-nag about every finding that has a reason."""
    entries = tuple(acknowledged)
    for construct in app.node.find_all():
        path = construct.node.path.removeprefix(f"{app_name}-")
        rules = [
            Acknowledgment(id=finding, reason=entry.reason)
            for entry in entries
            if fnmatchcase(path, entry.path)
            for finding in entry.findings(app_name, adopted_bucket)
        ]
        if rules:
            Validations.of(construct).acknowledge(*rules)
