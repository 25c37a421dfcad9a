"""What Lambda does not let a function have: memory, CPU time, long payloads."""

import base64
import json
import os
import re
import resource
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from personalize_local.aws import current_cloud
from personalize_local.aws.corrections import moto_as_shipped
from personalize_local.aws.lambda_.allowance import Allowance, Overrun, Usage, usage_of
from personalize_local.aws.limits import ASYNCHRONOUS_PAYLOAD, FUNCTION_MEMORY, RESPONSE_PAYLOAD, SYNCHRONOUS_PAYLOAD
from personalize_local.cloud import Cloud
from tests.personalize_local.aws.conftest import MakeFunction, MakeMachine

MIB = 1024 * 1024
SOURCE = """
    import time

    def handler(event, context):
        kept = []
        for _ in range(event.get("mib", 0)):
            kept.append(bytearray(b"x" * (1024 * 1024)))
        time.sleep(event.get("hold", 0))
        until = time.process_time() + event.get("burn", 0)
        while time.process_time() < until:
            pass
        return event.get("letter", "x") * event.get("long", 0)
"""


def invoke(aws: Cloud, name: str, **event: Any) -> tuple[Any, str]:
    """Invoke a function; return its payload and its log."""
    answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
    return json.load(answer["Payload"]), base64.b64decode(answer["LogResult"]).decode()


@pytest.mark.parametrize("hold_seconds", [0, 5], ids=["and returns", "and stays"])
def test_a_function_that_takes_more_than_its_memory_is_killed(
    aws: Cloud, function: MakeFunction, hold_seconds: int
) -> None:
    """Fact: Runtime.OutOfMemory, "signal: killed"; whether it is seen while the handler runs or when it returns."""
    name = function(SOURCE, MemorySize=128, Timeout=10)
    began = time.monotonic()
    payload, log = invoke(aws, name, mib=200, hold=hold_seconds)
    assert time.monotonic() - began < 5
    request_id = log.partition("START RequestId: ")[2].partition(" ")[0]
    assert payload == {
        "errorType": "Runtime.OutOfMemory",
        "errorMessage": f"RequestId: {request_id} Error: Runtime exited with error: signal: killed",
    }
    report = log.splitlines()[-1]
    assert report.endswith("Max Memory Used: 128 MB\tStatus: error\tError Type: Runtime.OutOfMemory")
    assert aws.worker_pids(name) == []


def test_one_that_only_peaked_over_its_memory_is_killed_too(aws: Cloud, function: MakeFunction) -> None:
    source = "def handler(event, context): return len(bytearray(b'x' * 200_000_000)) // 200_000_000"
    payload, _ = invoke(aws, function(source, MemorySize=128))
    assert payload["errorType"] == "Runtime.OutOfMemory"
    assert invoke(aws, function(source, MemorySize=512))[0] == 1


def test_a_function_may_fill_its_memory(aws: Cloud, function: MakeFunction) -> None:
    name = function(SOURCE, MemorySize=256)
    payload, log = invoke(aws, name, mib=150)
    assert payload == ""
    used = re.search(r"Memory Size: 256 MB\tMax Memory Used: (\d+) MB$", log.splitlines()[-1])
    assert used is not None
    assert 150 < int(used[1]) < 256


