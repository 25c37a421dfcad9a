"""Alarm an operator of what never happens in a healthy system, and show the rest on one page.

Metrics are addressed by the names we gave. References would become exports, and those keep a handler from ever going.
"""

from collections.abc import Mapping, Sequence
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
from stacks.grants import STARTABLE
from stacks.outputs import pascal
from stacks.references import machine_arn
from stacks.verb_function import METRICS_NAMESPACE

_PERIOD: Final = Duration.minutes(5)
_LONGEST_EVALUATION_HOURS: Final = 24  # CloudWatch's limit
_LONGEST_WAIT_SECONDS: Final = 900  # that an announced object may wait to be recorded; seconds are usual
_LONGEST_WAIT_HOURS: Final = 24  # that a file may wait to be imported; of too few interactions it may be rightly so
_WIDTH_OF_NORMAL: Final = 4  # standard deviations; a run differs by what it has to do
_OFFLINE: Final = ("metrics.normalized_discounted_cumulative_gain_at_10", "metrics.precision_at_10", "metrics.coverage")

# What an alarm says to whoever it wakes; docs/runbook.md says more.
_MEANINGS: Final[Mapping[str, str]] = {
    "run_failed": "A run that an upload, a request or a policy started failed or timed out: open it in Step Functions",
    "run_slow": "A pipeline took far longer than its history: look which stage did",
    "version_kept_back": "A trained version missed a gate and does not serve: approve it, or see to the data",
    "dead_letters_waiting": "Announcements of objects were given up on: mend the cause, then move them back",
    "events_unread": "Announced objects wait to be recorded: nobody reads the queue",
    "file_waiting": "A file has waited for a day to be imported: the newest import_uploads execution says what for",
    "over_budget": "A run or a training would pass its request's budget, and was refused: raise it, or ask for less",
    "notice_failed": "A notice could not be sent: look yourself which runs failed",
    "sweep_failed": "A sweep could not look after everything: its error names what",
    "no_sweep_ran": "Sweeps stay away: what no event announced is not found, and what was put off not taken up",
}

# What handlers count themselves: (module, metric), by the graph that shows it. A test compares it with the handlers.
EMITTED: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "Files and rows": (
        ("record_uploads", "UploadsRecorded"),
        ("sweep_uploads", "UnannouncedUploads"),
        ("sweep_uploads", "LongestWaitHours"),
        ("stage_uploads", "FilesStaged"),
        ("settle_uploads", "RowsImported"),
    ),
    "What was wrong with data": (
        ("review_data", "DataWarnings"),
        ("review_data", "RejectedFiles"),
        ("release_uploads", "FailedImports"),
    ),
    "Trainings and what became of them": (
        ("decide_retrain", "Retrains"),
        ("sweep_uploads", "Retrains"),
        ("decide_training", "TrainingsDecided"),
        ("judge_solution", "VersionsKeptBack"),
        ("record_serving", "CampaignsServing"),
    ),
    "Money": (
        ("plan_request", "OverBudget"),
        ("decide_training", "OverBudget"),
        ("review_capacity", "IdleCapacity"),
    ),
    "Runs": (
        ("summarise_run", "RunsDone"),
        ("explain_failure", "FailedRuns"),
        ("tell_outcome", "NoticesSent"),
        ("publish_change", "EventsPublished"),
    ),
}


