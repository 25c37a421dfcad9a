"""Turn a definition file into a state machine: its tokens become ARNs, and permission to call exactly those."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

import statemachines
from config.settings import Settings
from stacks.log_group import log_group
from stacks.outputs import pascal
from stacks.references import References

_RUN: Final = f"arn:{Aws.PARTITION}:{statemachines.INTEGRATION}"
_SYNC_RULE: Final = "StepFunctionsGetEventsForStepFunctionsExecutionRule"  # managed by Step Functions, in our account


class AslStateMachine(sfn.StateMachine):
    """The machine of one file: every event logged, every run traced."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        settings: Settings,
        references: References,
        functions: Mapping[str, lambda_.Function],
    ) -> None:
        """Create the machine `name` with its role and log group."""
        account_name = settings.named(name)
        callees = statemachines.tokens(name)
        machines = sorted(callees & set(statemachines.names()))
        handlers = sorted(callees & set(functions))
        _refuse_unknown(name, callees - set(machines) - set(handlers))
        super().__init__(
            scope,
            pascal(name),
            state_machine_name=account_name,
            definition_body=sfn.DefinitionBody.from_string(statemachines.text(name)),
            definition_substitutions={
                **({statemachines.RUN_MACHINE: _RUN} if machines else {}),
                **{handler: functions[handler].current_version.function_arn for handler in handlers},
                **{machine: references.machine(machine) for machine in machines},
            },
            # The prefix keeps log groups of many machines out of the one resource policy that CloudWatch Logs limits.
            logs=sfn.LogOptions(
                destination=log_group(
                    scope, f"{pascal(name)}Log", f"/aws/vendedlogs/states/{account_name}", settings.log_retention_days
                ),
                level=sfn.LogLevel.ALL,
                include_execution_data=True,
            ),
            tracing_enabled=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self._let_call([references.versions(handler) for handler in handlers])
        self._let_run(machines, references)

    def _let_call(self, functions: list[str]) -> None:
        # Of any version: a run that began before a deployment goes on with the versions that it began with.
        if functions:
            self.add_to_role_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=functions))

    def _let_run(self, names: list[str], references: References) -> None:
        """Allow `startExecution.sync:2`: start, look, stop, and the rule by which Step Functions hears of the end."""
        if not names:
            return
        machines, runs = list(map(references.machine, names)), list(map(references.executions, names))
        rule = f"arn:{Aws.PARTITION}:events:{Aws.REGION}:{Aws.ACCOUNT_ID}:rule/{_SYNC_RULE}"
        for actions, resources in (
            (["states:StartExecution"], machines),
            (["states:DescribeExecution", "states:StopExecution"], runs),
            (["events:DescribeRule", "events:PutRule", "events:PutTargets"], [rule]),
        ):
            self.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=resources))


def _refuse_unknown(name: str, tokens: frozenset[str]) -> None:
    if tokens:
        unknown = ", ".join(f"${{{token}}}" for token in sorted(tokens))
        raise ValueError(
            f"statemachines/{name}.asl.json mentions {unknown}: neither lambdas/<token>.py with a handler "
            "nor statemachines/<token>.asl.json"
        )
