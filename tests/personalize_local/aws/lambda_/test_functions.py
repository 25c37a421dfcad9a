"""Lambda functions: real processes, and the answers Lambda gives when they misbehave."""

import base64
import inspect
import io
import json
import os
import signal
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import moto.awslambda.models
import pytest

from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.lambda_.fork_server import fork_server
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import MakeFunction, MakeMachine

SOURCE = """
    import json, os, sys, time
    import boto3

    def handler(event, context):
        print("working on", event)
        match event.get("do"):
            case "raise": raise KeyError("no such thing")
            case "exit": raise SystemExit(3)
            case "leave": os._exit(0)
            case "sleep":
                open(event.get("mark", os.devnull), "w").close()
                time.sleep(event["seconds"])
            case "object": return object()
            case "pid": return os.getpid()
            case "environment": return dict(os.environ)
            case "path": return {"cwd": os.getcwd(), "path": sys.path}
            case "buckets": return [bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]]
            case "context": return [
                context.function_name, context.function_version, context.invoked_function_arn,
                context.memory_limit_in_mb, context.aws_request_id, context.log_group_name,
                context.get_remaining_time_in_millis() > 4000,
            ]
        return event
"""


def invoke(aws: Cloud, name: str, **event: Any) -> dict[str, Any]:
    """Invoke a function; return Lambda's answer, its payload parsed, with the log and the request id found there."""
    answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
    log = base64.b64decode(answer["LogResult"]).decode()
    request_id = log.partition("START RequestId: ")[2].partition(" ")[0]
    return {**answer, "Payload": json.load(answer["Payload"]), "Log": log, "RequestId": request_id}


def test_a_function_returns_what_its_handler_returns(aws: Cloud, function: MakeFunction) -> None:
    answer = invoke(aws, function(SOURCE), greeting="hello")
    assert answer["Payload"] == {"greeting": "hello"}
    assert "FunctionError" not in answer


@pytest.mark.usefixtures("aws")
def test_plain_moto_needs_docker() -> None:
    with moto_as_shipped("awslambda.models.LambdaFunction"):
        plain = moto.awslambda.models.LambdaFunction
        # Not run: on a machine without Docker it leaves processes and files open.
        assert "self.docker_client.containers.run(" in inspect.getsource(plain._invoke_lambda)


def test_a_worker_is_used_again(aws: Cloud, function: MakeFunction) -> None:
    name = function(SOURCE)
    assert invoke(aws, name, do="pid")["Payload"] == invoke(aws, name, do="pid")["Payload"]


def test_handlers_reach_the_cloud_by_their_environment(aws: Cloud, function: MakeFunction) -> None:
    aws.client("s3").create_bucket(Bucket="reached")
    assert "reached" in invoke(aws, function(SOURCE), do="buckets")["Payload"]


