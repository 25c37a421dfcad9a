"""Everything the local cloud changes about moto, applied once per process."""

import threading

from emulator.aws import (
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
    message_limits,
    object_events,
    payload_limits,
    queues,
    rules,
    service_tasks,
    state_data,
    states_api,
)
from emulator.aws.corrections import APPLIED, apply

_lock = threading.Lock()

MODULES = (
    clock_times,
    interpreter,
    service_tasks,
    state_data,
    history_limit,
    definitions,
    executions,
    states_api,
    functions,
    payload_limits,
    queues,
    event_source_mappings,
    rules,
    object_events,
    key_lengths,
    item_limits,
    message_limits,
    cloudformation,
)


def install() -> None:
    """Apply all corrections; a second call does nothing."""
    with _lock:
        if APPLIED:
            return
        for module in MODULES:
            apply(*module.CORRECTIONS)
