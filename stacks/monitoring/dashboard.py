"""Show on one page how a stage is: alarms, runs, data, models and money, and where to look further."""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Aws, region_info
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

import statemachines
from config.settings import Settings
from lambdas.notices.notice_texts import CONSOLES
from stacks.monitoring.stage_metrics import EMITTED, StageMetrics
from stacks.references import machine_arn

_OFFLINE: Final = ("metrics.normalized_discounted_cumulative_gain_at_10", "metrics.precision_at_10", "metrics.coverage")


class Overview(cloudwatch.Dashboard):
    """The dashboard of one stage."""

    def __init__(
        self, scope: Construct, construct_id: str, settings: Settings, alarms: Sequence[cloudwatch.AlarmBase]
    ) -> None:
        """Create the dashboard with the state of `alarms` above all."""
        machines, outside = statemachines.names(), ("record_uploads", "sweep_uploads")
        super().__init__(scope, construct_id, dashboard_name=settings.named("overview"))
        self._settings, metrics = settings, StageMetrics(settings)
        self.add_widgets(cloudwatch.TextWidget(markdown=self._links(), width=24, height=3))
        self.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=24))
        self.add_widgets(
            _graph("Runs that succeeded", {name: metrics.machine(name, "ExecutionsSucceeded") for name in machines}),
            _graph("Runs that failed", {name: metrics.machine(name, "ExecutionsFailed") for name in machines}),
        )
        self.add_widgets(
            _graph(
                "How long runs took (longest, ms)",
                {name: metrics.machine(name, "ExecutionTime").with_(statistic="Maximum") for name in machines},
            ),
            _graph("Errors outside of runs", {name: metrics.function(name, "Errors") for name in outside}),
        )
        self.add_widgets(
            _graph("Age of the oldest event (s)", {"uploads": metrics.oldest_message()}),
            _graph("Dead letters", {"messages": metrics.queue("dead_letters", "ApproximateNumberOfMessagesVisible")}),
        )
        for title, emitted in EMITTED.items():
            counted = {f"{metric} ({module})": metrics.own(module, metric) for module, metric in emitted}
            self.add_widgets(_graph(title, counted))
        self.add_widgets(self._judgements())

    def _judgements(self) -> cloudwatch.LogQueryWidget:
        """Return the table of versions with their offline metrics, as the handler that judges them logs it."""
        shown = [f"judgement.{key}" for key in ("trainedSolutionVersionArn", "decision", *_OFFLINE)]
        return cloudwatch.LogQueryWidget(
            title="Versions, how they were judged, and their offline metrics",
            log_group_names=[f"/aws/lambda/{self._settings.named('judge_solution')}"],
            query_lines=[f"fields @timestamp, {', '.join(shown)}", 'filter message = "judged"', "sort @timestamp desc"],
            width=24,
        )

    def _links(self) -> str:
        """Return links to the consoles, as Markdown: machines first, as there stands why something failed."""
        region = (
            self._settings.region or "us-east-1"
        )  # a stage that pins none is taken for one in AWS's first partition
        console = CONSOLES.get(region_info.RegionInfo.get(region).partition or "aws", CONSOLES["aws"])
        home = f"home?region={Aws.REGION}#"
        machines = {
            name: f"states/{home}/statemachines/view/{machine_arn(self._settings, name)}"
            for name in statemachines.names()
        }
        app = f"{self._settings.name}-{self._settings.stage}"
        others = {
            "Amazon Personalize": f"personalize/{home}datasetgroups",
            "logs": f"cloudwatch/{home}logsV2:log-groups$3FlogGroupNameFilter$3D{app}-",
            "dead letters": f"sqs/v3/home?region={Aws.REGION}#/queues",
        }
        links = [f"[{name}](https://{console}/{path})" for name, path in {**machines, **others}.items()]
        return f"{' | '.join(links)}\n\nWhat each alarm asks you to do stands in docs/runbook.md."


def _graph(title: str, metrics: Mapping[str, cloudwatch.Metric]) -> cloudwatch.GraphWidget:
    labelled = [metric.with_(label=label) for label, metric in metrics.items()]
    return cloudwatch.GraphWidget(title=title, left=labelled, width=12)
