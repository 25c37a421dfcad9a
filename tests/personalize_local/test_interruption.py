"""SIGINT, SIGTERM and SIGKILL at any moment: commands end within ten seconds, say nothing, and leave nothing behind."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from examples import movies
from tests.personalize_local.running_commands import PROJECT, children, client, is_alive

MOVIES = Path(movies.__file__).parent
ENDING_SECONDS = 10.0
PATIENCE_SECONDS = 150  # below pytest's own for one test, so that this one can say what it saw


class Started:
    """A command in a process of its own, with files for what it writes and a directory for its temporary files."""

    def __init__(self, directory: Path, *command: str) -> None:
        self._temporary = directory / "temporary"
        self._temporary.mkdir()
        self._written, self._complaints = directory / "stdout", directory / "stderr"
        environment = {**os.environ, "TMPDIR": str(self._temporary)}
        with self._written.open("wb") as stdout, self._complaints.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, *command], cwd=PROJECT, stdout=stdout, stderr=stderr, env=environment
            )

    @property
    def text(self) -> str:
        """Return what it has written so far."""
        return self._written.read_text(encoding="utf-8")

    def wait_until(self, reached: Callable[[], Any]) -> Any:
        """Wait until it has reached a moment."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := reached()):
            assert self.process.poll() is None, self._complaints.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, self.text
            time.sleep(0.1)
        return found

    def end(self, *numbers: int) -> int:
        """Send signals, check that nothing is left, and return the exit status."""
        below = children(self.process.pid)
        for number in numbers:
            self.process.send_signal(number)
            time.sleep(0.3)
        status = self.process.wait(timeout=ENDING_SECONDS)
        assert [pid for pid in below if is_alive(pid)] == []
        assert self._complaints.read_text(encoding="utf-8") == ""
        assert list(self._temporary.iterdir()) == []
        return status


@contextmanager
def started(directory: Path, *command: str) -> Iterator[Started]:
    running = Started(directory, *command)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()


@contextmanager
def running_script(directory: Path, command: str) -> Iterator[Started]:
    """Run lines of Python as a command and wait until they say `ready`."""
    body = "\n".join(f"    {line}" for line in command.splitlines())
    imports = "import threading, time\nfrom personalize_local.interruption import *"
    script = f"{imports}\ndef command():\n{body}\nexit_after(command)"
    with started(directory, "-c", script) as running:
        running.wait_until(lambda: "ready" in running.text)
        yield running


STUBBORN = "with ending_in_order():\n    print('ready', flush=True)\n    time.sleep(100)\nreturn 0"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("hooked", ["pass", "loading = threading.Thread(target=__import__, args=['polars'])"])
def test_a_library_that_hooks_signals_delays_nothing(hooked: str, number: int, tmp_path: Path) -> None:
    """A plain wait for an event never ends after SIGINT once polars is imported."""
    load = "pass" if hooked == "pass" else f"{hooked}\nloading.start(); loading.join()"
    command = f"{load}\nwith ending_in_order():\n    print('ready', flush=True)\n    INTERRUPTED.wait()\nreturn 7"
    with running_script(tmp_path, command) as running:
        assert running.end(number) == 7


def test_what_does_not_end_in_order_is_ended(tmp_path: Path) -> None:
    with running_script(tmp_path, STUBBORN) as running:
        assert running.end(signal.SIGTERM) == 128 + signal.SIGTERM


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    with running_script(tmp_path, STUBBORN) as running:
        began = time.monotonic()
        assert running.end(signal.SIGINT, signal.SIGINT) == 128 + signal.SIGINT
        assert time.monotonic() - began < 4  # below the time of grace


def test_threads_that_break_while_the_process_ends_say_nothing(tmp_path: Path) -> None:
    command = """def break_down():
    INTERRUPTED.wait()
    {}['gone']
threading.Thread(target=break_down).start()
with ending_in_order():
    print('ready', flush=True)
    INTERRUPTED.wait()
    time.sleep(0.5)
return 0"""
    with running_script(tmp_path, command) as running:
        assert running.end(signal.SIGINT) == 0


def test_a_command_that_breaks_by_itself_says_where() -> None:
    script = "from personalize_local.interruption import exit_after\nexit_after(lambda: {}['gone'])"
    run = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "KeyError: 'gone'" in run.stderr


