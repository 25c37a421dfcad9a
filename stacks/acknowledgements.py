"""List the findings of cdk-nag that we have looked at and left as they are, each with the reason.

A test fails when a reason no longer matches a finding; the synthesis fails on a finding without a reason.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from aws_cdk import Acknowledgment, App, Validations

import statemachines
from config.settings import Settings
from lambdas.bucket_layout import DATASETS
from lambdas.personalize.resources import RESOURCES
from stacks.access.people import uploader_groups
from stacks.access.personalize_actions import arn_paths
from stacks.grants import STARTABLE
from stacks.handlers import handlers


@dataclass(frozen=True)
class Acknowledged:
    """A finding on the constructs whose path matches and on all below them, and why it stays.

    Policies of a role are acknowledged at the role: what outgrows one policy the CDK puts into others, at the very end.
    """

    path: str  # without the name of application and stage; * matches anything
    finding: str  # with {words} that `_words` has; it stands for one finding per value of each
    reason: str

    def findings(self, settings: Settings) -> Iterator[str]:
        """Yield the findings as cdk-nag spells them for a stage."""
        words = {word: values for word, values in _words(settings).items() if f"{{{word}}}" in self.finding}
        for values in itertools.product(*words.values()):
            yield self.finding.format(**dict(zip(words, values, strict=True)))


def _words(settings: Settings) -> dict[str, Sequence[str]]:
    """Return what is named differently from stage to stage, or stands for many."""
    app = f"{settings.name}-{settings.stage}"
    bucket, own_bucket = f"{app}-data:ExportsOutputFnGetAttDataBucketE3889A50Arn98F8399F", "<DataBucketE3889A50.Arn>"
    if settings.bucket_name:
        bucket = own_bucket = f"arn:<AWS::Partition>:s3:::{settings.bucket_name}"
    machines = sorted({*statemachines.names(), *(machine.name for machine in STARTABLE)})
    return {
        "app": [app],
        "bucket": [bucket],  # as other stacks write it
        "own_bucket": [own_bucket],
        "handler": [name.replace("_", "-") for name in handlers()],
        "machine": [name.replace("_", "-") for name in machines],
        "arn_path": arn_paths(tuple(RESOURCES), settings.personalize_names.patterns),
        "dataset": DATASETS,
        "group": uploader_groups(settings),
    }


_FUNCTION: Final = "workflow/*Role"
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
        "IAM knows no resource for X-Ray, lists of Personalize and Scheduler, CloudWatch's metrics, network interfaces",
    ),
    Acknowledged(_MACHINE, "AwsSolutions-IAM5[Resource::*]", "IAM knows no resource for X-Ray nor for log delivery"),
    Acknowledged(
        _FUNCTION,
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:personalize:<AWS::Region>:<AWS::AccountId>:{arn_path}]",
        "What is built is named in requests, which come after the deployment; stage, type and actions are exact. Only "
        "ids of event trackers tell no stage: the service invents them (docs/decisions/0032-stages-do-not-meet.md)",
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
    Acknowledged(
        "workflow/PublishChangeRole/*",
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter/personalize/{app}/*]",
        "Parameters are named after what requests ask for; the stage is exact",
    ),
    *(
        Acknowledged(_FUNCTION, _IN_BUCKET.format(folder), f"Names below {folder}/ come with requests and uploads")
        for folder in ("requests", "uploads", "staging", "results", "rejected", "runs")
    ),
    *(
        Acknowledged(f"workflow/{policy}Policy/Resource", _IN_BUCKET.format(folder), reason)
        for policy, folder, reason in (
            ("Uploader", "uploads/{group}/{dataset}", "Uploaders name their files, and groups come later"),
            ("Uploader", "rejected/{group}", "Reports are named after the file that was rejected"),
            ("Spender", "requests", "Requests are named after their dataset groups"),
            ("Spender", "uploads/*/batch", "Batch inputs are named by whoever asks for them"),
            ("Spender", "rejected", "Reports are named after the file that was rejected"),
            ("Spender", "results", "Amazon Personalize names what it writes"),
        )
    ),
    *(
        Acknowledged(
            path,
            "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>"
            ":execution:{app}-{machine}:*]",
            "Executions are named when they start; the machine is exact",
        )
        for path in (_FUNCTION, _MACHINE, "workflow/SpenderPolicy/Resource")
    ),
)


def acknowledge(app: App, settings: Settings, acknowledged: Iterable[Acknowledged] = ACKNOWLEDGED) -> None:
    """Tell cdk-nag about every finding that has a reason."""
    findings = [(entry, list(entry.findings(settings))) for entry in acknowledged]
    for construct in app.node.find_all():
        path = construct.node.path.removeprefix(f"{settings.name}-{settings.stage}-")
        rules = [
            Acknowledgment(id=finding, reason=entry.reason)
            for entry, spelt in findings
            if fnmatchcase(path, entry.path)
            for finding in spelt
        ]
        if rules:
            Validations.of(construct).acknowledge(*rules)
