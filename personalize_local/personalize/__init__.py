"""The Amazon Personalize service, on the wire.

All operations of the installed botocore models of `personalize`, `personalize-runtime` and `personalize-events`, as a
moto backend. `start` comes before moto's mock starts; `stop` after it has stopped.
"""

from pathlib import Path

from personalize_local.personalize.controls.durations import DURATIONS
from personalize_local.personalize.controls.faults import FAULTS
from personalize_local.personalize.controls.switches import SWITCHES

__all__ = ["DURATIONS", "FAULTS", "start", "stop"]


def start(directory: Path) -> None:
    """Serve Personalize from moto, with datasets and models below `directory`."""
    from personalize_local.personalize.protocol import registration  # noqa: PLC0415 - moto's server is slow to import
    from personalize_local.personalize.resources.service import open_home  # noqa: PLC0415

    open_home(directory)
    registration.register()


def stop() -> None:
    """Stop the engine's workers, forget resources, faults and settings, and give moto its own Personalize back."""
    from personalize_local.personalize.protocol import registration  # noqa: PLC0415 - as above
    from personalize_local.personalize.resources.job_files import forget_client  # noqa: PLC0415
    from personalize_local.personalize.resources.quotas import QUOTAS  # noqa: PLC0415
    from personalize_local.personalize.resources.service import close_home  # noqa: PLC0415

    close_home()
    registration.unregister()
    forget_client()
    for settings in (DURATIONS, QUOTAS, SWITCHES):
        settings.reset()
    FAULTS.clear()
