"""Refuse what is signed for a region that AWS does not have: moto breaks on one that it does not know.

AWS has no host there either. What such a request gets here is what AWS answers to a signature for a wrong region.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final

from botocore.session import Session

from personalize_local.aws.http.refusals import Application, refuse

_SCOPE: Final = re.compile(r"Credential=[^/,\s]+/\d{8}/(?P<region>[^/,\s]+)/[^/,\s]+/aws4_request")


@cache
def known_regions() -> frozenset[str]:
    """Return all regions of all partitions of AWS, as botocore lists them for EC2, which every region has."""
    session = Session()
    partitions = session.get_available_partitions()
    return frozenset(name for each in partitions for name in session.get_available_regions("ec2", each))


def is_region(name: str) -> bool:
    """Tell whether AWS has a region of that name; `aws-global` and its like stand for services without one."""
    return name in known_regions() or name.endswith("-global")


class Regions:
    """A WSGI application that answers for the regions of AWS, and refuses others in the protocol of their sender."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass a request on, or refuse it."""
        scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
        if scope is None or is_region(scope["region"]):
            return self._application(environ, start_response)
        message = f"Credential should be scoped to a valid region; {scope['region']!r} is none."
        return refuse(environ, start_response, "403 Forbidden", "InvalidSignature", message)
