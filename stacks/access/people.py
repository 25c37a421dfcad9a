"""Write the policies of those who use a stage: whoever uploads, and whoever may spend.

They are managed policies, made with the stage and attached to nobody: who is whom is the account's own business, and a
managed policy can be attached to a user, a role or a permission set. Neither reaches Amazon Personalize: people
act through the bucket and the machines, which check first.
"""

from collections.abc import Iterable
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from config.settings import Settings
from lambdas.bucket_layout import DATASETS, REJECTED, REQUESTS, RESULTS, UPLOADS
from stacks.data import DataStack
from stacks.outputs import publish
from stacks.references import References

# What trains, deploys and asks for batches; orders such as "approve" are given to `update_campaign`. Who may make or
# remove any resource by hand, or everything, is no matter of spending.
SPENDING: Final = (
    "import_data",
    "import_uploads",
    "pipeline",
    "run_batch_inference",
    "train_solution",
    "update_campaign",
)


def write_policies(stack: Stack, settings: Settings, data: DataStack, references: References) -> None:
    """Make the policies of a stage, and tell their ARNs."""
    for name, about, statements in (
        ("Uploader", "May upload files to datasets, and read why one was rejected", _uploader(settings, data)),
        (
            "Spender",
            "May write requests, upload batch inputs, start machines and read results",
            _spender(data, references),
        ),
    ):
        policy_name = settings.named(name.lower())
        policy = iam.ManagedPolicy(
            stack, f"{name}Policy", managed_policy_name=policy_name, description=about, statements=statements
        )
        publish(stack, f"Policy{name}", policy.managed_policy_arn, about)


def _uploader(settings: Settings, data: DataStack) -> list[iam.PolicyStatement]:
    groups = uploader_groups(settings)
    put = ("s3:AbortMultipartUpload", "s3:PutObject")
    allowed = [
        _objects(data, put, (f"{UPLOADS}{group}/{dataset}/*" for group in groups for dataset in DATASETS)),
        _objects(data, ("s3:GetObject",), (f"{REJECTED}{group}/*" for group in groups)),
    ]
    if "*" not in groups:
        return allowed
    # A * stands for slashes too, so that of groups lets batch inputs in; they start jobs, which cost.
    return [*allowed, _objects(data, put, [f"{UPLOADS}*/batch/*"], iam.Effect.DENY)]


def uploader_groups(settings: Settings) -> tuple[str, ...]:
    """Return the dataset groups that uploaders may fill, as they stand in patterns of keys."""
    return settings.uploader_groups or ("*",)


def _spender(data: DataStack, references: References) -> list[iam.PolicyStatement]:
    machines, runs = map(references.machine, SPENDING), map(references.executions, SPENDING)
    starting = ["states:DescribeStateMachine", "states:ListExecutions", "states:StartExecution"]
    watching = ["states:DescribeExecution", "states:GetExecutionHistory", "states:StopExecution"]
    return [
        _objects(data, ("s3:GetObject", "s3:PutObject"), [f"{REQUESTS}*", f"{UPLOADS}*/batch/*"]),
        _objects(data, ("s3:GetObject",), [f"{REJECTED}*", f"{RESULTS}*"]),
        iam.PolicyStatement(actions=starting, resources=list(machines)),
        iam.PolicyStatement(actions=watching, resources=list(runs)),
    ]


def _objects(
    data: DataStack, actions: Iterable[str], keys: Iterable[str], effect: iam.Effect = iam.Effect.ALLOW
) -> iam.PolicyStatement:
    resources = [data.bucket.arn_for_objects(key) for key in keys]
    return iam.PolicyStatement(actions=list(actions), resources=resources, effect=effect)
