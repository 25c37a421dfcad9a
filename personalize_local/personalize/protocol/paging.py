"""Cut lists into pages: the token says where the last page ended, and only its own kind of list accepts it."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from personalize_local.personalize.protocol.service_errors import ServiceError
from personalize_local.personalize.resources.records import Members

_CHECK_BYTES: Final = 6
_DEFAULT_PAGE: Final = 100
_TOKEN_CHARACTERS_AT_MOST: Final = 1500

T = TypeVar("T")


def page(
    listing: str,
    request: Members,
    key: str,
    numbered: Iterable[tuple[int, T]],
    view: Callable[[T], Members],
    *,
    newest_first: bool,
) -> Members:
    """Return the asked-for page of `numbered`, as `view` shows each, under `key`; and a token if more follows.

    Each of `numbered` has a number that never changes, so pages stay in step while resources come and go.
    """
    narrowing = {name: value for name, value in request.items() if name not in {"nextToken", "maxResults"}}
    rest = sorted(numbered, key=lambda item: item[0], reverse=newest_first)
    if (last := _read(request.get("nextToken"), listing, narrowing)) is not None:
        rest = [item for item in rest if (item[0] < last if newest_first else item[0] > last)]
    size = request.get("maxResults", _DEFAULT_PAGE)
    shown = rest[:size]
    answer: Members = {key: [view(each) for _, each in shown]}
    if len(rest) > size:
        answer["nextToken"] = _write(listing, narrowing, shown[-1][0])
    return answer


def check_token(request: Mapping[str, Any]) -> None:
    """Raise for a token that no list can have given: the exception of tokens comes before that of patterns."""
    token = request.get("nextToken")
    if isinstance(token, str) and not (token.isascii() and len(token) <= _TOKEN_CHARACTERS_AT_MOST):
        raise _invalid_token()


def _write(listing: str, narrowing: Members, last: int) -> str:
    payload = json.dumps([_fingerprint(listing, narrowing), last]).encode()
    return base64.urlsafe_b64encode(_checksum(payload) + payload).decode()


def _read(token: str | None, listing: str, narrowing: Members) -> int | None:
    if token is None:
        return None
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        checksum, payload = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
        fingerprint, last = json.loads(payload) if checksum == _checksum(payload) else (None, 0)
    except (UnicodeEncodeError, binascii.Error, ValueError) as error:
        raise _invalid_token() from error
    if fingerprint != _fingerprint(listing, narrowing):
        raise _invalid_token()
    return int(last)


def _invalid_token() -> ServiceError:
    return ServiceError("InvalidNextTokenException", "The token is not valid.")


def _checksum(payload: bytes) -> bytes:
    return hashlib.sha256(b"personalize" + payload).digest()[:_CHECK_BYTES]


def _fingerprint(listing: str, narrowing: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps([listing, narrowing], sort_keys=True).encode()).hexdigest()[:12]
