"""Alarm an operator of what never happens in a healthy system, and show the rest on one page.

Metrics are addressed by the names we gave. References would become exports, and those keep a handler from ever going.
"""

from collections.abc import Mapping
from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

import statemachines
from config.settings import Settings
from stacks.access.placement import environment
from stacks.handlers import handlers
from stacks.outputs import pascal
from stacks.references import machine_arn
from stacks.verb_function import METRICS_NAMESPACE

_PERIOD: Final = Duration.minutes(5)
_LONGEST_EVALUATION_HOURS: Final = 24  # CloudWatch's limit
_LONGEST_WAIT_SECONDS: Final = 900  # that an announced object may wait to be recorded; seconds are usual


class MonitoringStack(Stack):
    """Alarms on what never happens in a healthy system, and a dashboard."""

    def __init__(self, scope: Construct, construct_id: str, settings: Settings) -> None:
        """Create the alarms, the topic if somebody wants to be told, and the dashboard."""
        env, description = environment(settings), "Alarms and dashboard"
        super().__init__(scope, construct_id, stack_name=construct_id, env=env, description=description)
        self._settings = settings
        self._topic = self._make_topic(settings.alarm_email) if settings.alarm_email else None
        self._alarms = [
            self._alarm("dead_letters_waiting", self._queue("dead_letters", "ApproximateNumberOfMessagesVisible")),
            self._alarm("uploads_waiting", self._oldest_upload(), _LONGEST_WAIT_SECONDS),
            self._alarm("version_kept_back", self._own("judge_solution", "VersionsKeptBack")),
            self._alarm_on_silence("no_sweep_ran", self._sweeps()),
            *(self._alarm(f"{name}_failed", self._machine(name, "ExecutionsFailed")) for name in statemachines.names()),
            *(self._alarm(f"{name}_errors", self._function(name, "Errors")) for name in handlers()),
        ]
        self._make_dashboard()

    def _make_topic(self, address: str) -> sns.Topic:
        topic = sns.Topic(self, "Alarms", topic_name=self._settings.named("alarms"), enforce_ssl=True)
        topic.add_subscription(subscriptions.EmailSubscription(address))
        return topic

    def _alarm(self, stem: str, metric: cloudwatch.Metric, threshold: int = 0) -> cloudwatch.Alarm:
        """Create an alarm that goes off as soon as `metric` is above `threshold`."""
        alarm = cloudwatch.Alarm(
            self,
            pascal(stem),
            alarm_name=self._settings.named(stem),
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        return self._told(alarm)

    def _alarm_on_silence(self, stem: str, metric: cloudwatch.Metric) -> cloudwatch.Alarm:
        """Create an alarm that goes off when `metric` stays away three times, or once where three take over a day."""
        alarm = cloudwatch.Alarm(
            self,
            pascal(stem),
            alarm_name=self._settings.named(stem),
            metric=metric,
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=3 if metric.period.to_hours(integral=False) <= _LONGEST_EVALUATION_HOURS / 3 else 1,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
        return self._told(alarm)

    def _told(self, alarm: cloudwatch.Alarm) -> cloudwatch.Alarm:
        if self._topic:
            alarm.add_alarm_action(actions.SnsAction(self._topic))
        return alarm

    def _make_dashboard(self) -> None:
        machines, functions = statemachines.names(), handlers()
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=self._settings.named("overview"))
        dashboard.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=self._alarms, width=24))
        dashboard.add_widgets(
            _graph("Runs that succeeded", {name: self._machine(name, "ExecutionsSucceeded") for name in machines}),
            _graph("Runs that failed", {name: self._machine(name, "ExecutionsFailed") for name in machines}),
        )
        dashboard.add_widgets(
            _graph("Calls of handlers", {name: self._function(name, "Invocations") for name in functions}),
            _graph("Errors of handlers", {name: self._function(name, "Errors") for name in functions}),
        )
        dashboard.add_widgets(
            _graph("Objects announced", {"objects": self._queue("uploads", "NumberOfMessagesSent")}),
            _graph("Dead letters", {"messages": self._queue("dead_letters", "ApproximateNumberOfMessagesVisible")}),
        )

    def _machine(self, name: str, metric: str) -> cloudwatch.Metric:
        return _metric("AWS/States", metric, {"StateMachineArn": machine_arn(self._settings, name)})

    def _function(self, module: str, metric: str) -> cloudwatch.Metric:
        return _metric("AWS/Lambda", metric, {"FunctionName": self._settings.named(module)})

    def _own(self, module: str, metric: str) -> cloudwatch.Metric:
        """Return a metric that a handler emits itself, as Powertools names its dimension."""
        return _metric(METRICS_NAMESPACE, metric, {"service": module})

    def _sweeps(self) -> cloudwatch.Metric:
        sweeps = self._function("sweep_uploads", "Invocations")
        return sweeps.with_(period=Duration.minutes(self._settings.sweep_minutes))

    def _oldest_upload(self) -> cloudwatch.Metric:
        # A queue that nobody reads fills no dead letters; its age tells.
        return self._queue("uploads", "ApproximateAgeOfOldestMessage").with_(statistic=cloudwatch.Stats.MAXIMUM)

    def _queue(self, stem: str, metric: str) -> cloudwatch.Metric:
        return _metric("AWS/SQS", metric, {"QueueName": self._settings.named(stem)})


def _metric(namespace: str, metric: str, dimensions: dict[str, str]) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=metric,
        dimensions_map=dimensions,
        period=_PERIOD,
        statistic=cloudwatch.Stats.SUM,
    )


def _graph(title: str, metrics: Mapping[str, cloudwatch.Metric]) -> cloudwatch.GraphWidget:
    labelled = [metric.with_(label=label) for label, metric in metrics.items()]
    return cloudwatch.GraphWidget(title=title, left=labelled, width=12)
