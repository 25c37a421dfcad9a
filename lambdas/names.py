"""Make names that a service accepts from any text: legal letters, a bounded length, a digest for what was cut."""

import hashlib
import re


def legal(text: str) -> str:
    """Return the text with a hyphen for everything that is no ASCII letter, digit, hyphen or underscore."""
    return re.sub(r"[^a-zA-Z0-9\-_]", "-", text)


def digest(text: str, digits: int = 10) -> str:
    """Return so many hexadecimal digits that tell the text from others."""
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def ending_in(text: str, tail: str, longest: int) -> str:
    """Return as much of the text as leaves room for the tail in `longest` characters, and the tail."""
    return f"{text[: longest - len(tail)]}{tail}"


def cut_bytes(text: str, longest: int) -> str:
    """Return as much of the text as fits into so many bytes of UTF-8: what S3 and DynamoDB measure keys in."""
    return text.encode()[:longest].decode(errors="ignore")


def shown(value: str, longest: int = 100) -> str:
    """Return a value as it is quoted in a reason or report, however long it is."""
    return value if len(value) <= longest else f"{value[:longest]}…"
