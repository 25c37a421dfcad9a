"""Write down what was uploaded, and see to it that somebody imports it: the consumer of the queue of S3's events."""

import sys
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from lambdas import wiring

recorder, starter = wiring.recorder(), wiring.import_starter()
processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> PartialItemFailureResponse:
    """Return the messages that should be delivered again; the others are in the ledger and will be looked after."""
    messages = event["Records"]
    with processor(messages, handler=_record):
        outcomes = processor.process()
        waiting = defaultdict(list)
        for (status, dataset_key, _), message in zip(outcomes, messages, strict=True):
            if status == "success" and dataset_key:
                waiting[dataset_key].append(message)
        for dataset_key, recorded in waiting.items():
            _announce(dataset_key, recorded)
    wiring.count("UploadsRecorded", len(processor.success_messages))
    return processor.response()


def _record(record: SQSRecord) -> str | None:  # the processor passes its argument by this name
    try:
        return recorder.record(record.json_body)
    except Exception:
        wiring.logger.exception("not recorded; the message comes again", extra={"message_id": record.message_id})
        raise


def _announce(dataset_key: str, recorded: list[Mapping[str, Any]]) -> None:
    """Announce the dataset's files once for all its messages; if no import starts, all of them must come again."""
    try:
        starter.announce(dataset_key)
    except Exception:  # noqa: BLE001 - logged, and every message of the dataset comes again
        wiring.logger.exception("no import was started", extra={"dataset_key": dataset_key})
        for message in recorded:
            processor.failure_handler(SQSRecord(dict(message)), sys.exc_info())
