"""Call Amazon Personalize: a Protocol for the domain, and the one class that has the client."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, Protocol

from lambdas.personalize.lifecycle import Phase, phase_of
from lambdas.personalize.resources import QUICK, ResourceType
from lambdas.personalize.stage_names import ANY_NAMES, StageNames

_CANDIDATES: Final = 20  # versions described while searching one by name


class UnidentifiedResourceError(ValueError):
    """A request does not say which resource it is about."""


class Personalize(Protocol):
    """Amazon Personalize by resource type, as the domain sees it.

    The service's own exceptions pass through, as `errors` names them.
    """

    @property
    def arn_prefix(self) -> str:
        """What every ARN begins with: ``arn:<partition>:personalize:<region>:<account>``."""

    @property
    def names(self) -> StageNames:
        """What the stage may call things."""

    @property
    def errors(self) -> Any:
        """The service's exceptions, as attributes under their names in the API."""

    def describe(self, row: ResourceType, arn: str) -> dict[str, Any] | None:
        """Return the resource as the service describes it, or None when there is none."""

    def find(self, row: ResourceType, request: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
        """Return the resource that `request` would create, as described, or None when there is none yet.

        Raises UnidentifiedResourceError.
        """

    def create(self, row: ResourceType, request: Mapping[str, Any]) -> str:
        """Create the resource and return its ARN."""

    def update(self, row: ResourceType, arn: str, changes: Mapping[str, Any]) -> None:
        """Ask for `changes`, parameters of the type's Update operation."""

    def delete(self, row: ResourceType, arn: str) -> None:
        """Ask for the resource's deletion."""

    def start(self, row: ResourceType, arn: str) -> None:
        """Ask for a stopped resource to serve again."""

    def stop(self, row: ResourceType, arn: str) -> None:
        """Ask for a resource to serve, and cost, no more until it is started."""

    def tags(self, arn: str) -> list[dict[str, str]]:
        """Return a resource's tags, in the form that Create operations take."""

    def tag(self, arn: str, tags: Sequence[Mapping[str, str]]) -> None:
        """Add tags to a resource, or change their values."""

    def summaries(self, row: ResourceType, parent_arn: str | None = None) -> Iterator[dict[str, Any]]:
        """Yield the summaries of all resources of the type, or of those below one parent, page after page."""

    def metrics(self, solution_version_arn: str) -> dict[str, float]:
        """Return the offline metrics of an ACTIVE solution version."""

    def recipe_arns(self) -> list[str]:
        """Return the ARNs of all recipes the service offers."""

    def input_shape(self, operation: str) -> Any:
        """Return the installed botocore model's shape of an operation's input."""

    def durations(self, row: ResourceType, request: Mapping[str, Any]) -> Sequence[float]:
        """Return how many seconds earlier resources of the same kind and parent took to become ACTIVE, newest first."""


class PersonalizeGateway:
    """Amazon Personalize through a client of boto3."""

    def __init__(self, client: Any, arn_prefix: str, names: StageNames = ANY_NAMES) -> None:
        self._client = client
        self.names = names
        self._arn_prefix = arn_prefix

    @property
    def arn_prefix(self) -> str:
        """What every ARN begins with: ``arn:<partition>:personalize:<region>:<account>``."""
        return self._arn_prefix

    @property
    def errors(self) -> Any:
        """The service's exceptions, as attributes under their names in the API."""
        return self._client.exceptions

    def describe(self, row: ResourceType, arn: str) -> dict[str, Any] | None:
        """Return the resource as the service describes it, or None when there is none."""
        try:
            described = dict(self._call(f"describe_{row.noun}", {row.arn_key: arn})[row.camel])
            if row.listed_part:
                parts = self._call(f"list_{row.noun}_{row.listed_part}", {row.arn_key: arn})
                described[row.listed_part] = list(parts[row.listed_part])
        except self.errors.ResourceNotFoundException:  # or it went between the two calls
            return None
        return described

    def find(self, row: ResourceType, request: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
        """Return the resource that `request` would create, as described, or None when there is none yet."""
        if row.sole and row.parent_key in request and row.arn_key not in request:
            there = self._first(row, self.summaries(row, str(request[str(row.parent_key)])))
            if there or not row.arn_path:
                return there
        arn = row.arn(self.arn_prefix, request)
        if arn:
            return self.describe(row, arn)
        if row.noun == "solution_version" and "solutionArn" in request:
            return self._find_version(row, request, now)
        if row.name_key not in request:
            keys = ", ".join(key for key in (row.name_key, row.arn_key, row.parent_key) if key)
            raise UnidentifiedResourceError(f"which {row.noun}? the request gives none of: {keys}")
        named = (one for one in self.summaries(row) if one.get(row.name_key) == request[row.name_key])
        return self._first(row, named)

    def _first(self, row: ResourceType, summaries: Iterator[dict[str, Any]]) -> dict[str, Any] | None:
        summary = next(summaries, None)
        return self.describe(row, summary[row.arn_key]) if summary else None

    def _find_version(self, row: ResourceType, request: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
        """Return the version of that name; failing that, one that somebody is training right now.

        A version's id is the service's own, so it is searched among the recent ones. Attaching to a training under
        way, whoever started it, is what lets a run continue after its predecessor gave up waiting.
        """
        since = now - timedelta(seconds=row.cadence.patience_seconds)
        summaries = [s for s in self.summaries(row, str(request["solutionArn"])) if s["creationDateTime"] >= since]
        summaries.sort(key=lambda summary: summary["creationDateTime"], reverse=True)
        under_way = None
        for summary in summaries[:_CANDIDATES]:
            version = self.describe(row, summary[row.arn_key])
            if version and request.get("name") in (version.get("name"), summary[row.arn_key].rpartition("/")[2]):
                return version
            manual = summary.get("trainingType") != "AUTOMATIC"
            if under_way is None and manual and phase_of(summary["status"]) is Phase.CHANGING:
                under_way = version
        return under_way

    def create(self, row: ResourceType, request: Mapping[str, Any]) -> str:
        """Create the resource and return its ARN."""
        return str(self._call(f"create_{row.noun}", request)[row.arn_key])

    def update(self, row: ResourceType, arn: str, changes: Mapping[str, Any]) -> None:
        """Ask for `changes`, parameters of the type's Update operation."""
        self._call(f"update_{row.noun}", {row.arn_key: arn, **changes})

    def delete(self, row: ResourceType, arn: str) -> None:
        """Ask for the resource's deletion."""
        self._call(f"delete_{row.noun}", {row.arn_key: arn})

    def start(self, row: ResourceType, arn: str) -> None:
        """Ask for a stopped resource to serve again."""
        self._call(f"start_{row.noun}", {row.arn_key: arn})

    def stop(self, row: ResourceType, arn: str) -> None:
        """Ask for a resource to serve, and cost, no more until it is started."""
        self._call(f"stop_{row.noun}", {row.arn_key: arn})

    def tags(self, arn: str) -> list[dict[str, str]]:
        """Return a resource's tags, in the form that Create operations take."""
        return list(self._call("list_tags_for_resource", {"resourceArn": arn})["tags"])

    def tag(self, arn: str, tags: Sequence[Mapping[str, str]]) -> None:
        """Add tags to a resource, or change their values."""
        self._call("tag_resource", {"resourceArn": arn, "tags": tags})

    def summaries(self, row: ResourceType, parent_arn: str | None = None) -> Iterator[dict[str, Any]]:
        """Yield the summaries of all resources of the type, or of those below one parent, page after page."""
        arguments: dict[str, Any] = {str(row.parent_key): parent_arn} if parent_arn else {}
        while True:
            page = self._call(f"list_{row.noun}s", arguments)
            yield from page[row.summaries_key]
            if not page.get("nextToken"):
                return
            arguments = {**arguments, "nextToken": page["nextToken"]}

    def metrics(self, solution_version_arn: str) -> dict[str, float]:
        """Return the offline metrics of an ACTIVE solution version."""
        return dict(self._call("get_solution_metrics", {"solutionVersionArn": solution_version_arn})["metrics"])

    def recipe_arns(self) -> list[str]:
        """Return the ARNs of all recipes the service offers."""
        answer = self._call("list_recipes", {"recipeProvider": "SERVICE", "maxResults": 100})
        return sorted(recipe["recipeArn"] for recipe in answer["recipes"])

    def input_shape(self, operation: str) -> Any:
        """Return the installed botocore model's shape of an operation's input."""
        return self._client.meta.service_model.operation_model(operation).input_shape

    def durations(self, row: ResourceType, request: Mapping[str, Any]) -> Sequence[float]:
        """Return how many seconds earlier resources of the same kind and parent took to become ACTIVE, newest first.

        Only the first page of the service's own list is read: names of jobs are never freed, so lists grow for ever.
        A campaign's last change is told by its Describe answer instead (see `last_change_seconds`).
        """
        if row.cadence is QUICK or row.updatable:
            return ()
        mode = request.get("importMode")
        done = [s for s in islice(self._siblings(row, request), 100) if phase_of(s["status"]) is Phase.READY]
        alike = [s for s in done if s.get("importMode") == mode] or done
        alike.sort(key=lambda summary: summary["creationDateTime"], reverse=True)
        return [_took_seconds(summary) for summary in alike]

    def _siblings(self, row: ResourceType, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the summaries of what has the same parent; for a batch job, any version of the same solution."""
        parent = str(request[str(row.parent_key)])
        if row.parent != "solution_version":
            return self.summaries(row, parent)
        solution = parent.rpartition("/")[0] + "/"
        return (s for s in self.summaries(row) if s["solutionVersionArn"].startswith(solution))

    def _call(self, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = getattr(self._client, operation)(**arguments)
        return answer


def last_change_seconds(row: ResourceType, described: Mapping[str, Any] | None) -> Sequence[float]:
    """Return how long the latest finished change of an updatable resource took, as its Describe answer tells."""
    if described is None or not row.updatable or row.cadence is QUICK:
        return ()
    change = described.get(row.update_key, described)
    return [_took_seconds(change)] if phase_of(change["status"]) is Phase.READY else ()


def _took_seconds(change: Mapping[str, Any]) -> float:
    return float((change["lastUpdatedDateTime"] - change["creationDateTime"]).total_seconds())
