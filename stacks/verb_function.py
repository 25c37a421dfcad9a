"""Turn a handler into a Lambda function, with a role that may do what its row of the grants table says."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aws_cdk import Duration, IgnoreMode, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from config.settings import Settings
from stacks.grants import GRANTS
from stacks.log_group import log_group
from stacks.outputs import pascal
from stacks.permissions import Grant
from stacks.references import References

RUNTIME: Final = lambda_.Runtime.PYTHON_3_14
ARCHITECTURE: Final = lambda_.Architecture.ARM_64
METRICS_NAMESPACE: Final = "PersonalizeControlPlane"

_REPOSITORY: Final = Path(__file__).parents[1]


def handlers_code() -> lambda_.Code:
    """Return the one asset of all handlers, which keeps their import path."""
    # Of the three ignore modes only DOCKER packs exactly the negated pattern.
    return lambda_.Code.from_asset(
        str(_REPOSITORY), exclude=["*", "!lambdas/**/*.py", "!lambdas/costs/prices.toml"], ignore_mode=IgnoreMode.DOCKER
    )


class VerbFunction(lambda_.Function):
    """The function of one handler; its name in the account says stage and verb.

    State machines call the version that was deployed with them. Earlier ones stay, for executions that began with them.
    """

    def __init__(
        self,
        scope: Construct,
        module: str,
        *,
        settings: Settings,
        references: References,
        code: lambda_.Code,
        layers: Sequence[lambda_.ILayerVersion],
    ) -> None:
        """Create function, role and log group of `lambdas.<module>`."""
        grant = _grant(module)
        name = settings.named(module)
        group = log_group(scope, f"{pascal(module)}Log", f"/aws/lambda/{name}", settings.log_retention_days)
        role = iam.Role(scope, f"{pascal(module)}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        group.grant_write(role)
        for permission in grant.permissions:
            role.add_to_policy(references.statement(permission))
        for statement in references.use_of_key(grant):
            role.add_to_policy(statement)
        super().__init__(
            scope,
            pascal(module),
            function_name=name,
            description=f"lambdas/{module}.py",
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            code=code,
            handler=f"lambdas.{module}.handler",
            layers=list(layers),
            role=role,
            log_group=group,
            tracing=lambda_.Tracing.ACTIVE,
            timeout=Duration.seconds(grant.timeout_seconds),
            memory_size=grant.memory_mib,
            environment=_environment(module, grant, settings, references),
            current_version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN),
        )


def _grant(module: str) -> Grant:
    if module not in GRANTS:
        raise KeyError(f"lambdas/{module}.py has a handler but stacks/grants.py has no row for it")
    return GRANTS[module]


def _environment(module: str, grant: Grant, settings: Settings, references: References) -> dict[str, str]:
    return {
        "POWERTOOLS_SERVICE_NAME": module,
        "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
        "POWERTOOLS_LOG_LEVEL": settings.log_level,
        # boto3's own back-off bears throttling; the state machines retry only what outlasts it.
        "AWS_RETRY_MODE": "standard",
        "AWS_MAX_ATTEMPTS": "3",
        **{name: references.value(variable) for name, variable in sorted(grant.variables.items())},
    }
