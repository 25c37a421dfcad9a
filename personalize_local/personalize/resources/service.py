"""What all accounts and regions of a running service share: the data directory, the engines, the workshop."""

import threading
from collections.abc import Callable
from pathlib import Path

from personalize_local.engine.engine import Engine
from personalize_local.personalize.resources.job_runner import Workshop


class Home:
    """The service's own resources, from start to stop."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.workshop = Workshop()
        self.keep: Callable[[], None] = lambda: None  # returns once all changes until now will survive a crash
        self._lock = threading.Lock()
        self._engines: dict[tuple[str, str], Engine] = {}

    def engine(self, account_id: str, region: str) -> Engine:
        """Return the engine of an account and region, made when first needed."""
        with self._lock:
            key = (account_id, region)
            if key not in self._engines:
                self._engines[key] = Engine(self.directory / account_id / region)
            return self._engines[key]

    def scratch(self) -> Path:
        """Return the folder for files that live as long as one job."""
        directory = self.directory / "scratch"
        directory.mkdir(parents=True, exist_ok=True)
        return directory

    def close(self) -> None:
        """Stop the engines, then what waited for them."""
        for engine in self._engines.values():
            engine.close()
        self.workshop.close()


_homes: list[Home] = []


def open_home(directory: Path) -> Home:
    """Begin; there is one home at a time."""
    if _homes:
        raise RuntimeError("the Personalize service has been started already")
    _homes.append(Home(directory))
    return _homes[0]


def current_home() -> Home:
    """Return the home of the running service."""
    if not _homes:
        raise RuntimeError(
            "the Personalize service has not been started: call personalize_local.personalize.start(directory)"
        )
    return _homes[0]


def close_home() -> None:
    """End; closing twice is fine."""
    while _homes:
        _homes.pop().close()
