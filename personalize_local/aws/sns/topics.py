"""Publish to SNS topics: to queues and functions for real, and to a list that tests and people read.

moto keeps every message for ever with a signing key for each, posts to addresses on the internet, and gives functions
a made-up message. Mail, text messages and web hooks go nowhere here: they are kept, as each subscriber would get them.
Signatures are not real.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.sns.exceptions import SNSInvalidParameter
from moto.sns.models import SNSBackend, Subscription, Topic
from moto.sqs.models import sqs_backends

from personalize_local.aws import current_cloud
from personalize_local.aws.corrections import Correction
from personalize_local.aws.events.targets import Attempts, to_lambda
from personalize_local.aws.sns.notices import Message, Notice
from personalize_local.aws.stepfunctions.interpreter import iso_time
from personalize_local.clock import CLOCK

DELIVERED = ("lambda", "sqs")


@dataclass(kw_only=True)
class SubscriptionDelivery(Attempts):
    """One notice on its way to one queue or function."""

    message: Message
    notice: Notice
    subscription: Any
    fifo: Mapping[str, Any]

    def send(self) -> None:
        """Send the message, in the envelope of its protocol."""
        if self.message.protocol == "lambda":
            to_lambda(self.target, json.dumps({"Records": [self._record()]}))
            return
        region, account, name = self.message.endpoint.split(":")[3:6]
        is_raw = str(self.subscription.attributes.get("RawMessageDelivery")).lower() == "true"
        text = self.message.text if is_raw else json.dumps(self._envelope())
        attributes = _for_sqs(self.notice.attributes) if is_raw else None
        sqs_backends[account][region].send_message(name, text, message_attributes=attributes, **self.fifo)

    def give_up(self, error: Exception, exhausted: str) -> None:
        """Keep the message in the subscription's dead-letter queue."""
        self.to_dead_letters(json.dumps(self._envelope()), error, exhausted)

    def _envelope(self) -> dict[str, Any]:
        region = self.subscription.arn.split(":")[3]
        envelope = {
            "Type": "Notification",
            "MessageId": self.notice.message_id,
            "TopicArn": self.notice.topic_arn,
            "Subject": self.notice.subject,
            "Message": self.message.text,
            "Timestamp": self.notice.published,
            "SignatureVersion": "1",
            "Signature": "local",
            "SigningCertURL": f"https://sns.{region}.amazonaws.com/local.pem",
            "UnsubscribeURL": f"https://sns.{region}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={self.subscription.arn}",
            "MessageAttributes": dict(self.notice.attributes),
        }
        return {name: value for name, value in envelope.items() if value not in (None, {})}

    def _record(self) -> dict[str, Any]:
        sns = {"Subject": None, "MessageAttributes": {}, **self._envelope()}
        for ours, lambdas in {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}.items():
            sns[lambdas] = sns.pop(ours)
        source = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": self.subscription.arn}
        return {**source, "Sns": sns}


def _for_sqs(attributes: Mapping[str, Any]) -> dict[str, Any]:
    values = {"Binary": "BinaryValue"}
    return {
        name: {"DataType": given["Type"], values.get(given["Type"].split(".")[0], "StringValue"): str(given["Value"])}
        for name, given in attributes.items()
    }


_publish_to_topic_as_moto = Topic.publish


def publish(  # noqa: PLR0913, PLR0917 - moto's signature
    topic: Topic,
    message: str,
    subject: str | None = None,
    message_attributes: dict[str, Any] | None = None,
    group_id: str | None = None,
    deduplication_id: str | None = None,
    message_structure: str | None = None,
) -> str:
    """Publish to a topic: keep the notice, and deliver it to the queues and functions that want it.

    After the cloud, in a test with `mock_aws` in the same process, moto's own way is left.
    """
    cloud = current_cloud.running()
    if cloud is None:
        return str(
            _publish_to_topic_as_moto(
                topic, message, subject, message_attributes, group_id, deduplication_id, message_structure
            )
        )
    _check_structure(message, message_structure)
    subscriptions = list(_wanted(topic, message, message_attributes))
    messages = tuple(
        Message(one.protocol, one.endpoint, _text_for(one.protocol, message, message_structure))
        for one in subscriptions
    )
    published, message_id = iso_time(CLOCK.now()), str(uuid.uuid4())
    notice = Notice(topic.arn, message_id, subject, message, message_attributes or {}, published, messages)
    cloud.notices.add(notice)
    fifo = {"group_id": group_id, "deduplication_id": deduplication_id} if topic.fifo_topic else {}
    for subscription, part in zip(subscriptions, messages, strict=True):
        if part.protocol in DELIVERED:
            delivery = _delivery(subscription, part, notice, fifo)
            if fifo:
                delivery.attempt()  # at once: the order is kept
            else:
                cloud.task_scheduler.add(delivery.attempt)
    return message_id


def _delivery(subscription: Any, message: Message, notice: Notice, fifo: Mapping[str, Any]) -> SubscriptionDelivery:
    redrive = json.loads(subscription.attributes.get("RedrivePolicy") or "{}")
    dead = {"DeadLetterConfig": {"Arn": redrive["deadLetterTargetArn"]}} if redrive else {}
    target = {"Arn": message.endpoint, **dead}
    return SubscriptionDelivery(
        target, CLOCK.time(), message=message, notice=notice, subscription=subscription, fifo=fifo
    )


def _wanted(topic: Topic, message: str, attributes: dict[str, Any] | None) -> Iterator[Subscription]:
    for subscription in list(topic.sns_backend.subscriptions.values()):
        if subscription.topic.arn != topic.arn:
            continue
        matcher = subscription._filter_policy_matcher  # noqa: SLF001 - moto's reading of filter policies
        if matcher is None or matcher.matches(attributes or {}, message):
            yield subscription


def _check_structure(message: str, structure: str | None) -> None:
    if structure != "json":
        return
    try:
        parts = json.loads(message)
    except ValueError as error:
        raise SNSInvalidParameter(f"Message Structure - JSON message body failed to parse: {error}") from error
    if not isinstance(parts, dict) or not isinstance(parts.get("default"), str):
        raise SNSInvalidParameter("Message Structure - No default entry in JSON message body")


def _text_for(protocol: str, message: str, structure: str | None) -> str:
    if structure != "json":
        return message
    parts = json.loads(message)
    return str(parts.get(protocol, parts["default"]))


_publish_as_moto = SNSBackend.publish


def publish_anything(
    backend: SNSBackend, message: str, arn: str | None, phone_number: str | None = None, **more: Any
) -> str:
    """Publish; a message to a phone number is kept with the notices instead of for ever."""
    message_id = _publish_as_moto(backend, message, arn, phone_number, **more)
    if phone_number is not None:
        backend.sms_messages.pop(message_id)
        backend.sms_message_objects.pop(message_id)
        sms = (Message("sms", phone_number, message),)
        notice = Notice(None, message_id, more.get("subject"), message, {}, iso_time(CLOCK.now()), sms)
        current_cloud.current().notices.add(notice)
    return message_id


CORRECTIONS = (
    Correction(Topic, "publish", publish, "it keeps every message for ever and posts to the internet"),
    Correction(SNSBackend, "publish", publish_anything, "it keeps every text message for ever"),
)
