"""Make the service's exceptions: the class name on the wire is the contract, the message is for people."""


class ServiceError(Exception):
    """An answer that is an error: `code` is the exception's name in the service model."""

    def __init__(self, code: str, message: str, http_status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.http_status = http_status


def invalid_input(message: str) -> ServiceError:
    """Return the error for a value that can never be right."""
    return ServiceError("InvalidInputException", message)


def not_found(arn: str) -> ServiceError:
    """Return the error for a well-formed ARN that names nothing."""
    return ServiceError("ResourceNotFoundException", f"Resource Arn {arn} does not exist.")


def already_exists(arn: str) -> ServiceError:
    """Return the error for a name that is taken, or was used by a job once."""
    return ServiceError("ResourceAlreadyExistsException", f"Another resource with Arn {arn} already exists.")


def in_use(message: str) -> ServiceError:
    """Return the error for a resource whose state, or whose dependants, forbid the request for now."""
    return ServiceError("ResourceInUseException", message)


def limit_exceeded(message: str) -> ServiceError:
    """Return the error for a full quota."""
    return ServiceError("LimitExceededException", message)


def serialization(message: str) -> ServiceError:
    """Return the error for a body that is not JSON, or holds a value of the wrong JSON type."""
    return ServiceError("SerializationException", message, 400)


def throttled() -> ServiceError:
    """Return the error for too many calls in a second."""
    return ServiceError("ThrottlingException", "Rate exceeded", 400)
