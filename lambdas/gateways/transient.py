"""Give errors that pass by themselves the one name that the state machines retry."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

# What AWS's SDKs take for throttling, without LimitExceededException: of the services we call, those that raise it
# mean a quota, which the wait loop has an answer of its own for.
THROTTLING_CODES: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_CONFLICTS: Final = frozenset({"OperationAborted", "TransactionConflictException"})
_FIRST_SERVER_ERROR: Final = 500


class TransientError(Exception):
    """A service is too busy, or stumbled: the same call may succeed in a moment."""


@contextmanager
def naming_transient_errors() -> Iterator[None]:
    """Raise TransientError, with the service's words, for what a block meets of throttling, 5xx and broken connections.

    boto3 has retried three times by then; the caller of the handler may try again later, a handler never sleeps.
    """
    try:
        yield
    except ClientError as error:
        if _is_transient(error):
            raise TransientError(str(error)) from error
        raise
    except (HTTPClientError, IncompleteReadError) as error:
        raise TransientError(str(error)) from error


def _is_transient(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return error.response["Error"]["Code"] in THROTTLING_CODES | _CONFLICTS or status >= _FIRST_SERVER_ERROR