def is_there(running: Started, module: str) -> bool:
    """Tell whether a child runs that module or file."""
    lines = [Path(f"/proc/{pid}/cmdline") for pid in children(running.process.pid)]
    return any(module in line.read_text(encoding="utf-8") for line in lines if line.exists())


@pytest.mark.parametrize("command", ["serve", "demo"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_starting(command: str, number: int, tmp_path: Path) -> None:
    with started(tmp_path, "-m", "personalize_local", command) as running:
        running.wait_until(lambda: list((tmp_path / "temporary").iterdir()))  # the first it does: no import is through
        assert running.end(number) == 128 + number


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_synthesising(command: str, tmp_path: Path) -> None:
    with started(tmp_path, "-m", "personalize_local", command) as running:
        running.wait_until(lambda: is_there(running, "jsii"))
        assert running.end(signal.SIGINT) == 128 + signal.SIGINT


def test_deploying(assembly: Path, tmp_path: Path) -> None:
    with started(tmp_path, "-m", "personalize_local", "serve", "--assembly", str(assembly)) as running:
        running.wait_until(lambda: is_there(running, "bootstrap.py"))
        assert running.end(signal.SIGTERM) in (0, 128 + signal.SIGTERM)


def served(directory: Path, assembly: Path) -> Any:
    return started(
        directory, "-m", "personalize_local", "serve", "--json", "--speed", "1200", "--assembly", str(assembly)
    )


def upload_everything(running: Started, directory: Path) -> dict[str, Any]:
    """Upload the example's data and request as soon as it is READY; return where things are."""
    running.wait_until(lambda: "READY" in running.text)
    places: dict[str, Any] = json.loads(running.text.splitlines()[0])
    files = {key: path for key, path in movies.write(directory / "data").items() if not key.startswith("later/")}
    for key, path in itertools.chain(files.items(), [("requests/movies.json", MOVIES / "movies.json")]):
        client("s3", places).put_object(Bucket=places["bucket"], Key=key, Body=path.read_bytes())
    return places


def statuses(places: dict[str, Any], operation: str) -> set[str]:
    """Return the statuses that a List operation of Personalize answers."""
    answer = getattr(client("personalize", places), operation)()
    return {item["status"] for items in answer.values() if isinstance(items, list) for item in items}


@pytest.mark.parametrize(
    ("jobs", "number"),
    [
        ("list_dataset_import_jobs", signal.SIGTERM),
        ("list_solution_versions", signal.SIGKILL),
    ],
)
def test_importing_and_training(jobs: str, number: int, assembly: Path, tmp_path: Path) -> None:
    with served(tmp_path, assembly) as running:
        places = upload_everything(running, tmp_path)
        running.wait_until(lambda: statuses(places, jobs) & {"CREATE PENDING", "CREATE IN_PROGRESS"})
        if number == signal.SIGKILL:
            end_by_force(running)
        else:
            assert running.end(number) in (0, 128 + number)  # the latter on a machine too busy to end in order


def end_by_force(running: Started) -> None:
    """Kill the cloud and wait until its workers have noticed."""
    below = children(running.process.pid)
    assert below
    running.process.kill()
    running.process.wait()
    deadline = time.monotonic() + ENDING_SECONDS
    while left := [pid for pid in below if is_alive(pid)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def test_idle_after_work(assembly: Path, tmp_path: Path) -> None:
    with served(tmp_path, assembly) as running:
        places = upload_everything(running, tmp_path)
        running.wait_until(lambda: statuses(places, "list_campaigns") == {"ACTIVE"})
        (campaign,) = client("personalize", places).list_campaigns()["campaigns"]
        runtime = client("personalize-runtime", places)
        assert runtime.get_recommendations(campaignArn=campaign["campaignArn"], userId="ada")["itemList"]
        assert running.end(signal.SIGINT) in (0, 128 + signal.SIGINT)


def test_a_killed_cloud_leaves_no_synthesis_behind(tmp_path: Path) -> None:
    with started(tmp_path, "-m", "personalize_local", "demo") as running:
        running.wait_until(lambda: is_there(running, "jsii"))
        end_by_force(running)


def test_a_reader_that_leaves_ends_the_demo_quietly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "personalize_local", "demo", "--out", str(tmp_path)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        assert demo.stdout.readline().startswith(b"1. A cloud")
        demo.stdout.close()
        assert demo.stderr.read() == b""
        assert demo.wait(timeout=PATIENCE_SECONDS) != 0
