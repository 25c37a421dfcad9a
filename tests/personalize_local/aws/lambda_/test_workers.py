"""Worker processes: as many as there is work for, and files that do not grow."""

import os
import threading
from typing import Any

import pytest

from personalize_local.aws import current_cloud
from personalize_local.aws.lambda_ import workers
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import MakeFunction
from tests.personalize_local.aws.lambda_.test_functions import SOURCE, invoke

WRITER = """
    def handler(event, context):
        print("x" * event["bytes"])
        print(f"the end of {event['number']}")
"""


def at_once(aws: Cloud, name: str, count: int) -> None:
    """Invoke a function several times at once."""
    threads = [
        threading.Thread(target=invoke, args=(aws, name), kwargs={"do": "sleep", "seconds": 0.3}) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_function_that_is_changed_leaves_no_process_behind(aws: Cloud, function: MakeFunction) -> None:
    name = function(SOURCE)
    for number in range(5):
        variables = {"Variables": {"NUMBER": str(number)}}
        aws.client("lambda").update_function_configuration(FunctionName=name, Environment=variables)
        assert invoke(aws, name, do="environment")["Payload"]["NUMBER"] == str(number)
    assert len(aws.worker_pids(name)) == 1


def test_processes_without_work_are_ended(aws: Cloud, function: MakeFunction, monkeypatch: pytest.MonkeyPatch) -> None:
    name, other = function(SOURCE), function(SOURCE)
    at_once(aws, name, 3)
    invoke(aws, other)
    assert (len(aws.worker_pids(name)), len(aws.worker_pids(other))) == (3, 1)
    monkeypatch.setattr(workers, "IDLE_SECONDS", 0.0)
    invoke(aws, name)
    assert (len(aws.worker_pids(name)), len(aws.worker_pids(other))) == (1, 0)


def test_the_file_of_what_a_process_writes_is_used_again(
    aws: Cloud, function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "LOG_BYTES", 10_000)
    name = function(WRITER)
    for number in range(10):
        assert f"the end of {number}\n" in invoke(aws, name, bytes=4000, number=number)["Log"]
    (worker,) = (known for known in _pool()._workers if known.sandbox.function_name == name)
    assert os.fstat(worker._log.fileno()).st_size < 15_000


def test_errors_are_remembered_up_to_a_number(aws: Cloud) -> None:
    errors = current_cloud.CurrentCloud(
        aws.endpoint, {}, _pool(), task_scheduler=current_cloud.current().task_scheduler
    ).lambda_errors
    for number in range(current_cloud.ERRORS_REMEMBERED + 5):
        errors.append(current_cloud.LambdaError("function", str(number), "KeyError", "no such thing"))
    assert (len(errors), errors[0].request_id) == (current_cloud.ERRORS_REMEMBERED, "5")


def _pool() -> Any:
    return current_cloud.current().workers
