"""Make a certificate for this machine on the spot, signed by an authority of its own that nobody else trusts."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trustme

# OpenSSL takes no star directly below the last label, so a bucket's name goes before s3.localhost.
NAMES: Final = ("localhost", "127.0.0.1", "::1", "s3.localhost", "*.s3.localhost", "*.s3.us-east-1.localhost")


@dataclass(frozen=True)
class Certificate:
    """What a server needs for HTTPS, and the file with the authority that its clients have to trust."""

    context: ssl.SSLContext
    authority: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that let AWS's SDKs and Node trust it."""
        return {"AWS_CA_BUNDLE": str(self.authority), "NODE_EXTRA_CA_CERTS": str(self.authority)}


def make_certificate(authority: Path) -> Certificate:
    """Make one, and write its authority's certificate to a file; the keys are kept in memory only.

    Raises OSError when the file cannot be written.
    """
    made = trustme.CA(organization_name="personalize-local", organization_unit_name="this machine only")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.issue_cert(*NAMES).configure_cert(context)
    made.cert_pem.write_to_path(str(authority))
    return Certificate(context, authority)
