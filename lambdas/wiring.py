"""Wire the handlers: make gateways, ledger and leases from the environment, and decorate a handler with what all need.

No other module reads the environment or makes a client. What is made is made once, when handlers are imported.
"""

import functools
import os
from collections.abc import Callable
from typing import Any, Final

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from lambdas.costs.idle_review import IdleReview
from lambdas.gateways.cloud_watch import CloudWatchCounts
from lambdas.gateways.concurrency import AT_ONCE
from lambdas.gateways.dynamodb import DynamoTable
from lambdas.gateways.event_bus import EventBus
from lambdas.gateways.event_schedules import SCHEDULABLE_MACHINES, StageSchedules
from lambdas.gateways.notice_topic import NoticeTopic
from lambdas.gateways.parameter_store import ParameterStore
from lambdas.gateways.s3 import S3Objects
from lambdas.gateways.step_functions import StepFunctions
from lambdas.gateways.transient import naming_transient_errors
from lambdas.gateways.versioned_objects import VersionedObjects
from lambdas.notices.notice_log import NoticeLog
from lambdas.personalize.account_context import AccountContext
from lambdas.personalize.gateway import PersonalizeGateway
from lambdas.personalize.resources import OWNER_KEY
from lambdas.personalize.stage_names import StageNames
from lambdas.previews.unwritten_releases import UnwrittenReleases
from lambdas.releases.releases import Releases
from lambdas.uploads.claims import Claims
from lambdas.uploads.import_starter import ImportStarter
from lambdas.uploads.lease import Leases
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.recorder import Machines, Recorder
from lambdas.uploads.records.import_history import ImportHistory
from lambdas.uploads.retraining import Retraining
from lambdas.uploads.sweep import Cursors, Sweeper

Handler = Callable[[dict[str, Any], LambdaContext], Any]

_RESERVE_MILLISECONDS: Final = 60_000

logger, metrics, _tracer = Logger(), Metrics(), Tracer()


def wired(handle: Handler) -> Any:
    """Return the handler with structured logs, a trace, its metrics flushed, and transient errors named for `Retry`."""

    @logger.inject_lambda_context
    @_tracer.capture_lambda_handler(capture_response=False)
    @metrics.log_metrics
    @functools.wraps(handle)
    def handler(event: dict[str, Any], context: LambdaContext) -> Any:
        with naming_transient_errors():
            return handle(event, context)

    return handler


def count(metric: str, number: float = 1) -> None:
    """Add to a metric of this invocation."""
    metrics.add_metric(metric, MetricUnit.Count, number)


def out_of_time(context: LambdaContext) -> Callable[[], bool]:
    """Return what says whether an invocation should come to its end, and write down how far it came."""
    return lambda: context.get_remaining_time_in_millis() < _RESERVE_MILLISECONDS


@functools.cache
def personalize() -> PersonalizeGateway:
    """Return the gateway to Amazon Personalize."""
    return PersonalizeGateway(_client("personalize"), os.environ["PERSONALIZE_ARN_PREFIX"], stage_names())


@functools.cache
def objects() -> S3Objects:
    """Return the gateway to the bucket."""
    return S3Objects(_client("s3"), os.environ["BUCKET_NAME"])


@functools.cache
def versioned_objects() -> VersionedObjects:
    """Return the gateway to all versions of the bucket's objects."""
    return VersionedObjects(_client("s3"), os.environ["BUCKET_NAME"])


def owner_tag() -> dict[str, str]:
    """Return the tag that everything has that the stage makes, where the service takes any."""
    return {"tagKey": OWNER_KEY, "tagValue": os.environ["OWNER"]}


@functools.cache
def event_bus() -> EventBus:
    """Return the stage's bus."""
    return EventBus(_client("events"), os.environ["EVENT_BUS_NAME"])


@functools.cache
def notice_topic() -> NoticeTopic:
    """Return the stage's topic of notices."""
    return NoticeTopic(_client("sns"), os.environ["NOTICES_TOPIC_ARN"])


@functools.cache
def notice_log() -> NoticeLog:
    """Return what remembers the notices that were sent."""
    return NoticeLog(table())


def stage() -> str:
    """Return the application's name and stage, `<name>-<stage>`, as names in the account begin."""
    return os.environ["OWNER"]


@functools.cache
def parameters() -> ParameterStore:
    """Return the gateway to parameters."""
    return ParameterStore(_client("ssm"))


