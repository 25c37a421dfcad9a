"""Queues: nothing lost, nothing twice, whoever uses them at the same time."""

import json
import threading
import time
from typing import Any

import pytest
from moto.sqs.models import Message, sqs_backends

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.sqs.queues import LocalQueue
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud


@pytest.fixture
def sqs(aws: Cloud) -> Any:
    return aws.client("sqs")


def make(sqs: Any, name: str, **attributes: str) -> str:
    return str(sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])


def receive(sqs: Any, url: str, **settings: Any) -> list[dict[str, Any]]:
    return list(sqs.receive_message(QueueUrl=url, **settings).get("Messages", []))


def test_a_message_comes_back_unless_it_is_deleted(sqs: Any) -> None:
    url = make(sqs, "returning", VisibilityTimeout="600")
    sqs.send_message(QueueUrl=url, MessageBody="once")
    (first,) = receive(sqs, url)
    assert receive(sqs, url) == []
    CLOCK.wait(700)
    (second,) = receive(sqs, url, AttributeNames=["ApproximateReceiveCount"])
    assert (second["MessageId"], second["Attributes"]["ApproximateReceiveCount"]) == (first["MessageId"], "2")
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])  # an old handle still deletes it
    CLOCK.wait(700)
    assert receive(sqs, url) == []


def test_plain_moto_keeps_a_message_hidden_in_real_time(sqs: Any) -> None:
    url = make(sqs, "slow", VisibilityTimeout="600")
    with moto_as_shipped("sqs.models.unix_time_millis"):
        sqs.send_message(QueueUrl=url, MessageBody="once")
        assert len(receive(sqs, url)) == 1
        CLOCK.wait(700)
        assert receive(sqs, url) == []


def test_long_polling_waits_in_simulated_time(sqs: Any) -> None:
    url = make(sqs, "empty")
    began = time.monotonic()
    assert receive(sqs, url, WaitTimeSeconds=20) == []
    assert time.monotonic() - began < 5


def test_a_queue_is_as_old_as_the_clock_says(sqs: Any) -> None:
    CLOCK.wait(1800)
    made = float(
        sqs.get_queue_attributes(QueueUrl=make(sqs, "new"), AttributeNames=["All"])["Attributes"]["CreatedTimestamp"]
    )
    with moto_as_shipped("sqs.models.unix_time"):
        url = make(sqs, "plain")
    plain = float(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["CreatedTimestamp"])
    assert made == pytest.approx(CLOCK.time(), abs=1200)
    assert plain == pytest.approx(time.time(), abs=20)


def test_worn_out_messages_go_to_the_dead_letter_queue(sqs: Any) -> None:
    dead = make(sqs, "dead")
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    url = make(sqs, "poisoned", RedrivePolicy=policy, VisibilityTimeout="0")
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    assert [len(receive(sqs, url)) for _ in range(3)] == [1, 1, 0]
    assert receive(sqs, dead)[0]["Body"] == "poison"


def test_a_delayed_message_appears_in_simulated_time(sqs: Any) -> None:
    url = make(sqs, "delayed")
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=900)
    assert receive(sqs, url) == []
    assert receive(sqs, url, WaitTimeSeconds=20) == []
    CLOCK.wait(900)
    assert len(receive(sqs, url)) == 1


def test_groups_of_a_fifo_queue_are_handed_out_one_at_a_time_and_in_order(sqs: Any) -> None:
    url = make(sqs, "ordered.fifo", FifoQueue="true", ContentBasedDeduplication="true", VisibilityTimeout="43200")
    for body in ("a1", "a2", "b1", "a1"):  # the last is a duplicate
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=body[0])
    first = receive(sqs, url)
    assert [message["Body"] for message in first] == ["a1"]
    assert [message["Body"] for message in receive(sqs, url, MaxNumberOfMessages=10)] == ["b1"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first[0]["ReceiptHandle"])
    assert [message["Body"] for message in receive(sqs, url)] == ["a2"]


