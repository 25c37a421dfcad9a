"""Create and delete event trackers and metric attributions: one of each in a group."""

import re
import secrets
import uuid
from typing import Final

from personalize_local.personalize.operations.dataset_groups import begin_deletion
from personalize_local.personalize.operations.datasets import of_group, schema_of
from personalize_local.personalize.operations.tags import check_new
from personalize_local.personalize.protocol.paging import page
from personalize_local.personalize.protocol.service_errors import ServiceError, in_use, invalid_input, not_found
from personalize_local.personalize.resources.access import access_of
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.records import Members

_METRICS_AT_MOST: Final = 10
_EXPRESSION: Final = re.compile(r"SUM\((\w+)\.(\w+)\)|SAMPLECOUNT\(\)", re.IGNORECASE)


def create_event_tracker(account: Account, request: Members) -> Members:
    """Answer CreateEventTracker; the ARN ends in an id of the service's own."""
    group = account.find("dataset_group", request["datasetGroupArn"])
    if next(account.all("event_tracker", datasetGroupArn=group.arn), None) is not None:
        raise ServiceError(account.switches.second_event_tracker, f"{group.arn} has an event tracker already.")
    account.require_active(group)
    check_new(request.get("tags"))
    account.require_quota("event_tracker")
    arn, tracking_id = account.arn("event-tracker", secrets.token_hex(4)), str(uuid.uuid4())
    account.add("event_tracker", arn, {**request, "accountId": account.account_id, "trackingId": tracking_id})
    return {"eventTrackerArn": arn, "trackingId": tracking_id}


def delete_event_tracker(account: Account, request: Members) -> None:
    """Answer DeleteEventTracker."""
    begin_deletion(account, account.find("event_tracker", request["eventTrackerArn"]))


def create_metric_attribution(account: Account, request: Members) -> Members:
    """Answer CreateMetricAttribution."""
    group = account.find("dataset_group", request["datasetGroupArn"])
    arn = account.arn("metric-attribution", request["name"])
    account.require_free("metric_attribution", arn)
    account.require_active(group)
    _check_metrics(account, group.arn, request["metrics"])
    if next(account.all("metric_attribution", datasetGroupArn=group.arn), None) is not None:
        raise ServiceError(account.switches.second_metric_attribution, f"{group.arn} has a metric attribution already.")
    access_of(account, arn, request["metricsOutputConfig"]["roleArn"])
    account.require_quota("metric_attribution")
    account.add("metric_attribution", arn, dict(request))
    return {"metricAttributionArn": arn}


def _check_metrics(account: Account, group_arn: str, metrics: list[Members]) -> None:
    names = [metric["metricName"] for metric in metrics]
    if not names or len(names) > _METRICS_AT_MOST:
        raise invalid_input(f"A metric attribution has 1 to {_METRICS_AT_MOST} metrics.")
    if len(set(names)) != len(names):
        raise invalid_input("Metric names must be unique.")
    for metric in metrics:
        _check_expression(account, group_arn, metric["expression"])


def _check_expression(account: Account, group_arn: str, expression: str) -> None:
    match = _EXPRESSION.fullmatch(expression.strip())
    if match is None:
        raise invalid_input(f"Invalid expression {expression}: use SUM(DatasetType.COLUMN) or SAMPLECOUNT().")
    if match[1] is None:
        return
    dataset = of_group(account, group_arn).get(match[1].upper())
    field = schema_of(account, dataset).field(match[2]) if dataset else None
    if field is None or not field.numeric:
        raise invalid_input(f"Invalid expression {expression}: there is no numeric column {match[1]}.{match[2]}.")


def update_metric_attribution(account: Account, request: Members) -> Members:
    """Answer UpdateMetricAttribution."""
    arn = request.get("metricAttributionArn")
    if arn is None:
        raise invalid_input("metricAttributionArn must not be null.")
    attribution = account.find("metric_attribution", arn)
    account.require_active(attribution)
    if attribution.is_updating(account.now()):
        raise in_use(f"{arn} is being updated already.")
    metrics = _changed(attribution.members["metrics"], request)
    _check_metrics(account, attribution.group_arn, metrics)
    config = request.get("metricsOutputConfig", attribution.members["metricsOutputConfig"])
    if "metricsOutputConfig" in request:
        access_of(account, attribution.arn, request["metricsOutputConfig"]["roleArn"])
    account.begin_update(attribution, {"metrics": metrics, "metricsOutputConfig": config})
    return {"metricAttributionArn": arn}


def _changed(present: list[Members], request: Members) -> list[Members]:
    removed = set(request.get("removeMetrics", ()))
    unknown = removed - {metric["metricName"] for metric in present}
    if unknown:
        raise not_found(", ".join(sorted(unknown)))
    kept = [metric for metric in present if metric["metricName"] not in removed]
    added = request.get("addMetrics", [])
    taken = {metric["metricName"] for metric in kept} & {metric["metricName"] for metric in added}
    if taken:
        names = ", ".join(sorted(taken))
        raise ServiceError("ResourceAlreadyExistsException", f"The attribution has these metrics already: {names}.")
    return [*kept, *added]


def list_metric_attribution_metrics(account: Account, request: Members) -> Members:
    """Answer ListMetricAttributionMetrics: those in force."""
    arn = request.get("metricAttributionArn")
    metrics = account.find("metric_attribution", arn).members["metrics"] if arn else []
    return page("List metrics", request, "metrics", enumerate(metrics), dict, newest_first=account.lists_newest_first)


def delete_metric_attribution(account: Account, request: Members) -> None:
    """Answer DeleteMetricAttribution."""
    begin_deletion(account, account.find("metric_attribution", request["metricAttributionArn"]))
