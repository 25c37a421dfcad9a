"""Lead the status events of the stage's machines to the handler that publishes them on the stage's bus."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from config.settings import Settings
from lambdas.notices.status_changes import RESOURCE_MACHINES
from stacks.references import machine_arn

_ENDINGS: Final = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


class ChangeRules(Construct):
    """The rules that have every change of a run or resource published on the stage's bus."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        machines: Sequence[str],
        publisher: lambda_.IFunction,
        dead_letters: sqs.IQueue,
    ) -> None:
        """Create the rules for `machines`; of those that change resources only how they ended is published."""
        super().__init__(scope, construct_id)
        self._settings = settings
        stages = [name for name in machines if name not in RESOURCE_MACHINES]
        target = targets.LambdaFunction(publisher, dead_letter_queue=dead_letters)
        self._rule("RunChanged", "run_changed", "A run began or ended", stages, ("RUNNING", *_ENDINGS), target)
        changing = "A resource may have changed"
        self._rule("ResourceChanged", "resource_changed", changing, RESOURCE_MACHINES, _ENDINGS, target)

    def _rule(
        self,
        construct_id: str,
        stem: str,
        description: str,
        machines: Sequence[str],
        statuses: Sequence[str],
        target: targets.LambdaFunction,
    ) -> None:
        arns = [machine_arn(self._settings, name) for name in machines]
        events.Rule(
            self,
            construct_id,
            rule_name=self._settings.named(stem),
            description=description,
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"stateMachineArn": arns, "status": list(statuses)},
            ),
            targets=[target],
        )