def test_the_memory_counted_is_that_of_a_process_of_its_own(aws: Cloud, function: MakeFunction) -> None:
    """Choice: a worker shares pages with the fork server; they count, for on Lambda it would have them alone."""
    name = function("import boto3\ndef handler(event, context): return 0")
    _, log = invoke(aws, name)
    counted = int(log.splitlines()[-1].rpartition("Max Memory Used: ")[2].split()[0])
    (pid,) = aws.worker_pids(name)
    seen = usage_of(pid)
    assert seen is not None
    assert counted == pytest.approx(seen.memory_mib, abs=4)
    private = re.findall(r"Private_\w+: +(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())
    assert counted * 1024 > 4 * sum(map(int, private))  # what it does not share is a small part


def test_a_function_has_128_mib_unless_it_says_otherwise(aws: Cloud, function: MakeFunction) -> None:
    """Fact: Lambda's default."""
    made = aws.client("lambda").get_function_configuration(FunctionName=function(SOURCE))
    assert made["MemorySize"] == FUNCTION_MEMORY.value


def test_the_machine_is_told_runtime_out_of_memory(aws: Cloud, function: MakeFunction, machine: MakeMachine) -> None:
    name = function(SOURCE, MemorySize=128)
    task = {"Type": "Task", "Resource": f"arn:aws:lambda:us-east-1:123456789012:function:{name}", "End": True}
    ended = aws.run(machine({"StartAt": "Work", "States": {"Work": task}}), {"mib": 200})
    assert (ended.status, ended.error) == ("FAILED", "Runtime.OutOfMemory")


@pytest.mark.parametrize("hold_seconds", [0, 8], ids=["and returns", "and goes on"])
def test_a_function_that_needs_more_than_its_share_of_cpu_times_out(
    aws: Cloud, function: MakeFunction, hold_seconds: int
) -> None:
    """Fact: a vCPU comes with 1,769 MB; 128 MB have 7 % of one, so four seconds of it are 0.29 seconds here."""
    name = function(SOURCE.replace("time.sleep(", "(lambda s: s)("), MemorySize=128, Timeout=4)
    began = time.monotonic()
    payload, log = invoke(aws, name, burn=0.6 + hold_seconds)
    assert time.monotonic() - began < 4
    assert payload["errorType"] == "Sandbox.Timedout"
    assert payload["errorMessage"].endswith("Error: Task timed out after 4.00 seconds")
    assert log.splitlines()[-1].endswith("Status: timeout")


def test_the_share_of_cpu_can_be_switched_off(
    aws: Cloud, function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_cloud.current().workers, "_share_cpu", False)
    assert invoke(aws, function(SOURCE, MemorySize=128, Timeout=4), burn=0.6)[0] == ""


def test_importing_the_handler_costs_no_share_of_cpu(aws: Cloud, function: MakeFunction) -> None:
    """Fact: the init phase is not part of the function's time-out."""
    busy = "import time\nwhile time.process_time() < 0.6: pass\ndef handler(event, context): return 1"
    assert invoke(aws, function(busy, MemorySize=128, Timeout=4))[0] == 1


def test_a_worker_begins_each_invocation_with_its_whole_share(aws: Cloud, function: MakeFunction) -> None:
    name = function(SOURCE, MemorySize=128, Timeout=4)
    for _ in range(4):
        assert invoke(aws, name, burn=0.12)[0] == ""
    assert len(aws.worker_pids(name)) == 1


def test_what_a_share_is() -> None:
    """Fact: 512 MB with a time-out of 30 s may use 8.7 seconds of CPU; 3,538 MB have two vCPUs."""
    small = Allowance.of(512, 30, share_cpu=True)
    assert small.memory_bytes == 512 * MIB
    assert small.cpu_seconds == pytest.approx(8.7, abs=0.02)
    assert Allowance.of(3538, 30, share_cpu=True).cpu_seconds == 60
    assert small.overrun_by(Usage(512 * MIB, 10), cpu_before=2) is None
    assert small.overrun_by(Usage(512 * MIB + 1, 0), cpu_before=0) is Overrun.MEMORY
    assert small.overrun_by(Usage(0, 11), cpu_before=2) is Overrun.CPU
    assert Allowance.of(512, 30, share_cpu=False).overrun_by(Usage(0, 99), cpu_before=0) is None


def test_without_proc_the_end_of_an_invocation_is_still_checked(
    aws: Cloud, function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Choice: on macOS a function is not killed while it runs; what it used is known when it returns."""
    monkeypatch.setattr("personalize_local.aws.lambda_.overrun_watch.usage_of", lambda _: None)
    payload, _ = invoke(aws, function(SOURCE, MemorySize=128), mib=200, hold=0.1)
    assert payload["errorType"] == "Runtime.OutOfMemory"


def test_usage_is_that_of_the_process() -> None:
    used = usage_of(os.getpid())
    assert used is not None
    peak = resource.getrusage(resource.RUSAGE_SELF)
    assert 0 < used.memory_bytes < peak.ru_maxrss * 1024 + 16 * MIB  # the kernel's counters lag a little
    assert used.cpu_seconds == pytest.approx(peak.ru_utime + peak.ru_stime, abs=0.5)
    assert usage_of(2**22 + 1) is None


@pytest.mark.parametrize(
    ("kind", "limit", "text"),
    [
        ("RequestResponse", SYNCHRONOUS_PAYLOAD, "Request must be smaller than 6291456 bytes for the InvokeFunction"),
        ("Event", ASYNCHRONOUS_PAYLOAD, "1048577 byte payload is too large for the Event invocation type"),
    ],
)
def test_a_payload_has_its_length(aws: Cloud, function: MakeFunction, kind: str, limit: Any, text: str) -> None:
    """Fact: the length of the JSON in UTF-8, 6 MB for an answer that is waited for, 1 MB for one that is not."""
    client, name = aws.client("lambda"), function("def handler(event, context): return len(event)")
    fits = json.dumps("é" * (limit.value // 2 - 1), ensure_ascii=False).encode()
    assert len(fits) == limit.value
    client.invoke(FunctionName=name, InvocationType=kind, Payload=fits)
    with pytest.raises(ClientError, match=text) as caught:
        client.invoke(FunctionName=name, InvocationType=kind, Payload=fits + b" ")
    assert caught.value.response["Error"]["Code"] == "RequestEntityTooLargeException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    aws.quiesce()


def test_a_response_has_its_length(aws: Cloud, function: MakeFunction) -> None:
    """Fact: 6,291,556 bytes of JSON in UTF-8."""
    name = function(SOURCE, MemorySize=512)
    longest = RESPONSE_PAYLOAD.value // 2 - 1
    assert len(invoke(aws, name, letter="é", long=longest)[0]) == longest
    assert invoke(aws, name, letter="é", long=longest + 1)[0] == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }


def test_plain_moto_refuses_a_response_that_lambda_delivers(aws: Cloud, function: MakeFunction) -> None:
    name = function(SOURCE, MemorySize=512)
    with moto_as_shipped("awslambda.responses.sys"):
        assert invoke(aws, name, long=6_100_000)[0]["errorType"] == "Function.ResponseSizeTooLarge"


def test_letters_that_have_no_utf8_cannot_be_returned(aws: Cloud, function: MakeFunction) -> None:
    payload, _ = invoke(aws, function("def handler(event, context): return chr(0xD800)"))
    assert payload["errorType"] == "Runtime.MarshalError"
