"""Find a stage of the app and connect to it: on AWS, or on the local cloud at an endpoint."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import boto3

from lambdas.bucket_layout import dataset_key_of
from lambdas.gateways.cloud_watch import CloudWatchCounts
from lambdas.gateways.dynamodb import DynamoTable
from lambdas.gateways.s3 import S3Objects
from lambdas.personalize.gateway import PersonalizeGateway
from lambdas.personalize.stage_names import ANY_NAMES, StageNames
from lambdas.requests.plan import AccountContext
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

    @functools.cached_property
    def personalize(self) -> PersonalizeGateway:
        """The gateway to Amazon Personalize."""
        sts, client = self._client("sts"), self._client("personalize")
        caller = sts.get_caller_identity()
        partition = str(caller["Arn"]).split(":")[1]
        prefix = f"arn:{partition}:personalize:{client.meta.region_name}:{caller['Account']}"
        return PersonalizeGateway(client, prefix, self.names)

    @property
    def names(self) -> StageNames:
        """What the stage may call things; as they stand, where none is deployed."""
        deployed = self._outputs.get("PersonalizeNames")
        return StageNames.read(deployed) if deployed else ANY_NAMES

    @property
    def account(self) -> AccountContext:
        """Where everything that is planned will be. Raises NotDeployedError."""
        role_arn = self._output("PersonalizeRoleArn")
        return AccountContext(self.personalize.arn_prefix, self.objects.bucket, role_arn, self.names)

    @functools.cached_property
    def objects(self) -> S3Objects:
        """The gateway to the stage's bucket. Raises NotDeployedError."""
        return S3Objects(self._client("s3"), self._output("Bucket"))

    @functools.cached_property
    def counts(self) -> CloudWatchCounts:
        """What counts in CloudWatch."""
        return CloudWatchCounts(self._client("cloudwatch"))

    def imported(self, group: str) -> Mapping[str, datetime]:
        """Return when each dataset of a group was last imported."""
        return ImportHistory(self._table, _ANY_DAYS).newest(group)

    def waiting(self, group: str, datasets: list[str]) -> dict[str, int]:
        """Return how many files of each dataset wait to be imported."""
        ledger = Ledger(self._table, _ANY_DAYS)
        counted = {name: len(ledger.unsettled(dataset_key_of(group, name))) for name in datasets}
        return {name: files for name, files in counted.items() if files}

    @functools.cached_property
    def _table(self) -> DynamoTable:
        return DynamoTable(self._client("dynamodb"), self._output("TableLedger"))

    @functools.cached_property
    def _outputs(self) -> dict[str, str]:
        pages = self._client("cloudformation").get_paginator("describe_stacks").paginate()
        stacks = [stack for page in pages for stack in page["Stacks"] if stack["StackName"].startswith(f"{self.app}-")]
        return {one["OutputKey"]: one["OutputValue"] for stack in stacks for one in stack.get("Outputs", ())}

    def _output(self, key: str) -> str:
        if key not in self._outputs:
            raise NotDeployedError(f"no stack {self.app}-… has the output {key}: deploy the stage, or name it by --app")
        return self._outputs[key]

    def _client(self, service: str) -> Any:
        session = boto3.Session(profile_name=self.profile, region_name=self.region)
        return session.client(service, endpoint_url=self.endpoint)  # type: ignore[call-overload]  # any service