def test_the_environment_is_lambdas_and_the_functions_and_nothing_else(
    aws: Cloud, function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_DEVELOPER", "hidden")
    name = function(SOURCE, Environment={"Variables": {"OWN": "value"}})
    environment = invoke(aws, name, do="environment")["Payload"]
    assert environment["OWN"] == "value"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == name
    assert environment["AWS_ENDPOINT_URL"] == aws.endpoint
    assert environment["POWERTOOLS_TRACE_DISABLED"] == "true"
    assert "SECRET_OF_THE_DEVELOPER" not in environment


def test_only_the_deployed_code_can_be_imported(aws: Cloud, function: MakeFunction) -> None:
    places = invoke(aws, function(SOURCE), do="path")["Payload"]
    assert places["path"][0] == places["cwd"]
    assert os.getcwd() not in places["path"]  # noqa: PTH109 - compared with a text


def test_the_context_is_the_documented_one(aws: Cloud, function: MakeFunction) -> None:
    name = function(SOURCE, MemorySize=256)
    answer = invoke(aws, name, do="context")
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    assert answer["Payload"] == [name, "$LATEST", arn, "256", answer["RequestId"], f"/aws/lambda/{name}", True]


def test_an_exception_is_an_unhandled_function_error(aws: Cloud, function: MakeFunction) -> None:
    """Fact: FunctionError is Unhandled; the payload has errorType, errorMessage, requestId and stackTrace."""
    answer = invoke(aws, function(SOURCE), do="raise")
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorType"] == "KeyError"
    assert "code.py" in answer["Payload"]["stackTrace"][0]


@pytest.mark.parametrize(
    ("event", "kind", "message"),
    [
        ({"do": "exit"}, "Runtime.ExitError", "RequestId: {} Error: Runtime exited with error: exit status 3"),
        ({"do": "leave"}, "Runtime.ExitError", "RequestId: {} Error: Runtime exited without providing a reason"),
        ({"do": "sleep", "seconds": 9}, "Sandbox.Timedout", "RequestId: {} Error: Task timed out after 1.00 seconds"),
        ({"do": "object"}, "Runtime.MarshalError", "Unable to marshal response: Object of type object is not JSON"),
    ],
)
def test_other_ends_have_lambdas_words(
    aws: Cloud, function: MakeFunction, event: dict[str, Any], kind: str, message: str
) -> None:
    answer = invoke(aws, function(SOURCE, Timeout=1), **event)
    assert answer["Payload"]["errorType"] == kind
    assert answer["Payload"]["errorMessage"].startswith(message.format(answer["RequestId"]))


@pytest.mark.parametrize(
    ("source", "handler", "kind"),
    [
        ("import not_there", "code.handler", "Runtime.ImportModuleError"),
        ("pass", "code.handler", "Runtime.HandlerNotFound"),
        ("def handler(:", "code.handler", "Runtime.UserCodeSyntaxError"),
        ("1 / 0", "code.handler", "ZeroDivisionError"),
    ],
)
def test_code_that_cannot_be_loaded_is_named(
    aws: Cloud, function: MakeFunction, source: str, handler: str, kind: str
) -> None:
    name = function(source, Handler=handler)
    for _ in range(2):  # every invocation tries again
        assert invoke(aws, name)["Payload"]["errorType"] == kind


def test_a_killed_worker_is_an_exit_error_and_the_next_invocation_starts_another(
    aws: Cloud, function: MakeFunction, machine: MakeMachine, tmp_path: Path
) -> None:
    name = function(SOURCE, Timeout=20)
    first = invoke(aws, name, do="pid")["Payload"]
    task = {"Type": "Task", "Resource": f"arn:aws:lambda:us-east-1:123456789012:function:{name}", "End": True}
    mark = tmp_path / "handler-is-running"
    given = {"do": "sleep", "seconds": 15, "mark": str(mark)}
    arn = aws.start(machine({"StartAt": "Work", "States": {"Work": task}}), given)
    while not mark.exists():
        time.sleep(0.01)
    os.kill(first, signal.SIGKILL)
    ended = aws.wait(arn)
    assert (ended.status, ended.error) == ("FAILED", "Runtime.ExitError")
    assert json.loads(str(ended.cause))["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert invoke(aws, name, do="pid")["Payload"] != first


def test_a_worker_killed_while_idle_is_replaced_unnoticed(aws: Cloud, function: MakeFunction) -> None:
    name = function(SOURCE)
    first = invoke(aws, name, do="pid")["Payload"]
    assert aws.worker_pids(name) == [first]
    os.kill(first, signal.SIGKILL)
    time.sleep(0.1)
    assert invoke(aws, name, do="pid")["Payload"] != first


def test_everything_killed_starts_again(aws: Cloud, function: MakeFunction) -> None:
    name, other = function(SOURCE), function(SOURCE)
    invoke(aws, name)
    os.killpg(fork_server().pid, signal.SIGKILL)
    time.sleep(0.2)
    assert invoke(aws, name, say="again")["Payload"] == {"say": "again"}
    assert invoke(aws, other, say="hello")["Payload"] == {"say": "hello"}


def test_invocations_at_the_same_time_have_a_process_each(aws: Cloud, function: MakeFunction) -> None:
    name = function(SOURCE)
    threads = [
        threading.Thread(target=invoke, args=(aws, name), kwargs={"do": "sleep", "seconds": 0.3}) for _ in range(8)
    ]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(aws.worker_pids(name)) == 4  # choice: no more than that per function
    assert time.monotonic() - began < 0.3 * len(threads)


def test_what_a_handler_writes_is_logged(aws: Cloud, function: MakeFunction) -> None:
    name = function(SOURCE)
    answer = invoke(aws, name, note="for the log")
    tail = answer["Log"]
    assert "working on {'note': 'for the log'}" in tail
    events = aws.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    assert [event["message"] for event in events] == tail.splitlines()


def test_errors_are_counted_with_their_reason(aws: Cloud, function: MakeFunction) -> None:
    name = function(SOURCE)
    invoke(aws, name, do="raise")
    errors = [error for error in aws.lambda_errors if error.function_name == name]
    assert [(error.error_type, error.message) for error in errors] == [("KeyError", "'no such thing'")]


def test_an_event_invocation_is_tried_three_times(aws: Cloud, function: MakeFunction) -> None:
    """Fact: an asynchronous invocation that fails is retried after one minute and after two more, as one request."""
    name = function(SOURCE)
    began = CLOCK.time()
    answer = aws.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"do": "raise"}')
    assert answer["StatusCode"] == 202
    aws.quiesce()
    requests = [error.request_id for error in aws.lambda_errors if error.function_name == name]
    assert len(requests) == 3
    assert len(set(requests)) == 1
    assert CLOCK.time() - began >= 180


def test_a_dry_run_runs_nothing(aws: Cloud, function: MakeFunction) -> None:
    name = function(SOURCE)
    assert aws.client("lambda").invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204
    assert aws.worker_pids(name) == []


def test_powertools_works_in_a_worker(aws: Cloud, function: MakeFunction) -> None:
    name = function(
        """
        from aws_lambda_powertools import Logger, Metrics, Tracer
        from aws_lambda_powertools.metrics import MetricUnit
        logger, tracer, metrics = Logger(service="s"), Tracer(service="s"), Metrics(namespace="n", service="s")

        @logger.inject_lambda_context
        @tracer.capture_lambda_handler
        @metrics.log_metrics
        def handler(event, context):
            logger.info("a fact", extra={"answer": 42})
            metrics.add_metric(name="Count", unit=MetricUnit.Count, value=1)
        """
    )
    lines = invoke(aws, name)["Log"].splitlines()
    written = [json.loads(line) for line in lines if line.startswith("{")]
    assert [record.get("answer") for record in written if "answer" in record] == [42]
    assert any("CloudWatchMetrics" in record.get("_aws", {}) for record in written)


def test_a_layer_of_ones_own_is_on_the_path(aws: Cloud, function: MakeFunction) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("python/from_the_layer.py", "answer = 42")
    layer = aws.client("lambda").publish_layer_version(LayerName="ours", Content={"ZipFile": archive.getvalue()})
    source = "import from_the_layer\ndef handler(event, context): return from_the_layer.answer"
    assert invoke(aws, function(source, Layers=[layer["LayerVersionArn"]]))["Payload"] == 42


def test_a_log_group_of_ones_own_is_used(aws: Cloud, function: MakeFunction) -> None:
    name = function(SOURCE, LoggingConfig={"LogGroup": "/our/own"})
    invoke(aws, name)
    assert aws.client("logs").filter_log_events(logGroupName="/our/own")["events"]


def test_new_code_gets_new_workers(aws: Cloud, function: MakeFunction) -> None:
    name = function("def handler(event, context): return 1")
    assert invoke(aws, name)["Payload"] == 1
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("code.py", "def handler(event, context): return 2")
    aws.client("lambda").update_function_code(FunctionName=name, ZipFile=archive.getvalue())
    assert invoke(aws, name)["Payload"] == 2
