"""Fixtures of all tests: the synthesised app, and local clouds with and without it."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import personalize_local.engine  # noqa: F401 - gives BLAS one thread, which must be before any test imports numpy
from personalize_local.cloud import Cloud
from personalize_local.deploy import synthesise

SPEED = 1800  # half an hour of simulated time per second


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one process more than cores: a test waits for workers and clocks a third of its time."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the app, synthesised once for all processes of a test run."""
    base = tmp_path_factory.getbasetemp()
    # Under xdist every process has its own base directory, below that of the run.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    directory = shared / "assembly"
    with (shared / "assembly.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "manifest.json").exists():
            synthesise(directory)
    return directory


@pytest.fixture(scope="module")
def cloud(assembly: Path) -> Iterator[Cloud]:
    """Return a fresh cloud with the app deployed, shared by a module, which cannot use `bare_cloud` too.

    Its schedules do not fire: a sweep would come every few seconds, in the middle of whatever is being tested.
    """
    with Cloud(speed=SPEED, schedules=False) as running:
        running.deploy(assembly)
        yield running


@pytest.fixture
def bare_cloud() -> Iterator[Cloud]:
    """Return a fresh cloud with nothing deployed."""
    with Cloud(speed=SPEED) as running:
        yield running
