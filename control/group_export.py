"""Write the request for a dataset group that exists: running it changes nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lambdas.personalize.avro_schema import columns_declared
from lambdas.personalize.gateway import Personalize
from lambdas.personalize.lifecycle import Phase, phase_of
from lambdas.personalize.resources import OWNER_KEY, RESOURCES, ResourceType
from lambdas.releases.trained_versions import versions_of

_RECIPES: Final = ":personalize:::recipe/"
_GROUP_KEYS: Final = ("domain", "kmsKeyArn", "roleArn")
_SOLUTION_KEYS: Final = (
    "performHPO", "performAutoML", "performAutoTraining", "performIncrementalUpdate", "eventType", "solutionConfig",
)  # fmt: skip


class NoSuchGroupError(LookupError):
    """There is no dataset group of that name in this account and region."""


@dataclass
class GroupExport:
    """The request for a group, and remarks about what it has that the request leaves out."""

    request: dict[str, Any]
    remarks: list[str] = field(default_factory=list)


def export_group(personalize: Personalize, name: str) -> GroupExport:
    """Return the request for a group. Raises NoSuchGroupError."""
    return _Exporter(personalize, name).export()


class _Exporter:
    def __init__(self, personalize: Personalize, name: str) -> None:
        self._personalize = personalize
        self._group = _find_group(personalize, name)
        self._arn = str(self._group["datasetGroupArn"])
        self._prefix = personalize.names.prefix if self._group["name"] != name else ""
        self._foreign: list[str] = []  # what the stage may not name until it adopts it
        self._tags = self._tags_of(self._arn)
        self._remarks: list[str] = []
        self._train = "WHEN_NEEDED"

    def export(self) -> GroupExport:
        group = {"name": self._name(self._group["name"], "dataset_group"), **_some(self._group, _GROUP_KEYS)}
        if self._tags:
            group["tags"] = self._tags
        request: dict[str, Any] = {
            "datasetGroup": group,
            "datasets": dict(self._dataset(one) for one in self._below_group("dataset")),
            "eventTracker": self._sole("event_tracker", ()),
            "metricAttribution": self._sole("metric_attribution", ("metrics", "metricsOutputConfig")),
            "filters": [self._named("filter", one, ("filterExpression",)) for one in self._below_group("filter")],
            "recommenders": [self._recommender(one) for one in self._below_group("recommender")],
            "solutions": [self._solution(one) for one in self._below_group("solution")],
        }
        request["train"] = None if self._train == "WHEN_NEEDED" else self._train
        if not request["datasets"]:
            self._remarks.append("the group has no dataset yet: a request has at least one")
        if self._foreign:
            names = ", ".join(f'"{name}"' for name in sorted(set(self._foreign)))
            self._remarks.append(f"the stage may not use it before adopted_names in config/<stage>.toml has: {names}")
        return GroupExport({key: value for key, value in request.items() if value}, self._remarks)

    def _name(self, name: str, noun: str) -> str:
        """Return what a request calls a resource of this name, and note a name that the stage may not use."""
        in_arn = "{name}" in RESOURCES[noun].arn_path
        if in_arn and not self._personalize.names.covers(name):
            self._foreign.append(name)
        return name.removeprefix(self._prefix)

    def _below_group(self, noun: str) -> list[dict[str, Any]]:
        return list(self._below(RESOURCES[noun], self._arn))

    def _below(self, row: ResourceType, parent_arn: str) -> Iterator[dict[str, Any]]:
        """Yield what is there to stay, by name; what failed or goes is told."""
        found = []
        for summary in self._personalize.summaries(row, parent_arn):
            described = self._personalize.describe(row, summary[row.arn_key])
            status = described["status"] if described else "gone"
            if described and (phase_of(status) is Phase.READY or status.startswith("UPDATE")):
                found.append(described)
            else:
                self._remarks.append(f"{row.noun} {summary.get('name', summary[row.arn_key])} is left out: {status}")
        return iter(sorted(found, key=lambda described: str(described["name"])))

    def _dataset(self, described: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        self._name(described["schemaArn"].rpartition("/")[2], "schema")
        schema = self._personalize.describe(RESOURCES["schema"], described["schemaArn"]) or {}
        columns = columns_declared(schema.get("schema"))
        content = {"columns": columns} if columns else {"schemaArn": described["schemaArn"]}
        return described["datasetType"].lower(), self._named("dataset", described, ()) | content

    def _sole(self, noun: str, keys: tuple[str, ...]) -> dict[str, Any] | None:
        return next((self._named(noun, one, keys) for one in self._below_group(noun)), None)

    def _named(self, noun: str, described: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
        """Return the resource's name, parameters, and its tags where they are not the group's."""
        row = RESOURCES[noun]
        section = {"name": self._name(described["name"], noun), **_some(described, keys)}
        tags = self._tags_of(described[row.arn_key]) if row.taggable else self._tags
        return section if _sorted(tags) == _sorted(self._tags) else {**section, "tags": tags}

    def _tags_of(self, arn: str) -> list[dict[str, str]]:
        return [tag for tag in self._personalize.tags(arn) if tag["tagKey"] != OWNER_KEY]

    def _recommender(self, described: Mapping[str, Any]) -> dict[str, Any]:
        section = self._named("recommender", described, ("recommenderConfig",))
        active = {} if described["status"] != "INACTIVE" else {"active": False}
        return {**section, "recipeArn": _recipe(described["recipeArn"]), **active}

    def _solution(self, described: Mapping[str, Any]) -> dict[str, Any]:
        section = self._named("solution", described, _SOLUTION_KEYS)
        if described.get("recipeArn") and not described.get("performAutoML"):
            section["recipeArn"] = _recipe(described["recipeArn"])
        arn = described["solutionArn"]
        versions = [one for one in versions_of(self._personalize, arn) if phase_of(one["status"]) is Phase.READY]
        newest = versions[0]["solutionVersionArn"] if versions else None
        if newest is None:
            self._train = "NEVER"
            self._remarks.append(f'solution {described["name"]} has no version: "train" is NEVER until you change it')
        campaigns = [self._campaign(one, newest) for one in self._below(RESOURCES["campaign"], arn)]
        section["campaigns"] = [campaign for campaign in campaigns if campaign]
        return {key: value for key, value in section.items() if value != [] or key == "tags"}

    def _campaign(self, described: Mapping[str, Any], newest: str | None) -> dict[str, Any] | None:
        if described["solutionVersionArn"] != newest:
            served = described["solutionVersionArn"].rpartition("/")[2]
            self._remarks.append(
                f"campaign {described['name']} is left out: it serves {served}, and a run would bring it the newest "
                "version; add it to its solution when that is what you want"
            )
            return None
        return self._named("campaign", described, ("minProvisionedTPS", "campaignConfig"))


def _find_group(personalize: Personalize, name: str) -> dict[str, Any]:
    """Return the group that the stage calls by that name, or else the one that the service does."""
    row = RESOURCES["dataset_group"]
    for named in (personalize.names.group(name), name):
        arn = str(row.arn(personalize.arn_prefix, {"name": named}))
        if group := personalize.describe(row, arn):
            return group
    raise NoSuchGroupError(f"there is no dataset group {name} ({arn})")


def _some(described: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: described[key] for key in keys if described.get(key) is not None}


def _recipe(arn: str) -> str:
    return arn.rpartition("/")[2] if _RECIPES in arn else arn


def _sorted(tags: list[dict[str, str]]) -> list[tuple[str, str]]:
    return sorted((tag["tagKey"], tag["tagValue"]) for tag in tags)
