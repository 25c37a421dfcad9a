"""Alarm an operator of what never happens in a healthy system, and show the rest on one page."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from config.settings import Settings
from stacks.access.placement import environment
from stacks.grants import STARTABLE
from stacks.monitoring.dashboard import Overview
from stacks.monitoring.stage_metrics import EMITTED, PERIOD, StageMetrics
from stacks.outputs import pascal

_LONGEST_EVALUATION_HOURS: Final = 24  # CloudWatch's limit
_LONGEST_WAIT_SECONDS: Final = 900  # that an announced object may wait to be recorded; seconds are usual
_LONGEST_WAIT_HOURS: Final = 24  # that a file may wait to be imported; of too few interactions it may be rightly so
_WIDTH_OF_NORMAL: Final = 4  # standard deviations; a run differs by what it has to do

_Alarm = cloudwatch.Alarm | cloudwatch.AnomalyDetectionAlarm

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
    "model_overdue": "A campaign serves a model that is older than its request wants: look why nothing trained",
    "capacity_idle": "A campaign or recommender costs and serves nobody: remove it, or say in the request what to do",
    "sweep_failed": "A sweep could not look after everything: its error names what",
    "no_sweep_ran": "Sweeps stay away: what no event announced is not found, and what was put off not taken up",
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
        metrics = StageMetrics(settings)
        alarms = [
            self._alarm("run_failed", _sum("Runs that nobody watches", _unwatched_runs(metrics, "Failed", "TimedOut"))),
            self._alarm_on_slowness("run_slow", metrics.machine("pipeline", "ExecutionTime")),
            self._alarm("version_kept_back", metrics.own("judge_solution", "VersionsKeptBack")),
            self._alarm("over_budget", _sum("Refused for the budget", _refused_for_the_budget(metrics))),
            self._alarm("dead_letters_waiting", metrics.queue("dead_letters", "ApproximateNumberOfMessagesVisible")),
            self._alarm("events_unread", metrics.oldest_message(), _LONGEST_WAIT_SECONDS),
            self._alarm("file_waiting", metrics.longest_wait(), _LONGEST_WAIT_HOURS),
            self._alarm("model_overdue", metrics.hourly("OverdueModels")),
            self._alarm("capacity_idle", metrics.own("review_capacity", "IdleCapacity")),
            self._alarm("notice_failed", metrics.function("tell_outcome", "Errors")),
            self._alarm("sweep_failed", metrics.function("sweep_uploads", "Errors")),
            self._alarm_on_silence("no_sweep_ran", metrics.sweeps()),
        ]
        Overview(self, "Dashboard", settings, alarms)

    def _make_topic(self, address: str) -> sns.Topic:
        topic = sns.Topic(self, "Alarms", topic_name=self._settings.named("alarms"), enforce_ssl=True)
        topic.add_subscription(subscriptions.EmailSubscription(address))
        return topic

    def _alarm(self, stem: str, metric: cloudwatch.IMetric, threshold: int = 0) -> cloudwatch.AlarmBase:
        """Create an alarm that goes off as soon as `metric` is above `threshold`."""
        return self._make(
            stem,
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _alarm_on_silence(self, stem: str, metric: cloudwatch.Metric) -> cloudwatch.AlarmBase:
        """Create an alarm that goes off when `metric` stays away three times, or once where three take over a day."""
        return self._make(
            stem,
            metric=metric,
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=3 if metric.period.to_hours(integral=False) <= _LONGEST_EVALUATION_HOURS / 3 else 1,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )

    def _alarm_on_slowness(self, stem: str, metric: cloudwatch.Metric) -> cloudwatch.AlarmBase:
        """Create an alarm that goes off when `metric` is far above what CloudWatch has learnt of its history."""
        return self._make(
            stem,
            cloudwatch.AnomalyDetectionAlarm,
            metric=metric.with_(statistic=cloudwatch.Stats.MAXIMUM, period=Duration.hours(1)),
            std_devs=_WIDTH_OF_NORMAL,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_UPPER_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _make(self, stem: str, kind: type[_Alarm] = cloudwatch.Alarm, **condition: Any) -> _Alarm:
        """Create an alarm under its names, with its meaning, and tell whoever the stage names."""
        name, meaning = self._settings.named(stem), _MEANINGS[stem]
        alarm = kind(self, pascal(stem), alarm_name=name, alarm_description=meaning, **condition)
        if self._topic:
            alarm.add_alarm_action(actions.SnsAction(self._topic))
        return alarm


def _unwatched_runs(metrics: StageMetrics, *endings: str) -> list[cloudwatch.Metric]:
    """Return how runs ended that a handler started: of the others somebody reads the end."""
    return [metrics.machine(machine.name, f"Executions{ending}") for machine in STARTABLE for ending in endings]


def _refused_for_the_budget(metrics: StageMetrics) -> list[cloudwatch.Metric]:
    return [metrics.own(module, metric) for module, metric in EMITTED["Money"] if metric == "OverBudget"]


def _sum(label: str, metrics: Sequence[cloudwatch.Metric]) -> cloudwatch.MathExpression:
    named = {f"m{number}": metric for number, metric in enumerate(metrics)}
    return cloudwatch.MathExpression(
        expression="SUM([" + ", ".join(f"FILL({name}, 0)" for name in named) + "])",
        using_metrics=named,
        label=label,
        period=PERIOD,
    )
