"""Apply everything that the local cloud changes about moto, once per process."""

import threading

from personalize_local.aws import clock_times
from personalize_local.aws.cloudformation import stack_updates, templates
from personalize_local.aws.corrections import APPLIED, apply
from personalize_local.aws.dynamodb import item_limits, partitions, transactions
from personalize_local.aws.events import rules, scheduler
from personalize_local.aws.http import callers, request_limits
from personalize_local.aws.iam import managed_policies
from personalize_local.aws.lambda_ import functions, payload_limits
from personalize_local.aws.s3 import bucket_policies, key_lengths, object_events, object_versions
from personalize_local.aws.sns import topics
from personalize_local.aws.sqs import event_source_mappings, message_limits, queues
from personalize_local.aws.stepfunctions import (
    definitions,
    executions,
    history_limit,
    interpreter,
    redrive,
    service_tasks,
    state_data,
    states_api,
    states_operations,
)

_lock = threading.Lock()

MODULES = (
    clock_times,
    interpreter,
    redrive,
    service_tasks,
    state_data,
    history_limit,
    definitions,
    executions,
    states_api,
    states_operations,
    functions,
    payload_limits,
    queues,
    event_source_mappings,
    rules,
    scheduler,
    topics,
    object_events,
    key_lengths,
    item_limits,
    partitions,
    transactions,
    message_limits,
    object_versions,
    templates,
    stack_updates,
    bucket_policies,
    managed_policies,
    callers,
    request_limits,
)


def install() -> None:
    """Apply all corrections; a second call does nothing."""
    with _lock:
        if APPLIED:
            return
        for module in MODULES:
            apply(*module.CORRECTIONS)
