"""Let the deployer do all, and anybody else, the local user, use what is deployed.

The deployer signs with a secret of this one cloud, which no web page and no other program can know unless it is told.
Signatures of others are not looked at: SDKs need some key, and existing programs have `test` and `test`. They get what
`LOCAL_USER` lists, and nothing that could run code of theirs: no new function, layer, machine, rule, template or
role, and no schedule that calls more than what they may call themselves.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.utils import camelcase_to_underscores
from moto.s3.exceptions import S3AccessDeniedError
from moto.sts.models import sts_backends
from werkzeug.exceptions import HTTPException

from personalize_local.aws.corrections import Correction
from personalize_local.aws.current_cloud import ACCOUNT_ID
from personalize_local.aws.http.refusals import error_text, refuse
from personalize_local.aws.http.signatures import is_signed

# moto's names of the services that the app, its deployment and its users need; it has 150 more.
SERVED: Final = frozenset(
    {
        "awslambda", "cloudformation", "cloudwatch", "dynamodb", "ecr", "events", "iam", "kms", "logs", "personalize",
        "resourcegroupstaggingapi", "s3", "scheduler", "sns", "sqs", "ssm", "stepfunctions", "sts",
    }
)  # fmt: skip
WHOLLY_OPEN: Final = frozenset({"dynamodb", "personalize", "s3", "sqs"})  # data, not code; S3 but for assets
READING: Final = ("batch_get_", "describe_", "filter_", "get_", "list_")
# What the local user may do in the other services, beside reading.
LOCAL_USER: Final[Mapping[str, frozenset[str]]] = {
    "awslambda": frozenset({"invoke", "invoke_async"}),
    "cloudwatch": frozenset({"put_metric_data"}),
    "events": frozenset({"put_events", "test_event_pattern"}),
    "kms": frozenset({"decrypt", "encrypt", "generate_data_key", "generate_data_key_without_plaintext", "re_encrypt"}),
    "logs": frozenset({"create_log_group", "create_log_stream", "put_log_events", "start_query", "stop_query"}),
    "scheduler": frozenset({"create_schedule", "delete_schedule", "update_schedule"}),  # but see `calls_anything`
    "sns": frozenset({"publish", "publish_batch"}),
    "ssm": frozenset({"delete_parameter", "delete_parameters", "put_parameter"}),  # but see `is_for_deployments`
    "stepfunctions": frozenset(
        {
            "redrive_execution", "send_task_failure", "send_task_heartbeat", "send_task_success", "start_execution",
            "start_sync_execution", "stop_execution",
        }
    ),
}  # fmt: skip
NO_READING: Final = frozenset({"get_template_summary"})  # it is handed a template to parse
READING_S3: Final = ("Get", "Head", "List")
REST_JSON: Final = frozenset({"awslambda", "scheduler"})  # whose requests need not say that they are JSON
DEPLOYER: Final = "local_cloud.deployer"  # in environ: whether the deployer signed; absent from calls in process
SERVICE: Final = "local_cloud.service"  # in environ: moto's name of the service
HINT: Final = "sign with the credentials that serve printed; docs/security.md says why"


@dataclass(frozen=True)
class Deployer:
    """Who deployed the app: an access key, its secret, and the sessions it got from AssumeRole, as the CDK does."""

    access_key: str
    secret: str

    def secret_of(self, access_key: str) -> str | None:
        """Return the secret of an access key that is the deployer's, or None."""
        if access_key == self.access_key:
            return self.secret
        sessions = sts_backends[ACCOUNT_ID]["aws"].assumed_roles  # nobody else can assume a role here
        return next((str(made.secret_access_key) for made in sessions if made.access_key_id == access_key), None)


class Dispatcher(Protocol):
    """The choice of the WSGI application that answers for a service; raises LookupError for one that is not served."""

    def get_application(self, environ: dict[str, Any]) -> Any:
        """Return the application, with moto's name of its service."""


