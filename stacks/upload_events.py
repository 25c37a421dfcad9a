"""Lead events from the bucket to a handler: EventBridge rule, queue, dead letters, event source mapping."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from config.settings import Settings
from lambdas.bucket_layout import WATCHED
from stacks.outputs import publish
from stacks.protection.encryption import use_by

_DELIVERIES: Final = 5


class UploadEvents(Construct):
    """The queue in front of the handler that records uploads; nothing announced is ever dropped silently."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, bucket: s3.IBucket) -> None:
        """Create the queue, its dead letters and the rule that feeds it."""
        super().__init__(scope, construct_id)
        self._settings = settings
        self.dead_letters = self._make_queue("DeadLetters", "dead_letters", retention=Duration.days(14))
        self.queue = self._make_queue(
            "Uploads",
            "uploads",
            # Six times the handler's timeout, as Lambda recommends for a queue it reads in batches.
            visibility_timeout=Duration.minutes(6),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=_DELIVERIES),
        )
        self._watch(bucket)
        publish(self, "QueueUploads", self.queue.queue_url, "Objects announced and not yet recorded")
        publish(self, "QueueDeadLetters", self.dead_letters.queue_url, "Announcements that could not be recorded")

    def feed(self, function: lambda_.IFunction, key_arn: str | None) -> None:
        """Hand what is in the queue to `function`, in batches of which it may refuse single messages."""
        if key_arn:
            function.add_to_role_policy(use_by(key_arn, "sqs", "kms:Decrypt"))
        function.add_event_source(
            sources.SqsEventSource(
                self.queue,
                batch_size=100,
                max_batching_window=Duration.seconds(1),
                max_concurrency=10,
                report_batch_item_failures=True,
            )
        )

    def _make_queue(
        self,
        construct_id: str,
        stem: str,
        *,
        retention: Duration | None = None,
        visibility_timeout: Duration | None = None,
        dead_letter_queue: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            construct_id,
            queue_name=self._settings.named(stem),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=retention,
            visibility_timeout=visibility_timeout,
            dead_letter_queue=dead_letter_queue,
        )

    def _watch(self, bucket: s3.IBucket) -> None:
        events.Rule(
            self,
            "Created",
            rule_name=self._settings.named("object_created"),
            description="An object was created below " + " or ".join(WATCHED),
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [bucket.bucket_name]},
                    "object": {"key": [{"prefix": prefix} for prefix in WATCHED]},
                },
            ),
            targets=[targets.SqsQueue(self.queue, dead_letter_queue=self.dead_letters)],
        )
