"""Make moto's services keep the cloud's time instead of the machine's."""

from datetime import datetime

import moto.events.models
import moto.logs.models
import moto.s3.models
import moto.sqs.models

from personalize_local.aws.corrections import Correction
from personalize_local.clock import CLOCK


def milliseconds() -> float:
    """Return the simulated time in milliseconds since 1970."""
    return CLOCK.time() * 1000


def naive_utc() -> datetime:
    """Return the simulated time the way moto passes times around: UTC, without a zone."""
    return CLOCK.now().replace(tzinfo=None)


CORRECTIONS = (
    Correction(moto.sqs.models, "unix_time", CLOCK.time, "long polling and retention are in real time"),
    Correction(moto.sqs.models, "unix_time_millis", milliseconds, "visibility and delays are in real time"),
    Correction(moto.s3.models, "utcnow", naive_utc, "LastModified is real time, and events and executions are not"),
    Correction(moto.logs.models, "utcnow", naive_utc, "log events are in real time, and their retention is not"),
    Correction(moto.events.models, "unix_time", CLOCK.time, "events happen in real time"),
)
