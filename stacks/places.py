"""Where the places and variables of the grants table are in one deployment: ARNs for policies, values for handlers.

ARNs of machines are made from their names, not taken from the machines, so that two of them may start each other.
"""

from typing import Final

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam

from config.settings import Settings
from stacks.data import OPEN_INDEX, DataStack
from stacks.permissions import Permission, Place, Variable

_FOLDERS: Final = {
    Place.REQUESTS: "requests/*",
    Place.UPLOADS: "uploads/*",
    Place.STAGING: "staging/*",
    Place.REJECTED: "rejected/*",
}
MACHINES: Final = {
    Place.IMPORT_UPLOADS: "import_uploads",
    Place.PIPELINE: "pipeline",
    Place.RUN_BATCH_INFERENCE: "run_batch_inference",
}
_RUNS: Final = {
    Place.IMPORT_UPLOADS_RUNS: "import_uploads",
    Place.PIPELINE_RUNS: "pipeline",
    Place.RUN_BATCH_INFERENCE_RUNS: "run_batch_inference",
}


class Places:
    """What the words of the grants table mean in one stage."""

    def __init__(self, stack: Stack, settings: Settings, data: DataStack) -> None:
        """Remember where the data is and how things are named."""
        self._stack = stack
        self._settings = settings
        self._data = data
        self._arn_prefix = f"arn:{Aws.PARTITION}:personalize:{Aws.REGION}:{Aws.ACCOUNT_ID}"

    def machine(self, name: str) -> str:
        """Return the ARN of a state machine."""
        return machine_arn(self._stack, self._settings, name)

    def runs(self, name: str) -> str:
        """Return the pattern of the ARNs of a machine's executions."""
        return _states_arn(self._stack, "execution", f"{self._settings.named(name)}:*")

    def statement(self, permission: Permission) -> iam.PolicyStatement:
        """Return `permission` as IAM wants it."""
        return iam.PolicyStatement(
            actions=list(permission.actions),
            resources=self._arns(permission.place),
            conditions=dict(permission.condition) if permission.condition else None,
        )

    def value(self, variable: Variable) -> str:
        """Return what a handler finds in `variable`."""
        return {
            Variable.PERSONALIZE_ARN_PREFIX: self._arn_prefix,
            Variable.PERSONALIZE_ROLE_ARN: self._data.data_role.role_arn,
            Variable.BUCKET_NAME: self._data.bucket.bucket_name,
            Variable.LEDGER_TABLE_NAME: self._data.ledger.table_name,
            Variable.LEDGER_DAYS: str(self._settings.ledger_days),
            Variable.IMPORT_UPLOADS_ARN: self.machine("import_uploads"),
            Variable.PIPELINE_ARN: self.machine("pipeline"),
            Variable.RUN_BATCH_INFERENCE_ARN: self.machine("run_batch_inference"),
        }[variable]

    def _arns(self, place: Place) -> list[str]:
        if place in _FOLDERS:
            return [self._data.bucket.arn_for_objects(_FOLDERS[place])]
        if place in MACHINES:
            return [self.machine(MACHINES[place])]
        if place in _RUNS:
            return [self.runs(_RUNS[place])]
        return {
            Place.NO_RESOURCE: ["*"],
            Place.PERSONALIZE: [f"{self._arn_prefix}:*"],
            Place.DATA_ROLE: [self._data.data_role.role_arn],
            Place.BUCKET: [self._data.bucket.bucket_arn],
            Place.LEDGER: [self._data.ledger.table_arn, f"{self._data.ledger.table_arn}/index/{OPEN_INDEX}"],
        }[place]


def machine_arn(stack: Stack, settings: Settings, name: str) -> str:
    """Return the ARN of a state machine, made from its name."""
    return _states_arn(stack, "stateMachine", settings.named(name))


def _states_arn(stack: Stack, resource: str, name: str) -> str:
    return stack.format_arn(
        service="states", resource=resource, resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
