"""Refuse object keys that are longer than S3 takes, measured in the bytes of their UTF-8."""

from typing import Any

from moto.s3.exceptions import S3ClientError
from moto.s3.responses import S3Response

from personalize_local.aws.corrections import Correction
from personalize_local.aws.limits import OBJECT_KEY


class KeyTooLongError(S3ClientError):
    """The key of an object is too long."""

    code = "KeyTooLongError"

    def __init__(self) -> None:
        super().__init__("Your key is too long")


_parse_as_moto = S3Response.parse_key_name


def parse_key_name(response: Any) -> str:
    """Return the key a request is about, whatever it wants of it."""
    key: str = _parse_as_moto(response)
    if len(key.encode(errors="surrogatepass")) > OBJECT_KEY.value:
        raise KeyTooLongError
    return key


CORRECTIONS = (Correction(S3Response, "parse_key_name", parse_key_name, "keys of any length are taken"),)
