"""The service for the tests below."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.personalize_local.personalize.world import World, running


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give the service over an engine double."""
    with running(tmp_path) as made:
        yield made
