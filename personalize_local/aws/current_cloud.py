"""Hold the running cloud, which the corrected parts of moto share.

moto keeps its state in module globals, one account per process; so does this module keep the one running cloud.
"""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from personalize_local.aws.sns.notices import Notices
from personalize_local.aws.task_scheduler import TaskScheduler

if TYPE_CHECKING:
    from personalize_local.aws.lambda_.workers import WorkerPool

ACCOUNT_ID = "123456789012"  # moto's default account
REGION = "us-east-1"
ERRORS_REMEMBERED = 10_000  # invocations that failed; a function that always fails must not fill the memory


@dataclass(frozen=True)
class LambdaError:
    """One invocation that ended in an error, as CloudWatch's `Errors` metric would count it."""

    function_name: str
    request_id: str
    error_type: str
    message: str


@dataclass
class CurrentCloud:
    """One running cloud: where it listens, what is scheduled, and who does the work."""

    endpoint: str
    environment: Mapping[str, str]
    workers: "WorkerPool"
    task_scheduler: TaskScheduler = field(default_factory=TaskScheduler)
    stopping: threading.Event = field(default_factory=threading.Event)
    notices: Notices = field(default_factory=Notices)
    lambda_errors: deque[LambdaError] = field(default_factory=lambda: deque(maxlen=ERRORS_REMEMBERED))


_running: list[CurrentCloud] = []


def current() -> CurrentCloud:
    """Return the running cloud, or say that there is none."""
    if not _running:
        raise RuntimeError("no local cloud is running in this process")
    return _running[-1]


def running() -> CurrentCloud | None:
    """Return the running cloud, if there is one."""
    return _running[-1] if _running else None


def enter(cloud: CurrentCloud) -> None:
    """Make this cloud the running one; moto's state is global, so there can be only one at a time."""
    if _running:
        raise RuntimeError(f"a local cloud is already running in this process, at {_running[-1].endpoint}")
    _running.append(cloud)


def leave() -> None:
    """Forget the running cloud."""
    _running.clear()
