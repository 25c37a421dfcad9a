"""Everything the local cloud changes about moto, applied once per process."""

import threading

from emulator.aws import (
    bucket_policies,
    callers,
    clock_times,
    cloudformation,
    definitions,
    event_source_mappings,
    executions,
    functions,
    history_limit,
    interpreter,
    item_limits,
    key_lengths,
    managed_policies,
    message_limits,
    object_events,
    object_versions,
    payload_limits,
    queues,
    redrive,
    request_limits,
    rules,
    scheduler,
    service_tasks,
    state_data,
    states_api,
    states_operations,
    topics,
)
from emulator.aws.corrections import APPLIED, apply

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
    message_limits,
    object_versions,
    cloudformation,
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
