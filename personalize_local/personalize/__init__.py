"""Serve Amazon Personalize, on the wire.

All operations of the installed botocore models of `personalize`, `personalize-runtime` and `personalize-events`, as a
moto backend. `start` comes before moto's mock starts; `stop` after it has stopped.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from personalize_local.personalize.resources.service import PersonalizeService

__all__ = ["start", "stop"]


def start(directory: Path) -> "PersonalizeService":
    """Serve Personalize from moto, with datasets and models below `directory`; return the object that holds it all."""
    from personalize_local.personalize.protocol import registration  # noqa: PLC0415 - moto's server is slow to import
    from personalize_local.personalize.resources.service import start_service  # noqa: PLC0415

    service = start_service(directory)
    registration.register()
    return service


def stop() -> None:
    """Stop the service, forget all it had, and give moto its own Personalize back."""
    from personalize_local.personalize.protocol import registration  # noqa: PLC0415 - as above
    from personalize_local.personalize.resources.service import stop_service  # noqa: PLC0415

    stop_service()
    registration.unregister()
