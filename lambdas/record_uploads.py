"""Write down what was uploaded, and see to it that somebody imports it: the consumer of the queue of S3's events."""

import os
import sys
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from lambdas.gateways.dynamodb import DynamoTable
from lambdas.gateways.step_functions import Executions
from lambdas.uploads.import_starter import Waker
from lambdas.uploads.lease import Leases
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.recorder import Machines, Recorder

logger, tracer, metrics = Logger(), Tracer(), Metrics()
table = DynamoTable(boto3.client("dynamodb"), os.environ["LEDGER_TABLE_NAME"])
executions = Executions(boto3.client("stepfunctions"))
recorder = Recorder(
    Ledger(table, int(os.environ["LEDGER_DAYS"])),
    executions,
    os.environ["BUCKET_NAME"],
    Machines(os.environ["PIPELINE_ARN"], os.environ["RUN_BATCH_INFERENCE_ARN"]),
)
waker = Waker(Leases(table, executions.is_running), executions, os.environ["IMPORT_UPLOADS_ARN"])
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> PartialItemFailureResponse:
    """Return the messages that should be delivered again; the others are in the ledger and will be looked after."""
    messages = event["Records"]
    with processor(messages, handler=_record):
        outcomes = processor.process()
        waiting = defaultdict(list)
        for (status, lane, _), message in zip(outcomes, messages, strict=True):
            if status == "success" and lane:
                waiting[lane].append(message)
        for lane, recorded in waiting.items():
            _announce(lane, recorded)
    metrics.add_metric("UploadsRecorded", MetricUnit.Count, len(processor.success_messages))
    return processor.response()


def _record(record: SQSRecord) -> str | None:  # the processor passes its argument by this name
    try:
        return recorder.record(record.json_body)
    except Exception:
        logger.exception("not recorded; the message comes again", extra={"message_id": record.message_id})
        raise


def _announce(lane: str, recorded: list[Mapping[str, Any]]) -> None:
    """Wake the dataset once for all its messages; if nobody can be woken, all of them must come again."""
    try:
        waker.announce(lane)
    except Exception:
        logger.exception("nobody was woken", extra={"lane": lane})
        for message in recorded:
            processor.failure_handler(SQSRecord(dict(message)), sys.exc_info())