def test_visibility_can_be_changed(sqs: Any) -> None:
    url = make(sqs, "changed", VisibilityTimeout="43200")
    sqs.send_message(QueueUrl=url, MessageBody="once")
    (message,) = receive(sqs, url)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    assert len(receive(sqs, url)) == 1


def test_a_handle_of_no_message_is_refused(sqs: Any) -> None:
    url = make(sqs, "strict")
    with pytest.raises(sqs.exceptions.ReceiptHandleIsInvalid):
        sqs.delete_message(QueueUrl=url, ReceiptHandle="made up")


def send_fifty(sqs: Any, url: str, sender: int) -> None:
    for number in range(50):
        sqs.send_message(QueueUrl=url, MessageBody=f"{sender}-{number}")


def take_all(sqs: Any, url: str, received: list[str], no_more: threading.Event) -> None:
    while (messages := receive(sqs, url, MaxNumberOfMessages=10)) or not no_more.is_set():
        for message in messages:
            received.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def test_many_senders_and_receivers_lose_and_double_nothing(sqs: Any) -> None:
    url = make(sqs, "busy", VisibilityTimeout="43200")
    received: list[str] = []
    no_more = threading.Event()
    senders = [threading.Thread(target=send_fifty, args=(sqs, url, number)) for number in range(4)]
    takers = [threading.Thread(target=take_all, args=(sqs, url, received, no_more)) for _ in range(4)]
    for thread in senders + takers:
        thread.start()
    for thread in senders:
        thread.join()
    no_more.set()
    for thread in takers:
        thread.join()
    assert sorted(received) == sorted(f"{sender}-{number}" for sender in range(4) for number in range(50))


def left_after_a_delete(queue_class: Any) -> list[str]:
    """Delete the only message just as another one arrives; return the ids of the messages that are left."""

    class Interrupted(queue_class):  # type: ignore[misc]
        def __setattr__(self, name: str, value: Any) -> None:
            if name == "_messages" and name in vars(self):
                vars(self)[name].append(Message("newcomer", "arrives just before the list is replaced"))
            super().__setattr__(name, value)

    queue = Interrupted("racing", "us-east-1", "123456789012")
    message = Message("first", "is deleted")
    message.mark_sent()
    queue.add_message(message)
    if isinstance(queue, LocalQueue):
        queue.take(1, 30)
        queue.delete_message(str(message.receipt_handle))
        queue.add_message(Message("newcomer", "arrives before or after, under the same lock"))
    else:
        message.mark_received(30)
        queue.delete_message(str(message.receipt_handle))
    return [message.id for message in queue._messages]


@pytest.mark.usefixtures("aws")
def test_plain_moto_loses_a_message_that_arrives_during_a_delete() -> None:
    assert left_after_a_delete(LocalQueue) == ["newcomer"]
    with moto_as_shipped("sqs.models.Queue") as correction:
        assert left_after_a_delete(correction.original) == []


@pytest.mark.usefixtures("aws")
def test_plain_moto_receives_without_a_lock() -> None:
    """What holds ours together is the queue's lock; moto's backend never takes it to receive."""
    held = sqs_backends["123456789012"]["us-east-1"]
    held.create_queue("locked")
    queue: LocalQueue = held.queues["locked"]  # type: ignore[assignment]
    message = Message("only", "once")
    message.mark_sent()
    queue.add_message(message)
    with moto_as_shipped("sqs_backends.backend") as correction:
        plain = correction.original("us-east-1", "123456789012")
    plain.queues = held.queues
    assert took_while_locked(queue, held) == 0
    queue.show_again(message, 0)
    assert took_while_locked(queue, plain) == 1


def took_while_locked(queue: LocalQueue, backend: Any) -> int:
    """Return how many messages a backend takes while somebody else holds the queue."""
    taken: list[Any] = []
    thread = threading.Thread(target=lambda: taken.extend(backend.receive_message(queue.name, 1, 0, 30)))
    with queue.changed:
        thread.start()
        thread.join(0.3)
        count = len(taken)
    thread.join()
    return count
