"""Feed Lambda functions from SQS queues: a poller per mapping, in batches, with partial failures.

moto runs the function inside SendMessage, one message at a time, and neither retries nor reads what it returns.
"""

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from moto.awslambda.models import EventSourceMapping, LambdaBackend, lambda_backends
from moto.sqs.models import Message, sqs_backends

from personalize_local.aws import current_cloud
from personalize_local.aws.corrections import Correction
from personalize_local.aws.lambda_.functions import LocalFunction
from personalize_local.aws.lambda_.workers import MAX_WORKERS
from personalize_local.aws.sqs.queues import HELD, LocalQueue
from personalize_local.clock import CLOCK

_create_as_moto = LambdaBackend.create_event_source_mapping


class Poller:
    """Reads one queue for one function until the mapping, or the cloud, is gone.

    While a batch is being handled its messages are held: handlers run in real time, and a visibility timeout of 30
    simulated seconds may be over in 8 real milliseconds. A message that failed is shown again when its visibility
    timeout, counted from its receipt, has passed.
    """

    def __init__(self, mapping: EventSourceMapping, queue: LocalQueue) -> None:
        self._mapping = mapping
        self._queue = queue
        self._cloud = current_cloud.current()
        concurrency = min(MAX_WORKERS, (mapping.scaling_config or {}).get("MaximumConcurrency", MAX_WORKERS))
        self._room = threading.Semaphore(concurrency)
        self._handlers = ThreadPoolExecutor(concurrency, thread_name_prefix=f"poller-{queue.name}")
        self._thread = threading.Thread(target=self._poll, name=f"poller-{queue.name}", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for its threads, once the cloud is stopping."""
        self._thread.join(timeout=5)
        self._handlers.shutdown(wait=True)

    @property
    def unhandled(self) -> int:
        """Return how many messages the function has still to handle, or is handling."""
        return len(self._queue._messages) if self._mapping.enabled else 0  # noqa: SLF001 - moto counts the same way

    def _poll(self) -> None:
        backend = lambda_backends[self._mapping.account_id][self._mapping.region]
        while not self._cloud.stopping.is_set() and backend.get_event_source_mapping(self._mapping.uuid):
            if not self._mapping.enabled:
                self._cloud.stopping.wait(0.05)
            elif self._queue.wait_for_message() and self._wait_for_a_full_batch():
                self._take_a_batch()

    def _wait_for_a_full_batch(self) -> bool:
        window_seconds = self._mapping.max_batch_window or 0
        until = CLOCK.time() + window_seconds
        while window_seconds and CLOCK.time() < until and not self._cloud.stopping.is_set():
            if len(self._queue.messages) >= self._mapping.batch_size:
                break
            CLOCK.wait(min(1, until - CLOCK.time()), self._cloud.stopping)
        return not self._cloud.stopping.is_set()

    def _take_a_batch(self) -> None:
        self._room.acquire()
        received_at = CLOCK.time()
        if batch := self._queue.take(self._mapping.batch_size, HELD):
            self._handlers.submit(self._handle, batch, received_at)
        else:
            self._room.release()

    def _handle(self, batch: Sequence[Message], received_at: float) -> None:
        failed = {message.id for message in batch}
        try:
            failed = self._invoke(batch)
        finally:
            visible_at = received_at + self._queue.visibility_timeout  # type: ignore[attr-defined]
            for message in batch:
                if message.id in failed:
                    self._queue.show_again(message, max(visible_at, CLOCK.time()))
                else:
                    self._queue.delete_message(str(message.receipt_handle))
            self._room.release()

    def _invoke(self, batch: Sequence[Message]) -> set[str]:
        backend = lambda_backends[self._mapping.account_id][self._mapping.region]
        function: LocalFunction = backend.get_function(self._mapping.function_arn)  # type: ignore[assignment]
        records = [self._record(message) for message in batch]
        outcome = function.run(json.dumps({"Records": records}))
        everything = {message.id for message in batch}
        if outcome.is_error:
            return everything
        if "ReportBatchItemFailures" not in (self._mapping.function_response_types or ()):
            return set()
        return failed_items(outcome.payload, everything)

    def _record(self, message: Message) -> dict[str, Any]:
        attributes = {
            "ApproximateReceiveCount": str(message.approximate_receive_count),
            "SentTimestamp": str(message.sent_timestamp),
            "SenderId": message.sender_id,
            "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
        }
        if self._queue.fifo_queue:
            attributes |= {
                "MessageGroupId": str(message.group_id),
                "MessageDeduplicationId": str(message.deduplication_id),
                "SequenceNumber": str(message.sequence_number),
            }
        return {
            "messageId": message.id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "attributes": attributes,
            "messageAttributes": {name: _attribute(value) for name, value in message.message_attributes.items()},
            "md5OfBody": message.body_md5,
            "eventSource": "aws:sqs",
            "eventSourceARN": self._queue.queue_arn,
            "awsRegion": self._queue.region,
        }


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    renamed = {name[0].lower() + name[1:]: part for name, part in value.items()}
    return {"stringListValues": [], "binaryListValues": [], **renamed}


def failed_items(payload: str, everything: set[str]) -> set[str]:
    """Read a partial batch response; one that Lambda cannot make sense of fails the whole batch, as documented."""
    answer = json.loads(payload)
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else answer
    if not failures:
        return everything if failures not in ([], None, "") else set()
    try:
        named = {failure["itemIdentifier"] for failure in failures}
    except (KeyError, TypeError):
        return everything
    are_known = named <= everything
    return named if are_known else everything


_pollers: list[Poller] = []


def create_event_source_mapping(backend: LambdaBackend, spec: dict[str, Any]) -> EventSourceMapping:
    """Create the mapping and start reading its queue."""
    mapping = _create_as_moto(backend, spec)
    queue = sqs_backends[mapping.account_id][mapping.region].queues.get(mapping.event_source_arn.rsplit(":", 1)[-1])
    if isinstance(queue, LocalQueue):
        _pollers.append(Poller(mapping, queue))
    return mapping


def unhandled_messages() -> int:
    """Return how many messages in queues wait for a function, or are being handled."""
    return sum(poller.unhandled for poller in _pollers)


def end() -> None:
    """Wait for all pollers, once the cloud is stopping and its workers are gone."""
    for poller in _pollers:
        poller.join()
    _pollers.clear()


CORRECTIONS = (
    Correction(
        LambdaBackend, "create_event_source_mapping", create_event_source_mapping, "it runs functions in SendMessage"
    ),
)
