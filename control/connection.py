"""Find a stage of the app and connect to it: on AWS, or on the local cloud at an endpoint."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import boto3

from control.runs.execution_reader import RUNNING, ExecutionReader
from lambdas.gateways.cloud_watch import CloudWatchCounts
from lambdas.gateways.dynamodb import DynamoTable
from lambdas.gateways.event_schedules import SCHEDULABLE_MACHINES, StageSchedules
from lambdas.gateways.s3 import S3Objects
from lambdas.personalize.account_context import AccountContext
from lambdas.personalize.gateway import PersonalizeGateway
from lambdas.personalize.group_arn import group_arn_of
from lambdas.personalize.stage_names import ANY_NAMES, StageNames
from lambdas.previews.group_data import GroupData, group_data
from lambdas.previews.unwritten_releases import UnwrittenReleases
from lambdas.uploads.lease import Leases
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.records.import_history import ImportHistory

_ANY_DAYS: Final = 1  # how long new rows are kept; none are written here


class NotDeployedError(LookupError):
    """The stage has no stacks in this account and region, or they lack an output."""


@dataclass(frozen=True)
class Connection:
    """Clients for one account and region, and the names of what a stage has deployed there.

    `endpoint` is the local cloud's address, or None for AWS; `app` begins the names of the stage's stacks.
    """

    app: str
    region: str | None = None
    profile: str | None = None
    endpoint: str | None = None

    def now(self) -> datetime:
        """Return the cloud's time, as its answers say: a laptop's clock may be wrong, and a local cloud's runs fast."""
        answer = self.client("sts").get_caller_identity()["ResponseMetadata"]
        return parsedate_to_datetime(answer["HTTPHeaders"]["date"])

    @functools.cached_property
    def personalize(self) -> PersonalizeGateway:
        """The gateway to Amazon Personalize."""
        client, caller = self.client("personalize"), self.client("sts").get_caller_identity()
        partition = str(caller["Arn"]).split(":")[1]
        prefix = f"arn:{partition}:personalize:{client.meta.region_name}:{caller['Account']}"
        return PersonalizeGateway(client, prefix, self.names)

    @property
    def names(self) -> StageNames:
        """What the stage may call things; as they stand, where none is deployed."""
        deployed = self._outputs.get("PersonalizeNames")
        return StageNames.read(deployed) if deployed else ANY_NAMES

    @property
    def is_deployed(self) -> bool:
        """Whether there is such a stage."""
        return bool(self._outputs)

    @property
    def account(self) -> AccountContext:
        """Where everything that is planned will be. Raises NotDeployedError."""
        role_arn, key_arn = self._output("PersonalizeRoleArn"), self._outputs.get("KmsKeyArn")
        return AccountContext(self.personalize.arn_prefix, self.objects.bucket, role_arn, key_arn, self.names)

    @functools.cached_property
    def objects(self) -> S3Objects:
        """The gateway to the stage's bucket. Raises NotDeployedError."""
        return S3Objects(self.client("s3"), self._output("Bucket"))

    @functools.cached_property
    def counts(self) -> CloudWatchCounts:
        """What counts in CloudWatch."""
        return CloudWatchCounts(self.client("cloudwatch"))

    @functools.cached_property
    def schedules(self) -> StageSchedules:
        """The stage's schedules. Raises NotDeployedError."""
        arns = {name: self.machine_arn(name) for name in SCHEDULABLE_MACHINES}
        group, role, dead_letters = (self._output(f"Schedules{key}") for key in ("Group", "RoleArn", "DeadLettersArn"))
        return StageSchedules(self.client("scheduler"), group, role, dead_letters, arns)

    def client(self, service: str) -> Any:
        """Return a client of boto3 for any service."""
        session = boto3.Session(profile_name=self.profile, region_name=self.region)
        return session.client(service, endpoint_url=self.endpoint)  # type: ignore[call-overload]  # any service

    @functools.cached_property
    def executions(self) -> ExecutionReader:
        """What reads executions of the stage's state machines."""
        return ExecutionReader(self.client("stepfunctions"), self.app)

    def machine_arn(self, name: str) -> str:
        """Return the ARN of a state machine by its name in this project. Raises NotDeployedError."""
        return self._output(f"StateMachine{name.title().replace('_', '')}")

    def start(self, machine: str, execution_input: Mapping[str, Any]) -> str:
        """Start an execution and return its ARN."""
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=self.machine_arn(machine), input=json.dumps(execution_input)
        )
        return str(started["executionArn"])

    @functools.cached_property
    def ledger(self) -> Ledger:
        """The ledger of uploads. Raises NotDeployedError."""
        return Ledger(self.table, _ANY_DAYS)

    @functools.cached_property
    def leases(self) -> Leases:
        """Who is at work for what."""
        return Leases(self.table, lambda arn: self.executions.read(arn).status == RUNNING)

    def group_arn(self, group: str) -> str:
        """Return the ARN of the dataset group that requests call so."""
        return group_arn_of(self.personalize, group)

    def data(self, group: str, datasets: list[str]) -> GroupData:
        """Return what the ledger knows of a group's datasets."""
        return group_data(self.ledger, ImportHistory(self.table, _ANY_DAYS), group, datasets)

    def unwritten_releases(self, group: str) -> UnwrittenReleases:
        """Return a group's releases, for a plan."""
        return UnwrittenReleases(self.table, group)

    @functools.cached_property
    def table(self) -> DynamoTable:
        """The ledger's table. Raises NotDeployedError."""
        return DynamoTable(self.client("dynamodb"), self._output("TableLedger"))

    @functools.cached_property
    def _outputs(self) -> dict[str, str]:
        pages = self.client("cloudformation").get_paginator("describe_stacks").paginate()
        stacks = [stack for page in pages for stack in page["Stacks"] if stack["StackName"].startswith(f"{self.app}-")]
        return {one["OutputKey"]: one["OutputValue"] for stack in stacks for one in stack.get("Outputs", ())}

    def _output(self, key: str) -> str:
        if key not in self._outputs:
            raise NotDeployedError(f"no stack {self.app}-… has the output {key}: deploy the stage, or name it by --app")
        return self._outputs[key]
