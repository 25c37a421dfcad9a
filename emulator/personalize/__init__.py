"""The Amazon Personalize service, on the wire.

All operations of the installed botocore models of `personalize`, `personalize-runtime` and `personalize-events`, as a
moto backend. `start` comes before moto's mock starts; `stop` after it has stopped.
"""

from pathlib import Path

from emulator.personalize.durations import DURATIONS
from emulator.personalize.faults import FAULTS
from emulator.personalize.switches import SWITCHES

__all__ = ["DURATIONS", "FAULTS", "start", "stop"]


def start(directory: Path) -> None:
    """Serve Personalize from moto, with datasets and models below `directory`."""
    from emulator.personalize import registration  # noqa: PLC0415 - moto's server is slow to import
    from emulator.personalize.home import open_home  # noqa: PLC0415

    open_home(directory)
    registration.register()


def stop() -> None:
    """Stop the engine's workers, forget resources, faults and settings, and give moto its own Personalize back."""
    from emulator.personalize import registration  # noqa: PLC0415 - as above
    from emulator.personalize.home import close_home  # noqa: PLC0415
    from emulator.personalize.objects import forget_client  # noqa: PLC0415
    from emulator.personalize.quotas import QUOTAS  # noqa: PLC0415

    close_home()
    registration.unregister()
    forget_client()
    for settings in (DURATIONS, QUOTAS, SWITCHES):
        settings.reset()
    FAULTS.clear()
