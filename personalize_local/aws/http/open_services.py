"""Answer for services that hold data and run no code: everybody who reaches them may do everything."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from personalize_local.aws.http.endpoint import dispatcher
from personalize_local.aws.http.refusals import refuse

# moto's names of the services that programs for Personalize use beside it. None of them can run what it is given.
WITHOUT_CODE: Final = frozenset(
    {
        "cloudwatch", "dynamodb", "iam", "kms", "logs", "personalize", "s3", "secretsmanager", "sns", "sqs", "ssm",
        "sts",
    }
)  # fmt: skip


class OpenServices:
    """A WSGI application that finds the service of a request among those without code."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass a request on to its service, or say that it is not served."""
        try:
            application = dispatcher(WITHOUT_CODE).get_application(environ)
        except LookupError as error:
            message = f"this local Personalize serves {', '.join(sorted(WITHOUT_CODE))}, and not {error.args[0]}"
            return refuse(environ, start_response, "403 Forbidden", "AccessDenied", message)
        answer: Iterable[bytes] = application(environ, start_response)
        return answer
