"""Address the metrics of a stage, by the names that we gave.

References would become exports of the other stack, and those keep a handler from ever going.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from config.settings import Settings
from stacks.references import machine_arn
from stacks.verb_function import METRICS_NAMESPACE

PERIOD: Final = Duration.minutes(5)

# What handlers count themselves: (module, metric), by the graph that shows it. A test compares it with the handlers.
EMITTED: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "Files and rows": (
        ("record_uploads", "UploadsRecorded"),
        ("sweep_uploads", "UnannouncedUploads"),
        ("sweep_uploads", "LongestWaitHours"),
        ("sweep_uploads", "FilesWaiting"),
        ("sweep_uploads", "RowsWaiting"),
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
        ("review_capacity", "OldestModelHours"),
        ("review_capacity", "OverdueModels"),
    ),
    "Money": (
        ("plan_request", "OverBudget"),
        ("decide_training", "OverBudget"),
        ("review_capacity", "IdleCapacity"),
        ("publish_change", "TrainingHours"),
    ),
    "Runs": (
        ("summarise_run", "RunsDone"),
        ("explain_failure", "FailedRuns"),
        ("tell_outcome", "NoticesSent"),
        ("publish_change", "EventsPublished"),
    ),
}
# Those of them that tell how much there is, not how often something happened.
_LEVELS: Final = frozenset({"FilesWaiting", "LongestWaitHours", "OldestModelHours", "OverdueModels", "RowsWaiting"})


class StageMetrics:
    """The metrics of one stage."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def machine(self, name: str, metric: str) -> cloudwatch.Metric:
        """Return a metric that Step Functions has of a machine."""
        return _metric("AWS/States", metric, {"StateMachineArn": machine_arn(self._settings, name)})

    def function(self, module: str, metric: str) -> cloudwatch.Metric:
        """Return a metric that Lambda has of a handler's function."""
        return _metric("AWS/Lambda", metric, {"FunctionName": self._settings.named(module)})

    def own(self, module: str, metric: str) -> cloudwatch.Metric:
        """Return a metric that a handler emits itself, as Powertools names its dimension."""
        found = _metric(METRICS_NAMESPACE, metric, {"service": module})
        return found.with_(statistic=cloudwatch.Stats.MAXIMUM) if metric in _LEVELS else found

    def sweeps(self) -> cloudwatch.Metric:
        """Return how many sweeps began in the time of one."""
        sweeps = self.function("sweep_uploads", "Invocations")
        return sweeps.with_(period=Duration.minutes(self._settings.sweep_minutes))

    def longest_wait(self) -> cloudwatch.Metric:
        """Return for how many hours the oldest file has waited."""
        # Each sweep tells it; in two of their intervals there is one at least.
        wait = self.own("sweep_uploads", "LongestWaitHours")
        period = Duration.minutes(min(1440, self._settings.sweep_minutes * 2))
        return wait.with_(period=period)

    def hourly(self, metric: str) -> cloudwatch.Metric:
        """Return a level that the hourly review tells."""
        # The review tells it every hour; in two there is one at least.
        return self.own("review_capacity", metric).with_(period=Duration.hours(2))

    def oldest_message(self) -> cloudwatch.Metric:
        """Return for how many seconds the oldest announcement has waited to be recorded."""
        # A queue that nobody reads fills no dead letters; its age tells.
        return self.queue("uploads", "ApproximateAgeOfOldestMessage").with_(statistic=cloudwatch.Stats.MAXIMUM)

    def queue(self, stem: str, metric: str) -> cloudwatch.Metric:
        """Return a metric that SQS has of a queue."""
        return _metric("AWS/SQS", metric, {"QueueName": self._settings.named(stem)})


def _metric(namespace: str, metric: str, dimensions: dict[str, str]) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=metric,
        dimensions_map=dimensions,
        period=PERIOD,
        statistic=cloudwatch.Stats.SUM,
    )