class MonitoringStack(Stack):
    """Alarms on what never happens in a healthy system, and a dashboard."""

    def __init__(self, scope: Construct, construct_id: str, settings: Settings) -> None:
        """Create the alarms, the topic if somebody wants to be told, and the dashboard."""
        super().__init__(
            scope,
            construct_id,
            stack_name=construct_id,
            env=environment(settings),
            description="Alarms and dashboard",
            termination_protection=settings.keep_data_on_destroy,
        )
        self._settings = settings
        self._topic = self._make_topic(settings.alarm_email) if settings.alarm_email else None
        self._alarms = [
            self._alarm("run_failed", _sum("Runs that nobody watches", self._unwatched_runs("Failed", "TimedOut"))),
            self._alarm_on_slowness("run_slow", self._machine("pipeline", "ExecutionTime")),
            self._alarm("version_kept_back", self._own("judge_solution", "VersionsKeptBack")),
            self._alarm("over_budget", _sum("Refused for the budget", self._refused_for_the_budget())),
            self._alarm("dead_letters_waiting", self._queue("dead_letters", "ApproximateNumberOfMessagesVisible")),
            self._alarm("events_unread", self._oldest_message(), _LONGEST_WAIT_SECONDS),
            self._alarm("file_waiting", self._longest_wait(), _LONGEST_WAIT_HOURS),
            self._alarm("notice_failed", self._function("tell_outcome", "Errors")),
            self._alarm("sweep_failed", self._function("sweep_uploads", "Errors")),
            self._alarm_on_silence("no_sweep_ran", self._sweeps()),
        ]
        self._make_dashboard()

    def _make_topic(self, address: str) -> sns.Topic:
        topic = sns.Topic(self, "Alarms", topic_name=self._settings.named("alarms"), enforce_ssl=True)
        topic.add_subscription(subscriptions.EmailSubscription(address))
        return topic

    def _alarm(self, stem: str, metric: cloudwatch.IMetric, threshold: int = 0) -> cloudwatch.AlarmBase:
        """Create an alarm that goes off as soon as `metric` is above `threshold`."""
        alarm = cloudwatch.Alarm(
            self,
            pascal(stem),
            alarm_name=self._settings.named(stem),
            alarm_description=_MEANINGS[stem],
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        return self._told(alarm)

    def _alarm_on_silence(self, stem: str, metric: cloudwatch.Metric) -> cloudwatch.AlarmBase:
        """Create an alarm that goes off when `metric` stays away three times, or once where three take over a day."""
        alarm = cloudwatch.Alarm(
            self,
            pascal(stem),
            alarm_name=self._settings.named(stem),
            alarm_description=_MEANINGS[stem],
            metric=metric,
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=3 if metric.period.to_hours(integral=False) <= _LONGEST_EVALUATION_HOURS / 3 else 1,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
        return self._told(alarm)

    def _alarm_on_slowness(self, stem: str, metric: cloudwatch.Metric) -> cloudwatch.AlarmBase:
        """Create an alarm that goes off when `metric` is far above what CloudWatch has learnt of its history."""
        alarm = cloudwatch.AnomalyDetectionAlarm(
            self,
            pascal(stem),
            alarm_name=self._settings.named(stem),
            alarm_description=_MEANINGS[stem],
            metric=metric.with_(statistic=cloudwatch.Stats.MAXIMUM, period=Duration.hours(1)),
            std_devs=_WIDTH_OF_NORMAL,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_UPPER_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        return self._told(alarm)

    def _told(self, alarm: cloudwatch.AlarmBase) -> cloudwatch.AlarmBase:
        if self._topic:
            alarm.add_alarm_action(actions.SnsAction(self._topic))
        return alarm

    def _make_dashboard(self) -> None:
        machines, outside = statemachines.names(), ("record_uploads", "sweep_uploads")
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=self._settings.named("overview"))
        dashboard.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=self._alarms, width=24))
        dashboard.add_widgets(
            _graph("Runs that succeeded", {name: self._machine(name, "ExecutionsSucceeded") for name in machines}),
            _graph("Runs that failed", {name: self._machine(name, "ExecutionsFailed") for name in machines}),
        )
        dashboard.add_widgets(
            _graph(
                "How long runs took (longest, ms)",
                {name: self._machine(name, "ExecutionTime").with_(statistic="Maximum") for name in machines},
            ),
            _graph("Errors outside of runs", {name: self._function(name, "Errors") for name in outside}),
        )
        dashboard.add_widgets(
            _graph("Age of the oldest event (s)", {"uploads": self._oldest_message()}),
            _graph("Dead letters", {"messages": self._queue("dead_letters", "ApproximateNumberOfMessagesVisible")}),
        )
        for title, emitted in EMITTED.items():
            metrics = {f"{metric} ({module})": self._own(module, metric) for module, metric in emitted}
            dashboard.add_widgets(_graph(title, metrics))
        dashboard.add_widgets(self._judgements())

    def _judgements(self) -> cloudwatch.LogQueryWidget:
        """Return the table of versions with their offline metrics, as the handler that judges them logs it."""
        shown = [f"judgement.{key}" for key in ("trainedSolutionVersionArn", "decision", *_OFFLINE)]
        return cloudwatch.LogQueryWidget(
            title="Versions, how they were judged, and their offline metrics",
            log_group_names=[f"/aws/lambda/{self._settings.named('judge_solution')}"],
            query_lines=[f"fields @timestamp, {', '.join(shown)}", 'filter message = "judged"', "sort @timestamp desc"],
            width=24,
        )

    def _unwatched_runs(self, *endings: str) -> list[cloudwatch.Metric]:
        """Return how runs ended that a handler started: of the others somebody reads the end."""
        return [self._machine(machine.name, f"Executions{ending}") for machine in STARTABLE for ending in endings]

    def _refused_for_the_budget(self) -> list[cloudwatch.Metric]:
        return [self._own(module, metric) for module, metric in EMITTED["Money"] if metric == "OverBudget"]

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

    def _longest_wait(self) -> cloudwatch.Metric:
        # Each sweep tells it; in two of their intervals there is one at least.
        wait = self._own("sweep_uploads", "LongestWaitHours")
        period = Duration.minutes(min(1440, self._settings.sweep_minutes * 2))
        return wait.with_(statistic=cloudwatch.Stats.MAXIMUM, period=period)

    def _oldest_message(self) -> cloudwatch.Metric:
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


def _sum(label: str, metrics: Sequence[cloudwatch.Metric]) -> cloudwatch.MathExpression:
    named = {f"m{number}": metric for number, metric in enumerate(metrics)}
    return cloudwatch.MathExpression(
        expression="SUM([" + ", ".join(f"FILL({name}, 0)" for name in named) + "])",
        using_metrics=named,
        label=label,
        period=_PERIOD,
    )


def _graph(title: str, metrics: Mapping[str, cloudwatch.Metric]) -> cloudwatch.GraphWidget:
    labelled = [metric.with_(label=label) for label, metric in metrics.items()]
    return cloudwatch.GraphWidget(title=title, left=labelled, width=12)
