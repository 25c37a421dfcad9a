"""Send S3's events to EventBridge, one per change of an object, as documented and in the order of the changes.

moto gives all of them the same id and sequencer, spells some members differently, reports a multipart upload twice,
and lets two writers of a key overtake each other between the write and its event.
"""

import functools
import itertools
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import moto.s3.notifications
from moto.s3.models import S3Backend
from moto.s3.notifications import S3NotificationEvent

from personalize_local.aws import current_cloud
from personalize_local.aws.corrections import Correction
from personalize_local.aws.events.rules import send_to_default_bus
from personalize_local.clock import CLOCK

REASONS = {
    S3NotificationEvent.OBJECT_CREATED_PUT_EVENT: "PutObject",
    S3NotificationEvent.OBJECT_CREATED_POST_EVENT: "POST Object",
    S3NotificationEvent.OBJECT_CREATED_COPY_EVENT: "CopyObject",
    S3NotificationEvent.OBJECT_CREATED_COMPLETE_MULTIPART_UPLOAD_EVENT: "CompleteMultipartUpload",
    S3NotificationEvent.OBJECT_REMOVED_DELETE_EVENT: "DeleteObject",
    S3NotificationEvent.OBJECT_REMOVED_DELETE_MARKER_CREATED_EVENT: "DeleteObject",
}
_writing = threading.RLock()
_sequence = itertools.count(time.time_ns())


def send_event_bridge_message(account_id: str, bucket: Any, event_name: str, key: Any) -> None:
    """Offer an event about a created or deleted object to every rule of the default bus.

    Others are not sent: moto reports tags with every PutObject, where S3 does so for PutObjectTagging only.
    """
    if current_cloud.running() is None or event_name not in REASONS:
        return
    send_to_default_bus(account_id, bucket.region_name, describe(account_id, bucket, event_name, key))


def describe(account_id: str, bucket: Any, event_name: str, key: Any) -> dict[str, Any]:
    """Return the event, with the members of the user guide's example."""
    described = {"key": key.name, "size": key.size, "etag": key.etag.strip('"'), "sequencer": f"{next(_sequence):016x}"}
    if bucket.is_versioned:
        described["version-id"] = key.version_id
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": moto.s3.notifications._detail_type(event_name),  # noqa: SLF001 - moto's table is right
        "source": "aws.s3",
        "account": account_id,
        "time": CLOCK.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": bucket.region_name,
        "resources": [bucket.arn],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket.name},
            "object": described,
            "request-id": uuid.uuid4().hex[:16].upper(),
            "requester": account_id,
            "source-ip-address": "127.0.0.1",
            "reason": REASONS[S3NotificationEvent(event_name)],
        },
    }


def one_at_a_time(write: Callable[..., Any]) -> Callable[..., Any]:
    """Make a write and its event one step, so that sequencers are in the order of the versions."""

    @functools.wraps(write)
    def locked(*arguments: Any, **named: Any) -> Any:
        with _writing:
            return write(*arguments, **named)

    return locked


def without_second_event(put: Callable[..., Any]) -> Callable[..., Any]:
    """Keep PutObject quiet when it is the last step of a multipart upload, which reports itself."""

    @functools.wraps(put)
    def put_object(*arguments: Any, **named: Any) -> Any:
        if named.get("multipart") is not None:
            named["disable_notification"] = True
        return put(*arguments, **named)

    return put_object


CORRECTIONS = (
    Correction(
        moto.s3.notifications,
        "_send_event_bridge_message",
        send_event_bridge_message,
        "every event has the same id and sequencer, and eTag for etag",
    ),
    Correction(
        S3Backend,
        "put_object",
        one_at_a_time(without_second_event(S3Backend.put_object)),
        "a multipart upload is reported twice, and events overtake each other",
    ),
    Correction(S3Backend, "copy_object", one_at_a_time(S3Backend.copy_object), "events overtake each other"),
    Correction(
        S3Backend,
        "complete_multipart_upload",
        one_at_a_time(S3Backend.complete_multipart_upload),
        "events overtake each other",
    ),
)
