"""Everything the local cloud changes about moto, applied once per process."""

import threading

from emulator.aws import (
    clock_times,
    cloudformation,
    definitions,
    event_source_mappings,
    executions,
    functions,
    interpreter,
    object_events,
    object_versions,
    queues,
    rules,
    service_tasks,
    states_api,
)
from emulator.aws.corrections import APPLIED, apply

_lock = threading.Lock()

MODULES = (
    clock_times,
    interpreter,
    service_tasks,
    definitions,
    executions,
    states_api,
    functions,
    queues,
    event_source_mappings,
    rules,
    object_events,
    object_versions,
    cloudformation,
)


def install() -> None:
    """Apply all corrections; a second call does nothing."""
    with _lock:
        if APPLIED:
            return
        for module in MODULES:
            apply(*module.CORRECTIONS)
