"""Give pytest the fixture `local_personalize`. Installed with the package; it loads nothing until a test asks for it.

Settings, in pytest.ini or pyproject.toml: `local_personalize_where` (`process`, the default, or `child`) and
`local_personalize_speed` (simulated seconds per real second; time passes by itself where a status is asked for).
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from personalize_local.testing.local_personalize import LocalPersonalize

Seed = Callable[["LocalPersonalize"], Any]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the settings."""
    parser.addini("local_personalize_where", "run it in this process or in a child process", default="process")
    parser.addini("local_personalize_speed", "simulated seconds per real second", default="1")


@pytest.fixture(scope="session")
def local_personalize_seed() -> Seed | None:
    """Return what fills the Personalize that every test begins with, once a session; override it in a conftest.py."""
    return None


@pytest.fixture(scope="session")
def _local_personalize_seeded(
    local_personalize_seed: Seed | None, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Path | None:
    if local_personalize_seed is None:
        return None
    directory = tmp_path_factory.mktemp("local-personalize") / "seeded"
    with _running(pytestconfig, directory) as seeded:
        local_personalize_seed(seeded)
    return directory


@pytest.fixture
def local_personalize(
    _local_personalize_seeded: Path | None,
    pytestconfig: pytest.Config,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator["LocalPersonalize"]:
    """Give a Personalize of the test's own, with S3, fresh or as `local_personalize_seed` left it.

    boto3 clients made in the test, or in what it tests, find it by themselves.
    """
    state = None
    if _local_personalize_seeded is not None:
        state = Path(shutil.copytree(_local_personalize_seeded, tmp_path / "local-personalize"))
    with _running(pytestconfig, state) as running:
        for name, value in running.environment.items():
            if running.endpoint or name not in os.environ:
                monkeypatch.setenv(name, value)
        yield running


def _running(config: pytest.Config, state_directory: Path | None) -> Any:
    from personalize_local.testing.local_personalize import running_personalize  # noqa: PLC0415 - only when asked for

    where, speed = config.getini("local_personalize_where"), float(config.getini("local_personalize_speed"))
    if where not in {"process", "child"}:
        raise pytest.UsageError(f"local_personalize_where is process or child, not {where!r}")
    return running_personalize(where, speed=speed, state_directory=state_directory, automatic=True)
