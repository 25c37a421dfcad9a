"""Hold everything that a running service has, from its start to its stop."""

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from personalize_local.engine.engine import Engine
from personalize_local.personalize.controls.durations import Durations
from personalize_local.personalize.controls.faults import Faults
from personalize_local.personalize.controls.passage import Passage
from personalize_local.personalize.controls.quotas import Quotas
from personalize_local.personalize.controls.switches import Switches
from personalize_local.personalize.resources.job_runner import JobRunner

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# moto answers before anything is sent. Once its mock has stopped, a job that still runs must not reach the real AWS.
_NOWHERE = {"http": "http://127.0.0.1:1", "https": "http://127.0.0.1:1"}


class PersonalizeService:
    """A running Amazon Personalize of all accounts and regions, with datasets and models below `directory`.

    `faults`, `durations`, `switches`, `quotas` and `passage` may be changed at any time. Nothing outlives the
    object but files.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.faults = Faults()
        self.durations = Durations()
        self.switches = Switches()
        self.quotas = Quotas()
        self.passage = Passage()
        self.job_runner = JobRunner()
        self.persist: Callable[[], None] = lambda: None  # returns once all changes until now will survive a crash
        self._lock = threading.Lock()
        self._engines: dict[tuple[str, str], Engine] = {}
        self._s3: S3Client | None = None

    def engine(self, account_id: str, region: str) -> Engine:
        """Return the engine of an account and region, made when first needed."""
        with self._lock:
            key = (account_id, region)
            if key not in self._engines:
                self._engines[key] = Engine(self.directory / account_id / region)
            return self._engines[key]

    @property
    def s3(self) -> "S3Client":
        """The client that all jobs share, made when first needed: moto's mock starts after the service."""
        with self._lock:
            if self._s3 is None:
                self._s3 = _s3_client()
            return self._s3

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give a folder for the length of a job."""
        parent = self.directory / "scratch"
        parent.mkdir(parents=True, exist_ok=True)
        directory = Path(tempfile.mkdtemp(dir=parent))
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def close(self) -> None:
        """Stop the engines, then the jobs that waited for them."""
        for engine in self._engines.values():
            engine.close()
        self.job_runner.close()


def _s3_client() -> "S3Client":
    return boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id="personalize",
        aws_secret_access_key="personalize",  # noqa: S106 - the local cloud checks none
        config=Config(max_pool_connections=32, proxies=_NOWHERE, retries={"total_max_attempts": 1}),
    )


# moto makes backends and calls URL handlers with nothing but a request, so they look for the service here: the one
# place of the process where it is found. Everything else is handed the object.
_running: PersonalizeService | None = None


def start_service(directory: Path) -> PersonalizeService:
    """Make the service; there is one at a time. Raises RuntimeError while another one runs."""
    global _running  # noqa: PLW0603 - see above
    if _running is not None:
        raise RuntimeError("the Personalize service has been started already")
    _running = PersonalizeService(directory)
    return _running


def current_service() -> PersonalizeService:
    """Return the service that runs. Raises RuntimeError when there is none."""
    if _running is None:
        raise RuntimeError(
            "the Personalize service has not been started: call personalize_local.personalize.start(directory)"
        )
    return _running


def stop_service() -> None:
    """Close and drop the service; stopping twice is fine."""
    global _running  # noqa: PLW0603 - see above
    if _running is not None:
        _running.close()
    _running = None
