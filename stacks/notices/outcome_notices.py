"""Lead the status events of the stage's machines to the handler that tells them, and notices to their subscribers."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from config.settings import Settings
from stacks.outputs import publish
from stacks.references import NOTICES

_FAILURES: Final = ("FAILED", "TIMED_OUT", "ABORTED")


class OutcomeNotices(Construct):
    """The topic of notices, and the rule that has outcomes told."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        machine_arns: Sequence[str],
        teller: lambda_.IFunction,
        dead_letters: sqs.IQueue,
    ) -> None:
        """Create the topic and the rule for the machines."""
        super().__init__(scope, construct_id)
        topic = sns.Topic(self, "Topic", topic_name=settings.named(NOTICES), enforce_ssl=True)
        if settings.notice_email:
            topic.add_subscription(subscriptions.EmailSubscription(settings.notice_email))
        events.Rule(
            self,
            "Ended",
            rule_name=settings.named("run_ended"),
            description="A run ended that somebody is told of",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": list(machine_arns),
                    "status": [*_FAILURES, *(["SUCCEEDED"] if settings.notify_success else [])],
                },
            ),
            targets=[targets.LambdaFunction(teller, dead_letter_queue=dead_letters)],
        )
        publish(self, "TopicNotices", topic.topic_arn, "Where to subscribe to what failed")