class Callers:
    """A WSGI application that finds the service of a request, and notes whether its deployer asks."""

    def __init__(self, dispatcher: Dispatcher, deployer: Deployer) -> None:
        self._dispatcher = dispatcher
        self._deployer = deployer

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass a request on to its service, where the corrections below ask who called."""
        try:
            application = self._dispatcher.get_application(environ)
        except LookupError as error:
            message = f"the local cloud does not serve {error.args[0]}"
            return refuse(environ, start_response, "403 Forbidden", "AccessDenied", message)
        environ[SERVICE] = application.service
        environ[DEPLOYER] = is_signed(environ, self._deployer.secret_of)
        answer: Iterable[bytes] = application(environ, start_response)
        return answer


def may_use(service: str, operation: str) -> bool:
    """Tell whether the local user may do something; operations are named as boto3's methods."""
    if service in WHOLLY_OPEN or operation in LOCAL_USER.get(service, ()):
        return True
    return operation.startswith(READING) and operation not in NO_READING


def calls_anything(target: Any) -> bool:
    """Tell whether a schedule's target is any operation of the SDK: the schedule would make it as the deployer does."""
    return isinstance(target, Mapping) and str(target.get("Arn", "")).split(":")[2:3] == ["scheduler"]


def is_for_deployments(parameter: str) -> bool:
    """Tell whether a parameter is one by which the CDK finds what it bootstrapped."""
    return parameter.startswith("/cdk-bootstrap/")


def may_use_bucket(bucket: str, action: str) -> bool:
    """Tell whether the local user may do something with a bucket: code assets are run once they are deployed."""
    return not (bucket.startswith("cdk-") and "-assets-" in bucket) or action.startswith(READING_S3)


def authorize(response: Any, _resource: str = "*") -> None:
    """Refuse the local user what only the deployer may do; in this process everybody is the deployer."""
    environ = response.normalized_request.environ
    action = str(response._get_action())  # noqa: SLF001 - the very method by which moto chooses what to run
    operation = camelcase_to_underscores(action)
    if environ.get(DEPLOYER, True) or (may_use(environ[SERVICE], operation) and not _reaches_further(response)):
        return
    message = f"only who deployed the app may {action} here: {HINT}"
    raise _CallRefusedError(error_text(environ, "AccessDenied", message, is_json=environ[SERVICE] in REST_JSON))


def _reaches_further(response: Any) -> bool:
    """Tell whether an operation that the local user may call is about what only the deployer may touch."""
    service, ask = response.normalized_request.environ[SERVICE], response._get_param  # noqa: SLF001 - as moto's own operations do
    if service == "scheduler":
        return calls_anything(ask("Target"))
    writes = not str(response._get_action()).startswith("Get")  # noqa: SLF001
    names = [ask("Name"), *(ask("Names") or ())] if service == "ssm" and writes else []
    return any(is_for_deployments(str(name)) for name in names)


def authorize_s3(response: Any, bucket_name: str | None = None, key_name: str | None = None) -> None:  # noqa: ARG001 - moto's signature
    """Refuse the local user changes to the buckets that functions take their code from."""
    is_deployer = response.normalized_request.environ.get(DEPLOYER, True)
    if not is_deployer and not may_use_bucket(bucket_name or "", str(response.data.get("Action"))):
        raise _AssetsRefusedError


class _CallRefusedError(HTTPException):
    code = 403  # and the description is the answer's body, as moto has it


class _AssetsRefusedError(S3AccessDeniedError):
    def __init__(self) -> None:
        super().__init__()
        self.message = f"only who deploys the app may change its code assets: {HINT}"


CORRECTIONS = (
    Correction(
        ActionAuthenticatorMixin,
        "_authenticate_and_authorize_normal_action",
        authorize,
        "it lets every caller make functions, which run as the user",
    ),
    Correction(
        ActionAuthenticatorMixin,
        "_authenticate_and_authorize_s3_action",
        authorize_s3,
        "it lets every caller exchange the code that is deployed next",
    ),
)
