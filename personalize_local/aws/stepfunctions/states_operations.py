"""Answer every operation of Step Functions: as moto does, as we do, or by an error that names what is not offered.

moto answers with HTTP 500 where it lacks an operation, a parameter or a resource, so that a client tries again for
minutes.
"""

import functools
import json
from datetime import datetime
from typing import Any, cast

import botocore.session
from botocore.model import OperationModel, Shape
from botocore.validate import ParamValidator
from moto.core.exceptions import AWSError
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import camelcase_to_underscores
from moto.stepfunctions import urls
from moto.stepfunctions.exceptions import InvalidArn, ResourceNotFound, ValidationException
from moto.stepfunctions.responses import StepFunctionResponse

from personalize_local.aws.corrections import Correction
from personalize_local.aws.stepfunctions.definitions import InvalidDefinition, validate_definition

# Offered by AWS and not here. TestState and StartSyncExecution run what only Express machines and the console need.
NOT_OFFERED = frozenset(
    {
        "DeleteStateMachineVersion",
        "GetActivityTask",
        "ListStateMachineVersions",
        "PublishStateMachineVersion",
        "StartSyncExecution",
        "TestState",
    }
)
OF_ALIASES = frozenset({"DeleteStateMachineAlias", "DescribeStateMachineAlias", "UpdateStateMachineAlias"})


class UnknownOperation(AWSError):  # noqa: N818 - like AWS's names
    """The service has no such operation, or the local cloud does not offer it."""

    TYPE = "UnknownOperationException"
    STATUS = 400


class MissingRequiredParameter(AWSError):  # noqa: N818 - AWS's name
    """A request names nothing to do; moto's error of this name reaches the client without it."""

    TYPE = "MissingRequiredParameter"
    STATUS = 400


@functools.cache
def _operation_models() -> dict[str, OperationModel]:
    service = botocore.session.get_session().get_service_model("stepfunctions")
    return {name: service.operation_model(name) for name in service.operation_names}


class Operations(StepFunctionResponse):
    """moto's operations with those it lacks, behind one check of every request."""

    def call_action(self) -> Any:
        """Answer a request; what is not offered, and what does not fit the service's model, is refused in words."""
        try:
            self._check(self._get_action())
        except AWSError as error:
            return error.code, {**self.response_headers, **dict(error.get_headers())}, error.description
        return super().call_action()

    def _check(self, operation: str) -> None:
        models = _operation_models()
        if operation not in models:
            raise UnknownOperation(f"Step Functions has no operation {operation}")
        if operation in NOT_OFFERED or not hasattr(self, camelcase_to_underscores(operation)):
            raise UnknownOperation(f"The local cloud does not offer Step Functions' {operation}")
        parameters = json.loads(self.body or "{}")
        report = ParamValidator().validate(parameters, cast("Shape", models[operation].input_shape))
        if report.has_errors():
            raise ValidationException(report.generate_report())
        if operation == "UpdateStateMachine" and set(parameters) <= {
            "stateMachineArn",
            "publish",
            "versionDescription",
        }:
            raise MissingRequiredParameter("UpdateStateMachine needs a definition, a role or a configuration to change")
        if operation in OF_ALIASES and ":" not in parameters["stateMachineAliasArn"]:
            raise InvalidArn(f"Invalid State Machine Alias Arn: '{parameters['stateMachineAliasArn']}'")

    def redrive_execution(self) -> ActionResult:
        """Run an unsuccessful execution on from what did not succeed."""
        backend: Any = self.stepfunction_backend
        redriven: datetime = backend.redrive_execution(self._get_param("executionArn"), self._get_param("clientToken"))
        return ActionResult({"redriveDate": redriven})

    def describe_state_machine_for_execution(self) -> ActionResult:
        """Describe the machine as it was when the execution started."""
        backend: Any = self.stepfunction_backend
        machine = backend.describe_execution(self._get_param("executionArn")).state_machine
        described = {
            "stateMachineArn": machine.arn,
            "name": machine.name,
            "definition": machine.definition,
            "roleArn": machine.roleArn,
            "updateDate": machine.update_date,
        }
        return ActionResult(described)

    def validate_state_machine_definition(self) -> ActionResult:
        """Check a definition as CreateStateMachine does, and answer with what is wrong instead of failing."""
        try:
            validate_definition(self._get_param("definition"))
        except InvalidDefinition as error:
            finding = {"severity": "ERROR", "code": _code_of(str(error.message)), "message": str(error.message)}
            return ActionResult({"result": "FAIL", "diagnostics": [finding], "truncated": False})
        return ActionResult({"result": "OK", "diagnostics": [], "truncated": False})

    def tag_resource(self) -> ActionResult:
        """Add tags to a machine or an activity that exists."""
        arn, tags = self._get_param("resourceArn"), self._get_param("tags")
        backend: Any = self.stepfunction_backend
        if arn not in {machine.arn for machine in backend.state_machines} | set(backend.activities):
            raise ResourceNotFound(arn)
        backend.tagger.tag_resource(arn, tags)
        return EmptyResult()

    def describe_map_run(self) -> ActionResult:
        """Describe a map run."""
        return ActionResult(self._map_run().describe())

    def update_map_run(self) -> ActionResult:
        """Change what a map run tolerates, and how much of it runs at once."""
        names = ("maxConcurrency", "toleratedFailureCount", "toleratedFailurePercentage")
        values = {camelcase_to_underscores(name): self._get_param(name) for name in names}
        self._map_run().update(**values)
        return EmptyResult()

    def _map_run(self) -> Any:
        arn = self._get_param("mapRunArn")
        backend: Any = self.stepfunction_backend
        for execution in list(backend.executions.values()):
            if record := execution.exec_worker.env.map_run_record_pool_manager.get(arn):
                return record
        raise ResourceNotFound(arn)


def _code_of(message: str) -> str:
    """Return the service's code within a message such as `… 'MISSING_TRANSITION_TARGET: …'`."""
    return message.partition("'")[2].partition(":")[0]


CORRECTIONS = (
    Correction(urls, "url_paths", {"{0}/$": Operations.dispatch}, "a missing operation or resource is an HTTP 500"),
)