@functools.cache
def counts() -> CloudWatchCounts:
    """Return what counts in CloudWatch."""
    return CloudWatchCounts(_client("cloudwatch"))


@functools.cache
def executions() -> StepFunctions:
    """Return the gateway to Step Functions."""
    return StepFunctions(_client("stepfunctions"))


@functools.cache
def schedules() -> StageSchedules:
    """Return the stage's schedules."""
    return StageSchedules(
        _client("scheduler"),
        os.environ["SCHEDULE_GROUP"],
        os.environ["SCHEDULER_ROLE_ARN"],
        os.environ["DEAD_LETTERS_ARN"],
        {machine: os.environ[f"{machine.upper()}_ARN"] for machine in SCHEDULABLE_MACHINES},
    )


@functools.cache
def leases() -> Leases:
    """Return the leases; who never asks whether a holder is alive makes no client of Step Functions."""
    return Leases(table(), lambda execution_arn: executions().is_running(execution_arn))


@functools.cache
def ledger() -> Ledger:
    """Return the ledger of uploads."""
    return Ledger(table(), int(os.environ["LEDGER_DAYS"]))


@functools.cache
def import_history() -> ImportHistory:
    """Return what remembers the imports of dataset groups."""
    return ImportHistory(table(), int(os.environ["LEDGER_DAYS"]))


@functools.cache
def releases() -> Callable[[str], Releases]:
    """Return what gives the releases of a dataset group."""
    return functools.partial(Releases, table())


@functools.cache
def unwritten_releases() -> Callable[[str], UnwrittenReleases]:
    """Return what gives the releases of a dataset group for a plan."""
    return functools.partial(UnwrittenReleases, table())


@functools.cache
def claims() -> Claims:
    """Return what decides the next step of an import."""
    return Claims(ledger(), leases())


@functools.cache
def import_starter() -> ImportStarter:
    """Return what starts `import_uploads`."""
    return ImportStarter(leases(), executions(), os.environ["IMPORT_UPLOADS_ARN"])


@functools.cache
def sweeper() -> Sweeper:
    """Return what looks for what events and executions have dropped."""
    return Sweeper(ledger(), leases(), objects(), recorder(), import_starter(), Cursors(table()))


@functools.cache
def retraining() -> Retraining:
    """Return what decides about trainings and starts `pipeline` for them."""
    return Retraining(import_history(), leases(), objects(), personalize(), executions(), pipeline_arn())


@functools.cache
def recorder() -> Recorder:
    """Return what writes down objects, and starts the machines that requests and batch inputs call for."""
    machines = Machines(pipeline_arn(), os.environ["RUN_BATCH_INFERENCE_ARN"], os.environ["FORGET_USERS_ARN"])
    return Recorder(ledger(), leases(), executions(), objects(), machines)


@functools.cache
def idle_review() -> IdleReview:
    """Return what finds campaigns and recommenders that serve nobody."""
    return IdleReview(counts(), table(), executions(), os.environ["ENSURE_RESOURCE_ARN"])


def account_context() -> AccountContext:
    """Return where everything that is planned will be."""
    return AccountContext(
        personalize().arn_prefix, objects().bucket, data_role_arn(), os.environ["KMS_KEY_ARN"] or None, stage_names()
    )


def stage_names() -> StageNames:
    """Return what the stage may call things in Amazon Personalize."""
    return StageNames.read(os.environ["PERSONALIZE_NAMES"])


def data_role_arn() -> str:
    """Return the ARN of the role that Amazon Personalize assumes."""
    return os.environ["PERSONALIZE_ROLE_ARN"]


def tags_imported() -> bool:
    """Say whether imported uploads are tagged for the bucket's lifecycle."""
    return os.environ["TAG_IMPORTED"] == "yes"


def redacts_cells() -> bool:
    """Say whether reports, reasons and logs keep what stands in users' files to themselves."""
    return os.environ["REDACT_CELLS"] == "yes"


def pipeline_arn() -> str:
    """Return the ARN of the machine `pipeline`."""
    return os.environ["PIPELINE_ARN"]


@functools.cache
def table() -> DynamoTable:
    """Return the ledger's table."""
    return DynamoTable(_client("dynamodb"), os.environ["LEDGER_TABLE_NAME"])


@functools.cache
def _client(service: str) -> Any:
    # As many connections as `each` has threads.
    return boto3.client(service, config=Config(max_pool_connections=AT_ONCE))  # type: ignore[call-overload]
