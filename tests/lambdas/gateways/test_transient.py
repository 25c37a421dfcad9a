"""What is retried under one name, against botocore's own list of what throttling is."""

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError, ResponseStreamingError
from botocore.retries.standard import ThrottledRetryableChecker

from lambdas.gateways.transient import THROTTLING_CODES, TransientError, naming_transient_errors


def client_error(code: str, status: int) -> ClientError:
    response = {"Error": {"Code": code, "Message": "slowly"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "PutItem")  # type: ignore[arg-type]  # the other members do not matter here


def test_botocore_takes_the_same_errors_for_throttling() -> None:
    """Fact: but for LimitExceededException, a quota of the services we call."""
    throttled = set(vars(ThrottledRetryableChecker)["_THROTTLED_ERROR_CODES"])
    assert throttled - THROTTLING_CODES == {"LimitExceededException"}


@pytest.mark.parametrize(
    "error",
    [
        client_error("ThrottlingException", 400),
        client_error("ProvisionedThroughputExceededException", 400),
        client_error("SlowDown", 503),
        client_error("InternalServerError", 500),
        client_error("TransactionConflictException", 400),
        ReadTimeoutError(endpoint_url="https://personalize"),
        ResponseStreamingError(error="connection broken"),
    ],
)
def test_what_passes_by_itself_has_one_name_and_its_own_words(error: Exception) -> None:
    with pytest.raises(TransientError) as caught, naming_transient_errors():
        raise error
    assert str(caught.value) == str(error)


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "LimitExceededException", "AccessDeniedException"])
def test_an_answer_that_stands_keeps_its_name(code: str) -> None:
    with pytest.raises(ClientError, match=code), naming_transient_errors():
        raise client_error(code, 400)
