"""The service for the tests below."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.personalize.durations import DURATIONS
from emulator.personalize.quotas import DEFAULTS, QUOTAS
from emulator.personalize.switches import SWITCHES, Switches
from tests.emulator.personalize.world import World, running


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give the service over an engine double."""
    with running(tmp_path) as made:
        yield made


@pytest.fixture(autouse=True)
def _restored_settings() -> Iterator[None]:
    """Give every test the default switches, quotas and durations."""
    yield
    SWITCHES.__dict__.update(Switches().__dict__)
    QUOTAS.table = dict(DEFAULTS)
    DURATIONS.reset()
