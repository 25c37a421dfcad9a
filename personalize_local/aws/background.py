"""Begin and end what a cloud does in the background, and tell whether anything is under way."""

from moto.stepfunctions.parser.utils import TMP_THREADS

from personalize_local.aws import current_cloud
from personalize_local.aws.events.schedules import Ticker
from personalize_local.aws.retention import Retention
from personalize_local.aws.sqs import event_source_mappings
from personalize_local.aws.stepfunctions.executions import all_executions
from personalize_local.clock import CLOCK

LAST_WORDS_SECONDS = 5.0  # real, for the thread of each stopped execution

_tickers: list[Ticker | Retention] = []


def begin(cloud: current_cloud.CurrentCloud) -> None:
    """Forget from now on what AWS forgets."""
    _tickers.append(Retention(cloud))


def begin_schedules(cloud: current_cloud.CurrentCloud) -> None:
    """Fire scheduled rules from now on."""
    _tickers.append(Ticker(cloud))


def end(cloud: current_cloud.CurrentCloud) -> None:
    """Stop every execution, poller and worker, and wait for their threads."""
    cloud.stopping.set()
    cloud.task_scheduler.stop()
    for execution in all_executions():
        execution.stop(CLOCK.now(), "LocalCloud.Stopped", "The local cloud was stopped.")
    cloud.workers.stop()
    event_source_mappings.end()
    while _tickers:
        _tickers.pop().join()
    for execution in all_executions():
        execution.finished.wait(LAST_WORDS_SECONDS)
    for thread in TMP_THREADS:
        thread.join(LAST_WORDS_SECONDS)
    TMP_THREADS.clear()
    cloud.task_scheduler.join()


def under_way() -> list[str]:
    """Return in words what is under way; empty when nothing is, and nothing became so while looking."""
    task_scheduler = current_cloud.current().task_scheduler
    before = task_scheduler.made
    counts = {
        "{} running executions": sum(execution.exec_status == "RUNNING" for execution in all_executions()),
        "{} messages in queues of functions": event_source_mappings.unhandled_messages(),
        "{} events or asynchronous calls": task_scheduler.pending,
        "{} running executions ": sum(execution.exec_status == "RUNNING" for execution in all_executions()),
        "{} calls just made": task_scheduler.made - before,
    }
    return [words.strip().format(count) for words, count in counts.items() if count]
