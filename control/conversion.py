"""Turn a configuration of AWS's retired "Maintaining Personalized Experiences with Machine Learning" into a request.

Each key is taken out of the document when it is carried over; what is left at the end is told, so that nothing is
dropped silently.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# By the end of the path; * stands for any key.
_NO_COUNTERPART: Final[Mapping[tuple[str, ...], str]] = {
    (
        "datasets",
        "serviceConfig",
        "importMode",
    ): "the folder of an upload says it: below full/ it replaces, else it is added",
    ("solutionVersion", "name"): "versions are named after when and how they are trained",
    ("schema", "serviceConfig", "name"): "a schema is found by what it declares, and a new one is named after that",
    ("serviceConfig", "performAutoML"): "the retired solution ignored it too: name a recipe",
    ("serviceConfig", "jobName"): "jobs are named after their template and run",
    ("serviceConfig", "roleArn"): "the stage's data role is handed over",
    ("serviceConfig", "solutionVersionArn"): "the version that was trained and judged is taken",
    ("serviceConfig", "solutionArn"): "follows from where the request has it",
    ("serviceConfig", "datasetGroupArn"): "follows from where the request has it",
}
_OURS: Final = frozenset(path[1] for path in _NO_COUNTERPART if path[0] == "serviceConfig")


class NoConfigurationError(ValueError):
    """The document is no configuration of the retired solution."""


@dataclass
class Conversion:
    """The request, and what of the configuration has no counterpart: path and reason."""

    request: dict[str, Any]
    remarks: list[str] = field(default_factory=list)


def convert(configuration: Any) -> Conversion:
    """Return the request for a configuration. Raises NoConfigurationError."""
    group = configuration.get("datasetGroup") if isinstance(configuration, Mapping) else None
    if not isinstance(group, Mapping) or "name" not in group.get("serviceConfig", {}):
        raise NoConfigurationError("$.datasetGroup.serviceConfig.name is missing: this is no configuration file")
    converter = _Converter(copy.deepcopy(dict(configuration)))
    request = converter.request()
    return Conversion(request, list(converter.remarks()))


class _Converter:
    def __init__(self, left: dict[str, Any]) -> None:
        self._left = left
        self._root_tags = left.pop("tags", [])
        self._group_tags: list[Any] = self._root_tags
        self._schedules: list[dict[str, Any]] = []

    def request(self) -> dict[str, Any]:
        group = _service_config(self._left["datasetGroup"])
        self._group_tags = group.setdefault("tags", self._root_tags)
        if not group["tags"]:
            del group["tags"]
        datasets = self._datasets(group)
        sole = {"eventTracker": self._section(self._left["eventTracker"])} if "eventTracker" in self._left else {}
        lists = {key: [self._section(one) for one in self._left.get(key, [])] for key in ("filters", "recommenders")}
        self._schedule({"name": "import", "action": "IMPORT"}, _schedules(self._left["datasetGroup"]), "import")
        solutions = [self._solution(one) for one in self._left.get("solutions", [])]
        request = {"datasetGroup": group, "datasets": datasets, **sole, **lists, "solutions": solutions}
        request["schedules"] = self._schedules
        return {key: value for key, value in request.items() if value}

    def remarks(self) -> Iterator[str]:
        """Yield what is left of the configuration."""
        yield from (f"{_shown(path)}: {_reason(path)}" for path in _leaves(self._left, ()))

    def _datasets(self, group: dict[str, Any]) -> dict[str, Any]:
        datasets = self._left.get("datasets", {})
        imports = datasets.get("serviceConfig", {})
        import_tags = imports.pop("tags", self._root_tags)
        options = {key: imports.pop(key) for key in ("publishAttributionMetricsToS3",) if key in imports}
        converted = {}
        for name in [key for key, value in datasets.items() if isinstance(value, dict) and "schema" in value]:
            section = self._section(datasets[name].get("dataset", {}))
            schema = datasets[name]["schema"].get("serviceConfig", {})
            section["schema"] = schema.pop("schema", {})
            if domain := schema.pop("domain", None):
                group.setdefault("domain", domain)
            tags = section.get("tags", self._group_tags)
            job = options if import_tags == tags else {**options, "tags": import_tags}
            converted[name] = {**section, **({"importJob": job} if job else {})}
        return converted

    def _solution(self, left: dict[str, Any]) -> dict[str, Any]:
        section = self._section(left)
        version = section.pop("solutionVersion", {})
        if mode := version.pop("trainingMode", None):
            section["trainingMode"] = mode
        if (tags := version.pop("tags", self._root_tags)) != self._group_tags:
            section["versionTags"] = tags
        if version:
            left["serviceConfig"]["solutionVersion"] = version
        section["campaigns"] = [self._section(one) for one in left.get("campaigns", [])]
        for key in ("batchInferenceJobs", "batchSegmentJobs"):
            section[key] = []
            for position, job in enumerate(left.get(key, [])):
                template = _template(section["name"], key, position)
                section[key].append({"template": template, **self._section(job)})
                scheduled = {"name": template, "action": "BATCH", "template": template}
                self._schedule(scheduled, job.get("workflowConfig", {}), "schedule")
        for mode in ("full", "update"):
            # The retired solution trained whenever a schedule said so; an update with nothing new is spared.
            trained = {"solution": section["name"], "trainingMode": mode.upper()}
            always = {"train": "ALWAYS"} if mode == "full" else {}
            scheduled = {"name": f"{section['name']}-{mode}", "action": "TRAIN", **trained, **always}
            self._schedule(scheduled, _schedules(left), mode)
        return {key: value for key, value in section.items() if value != [] or key.lower().endswith("tags")}

    def _schedule(self, schedule: dict[str, Any], expressions: dict[str, Any], key: str) -> None:
        """Take an expression out of a configuration, and make the schedule that it stands for."""
        if key in expressions:
            self._schedules.append({**schedule, "scheduleExpression": expressions.pop(key)})

    def _section(self, left: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters of a section, with the tags that the retired solution would have given."""
        section = _service_config(left)
        if (tags := section.pop("tags", self._root_tags)) != self._group_tags:
            section["tags"] = tags
        return section


def _service_config(left: dict[str, Any]) -> dict[str, Any]:
    """Take the service's parameters out of a section, but for those that are ours to compute."""
    config = left.get("serviceConfig", {})
    return {key: config.pop(key) for key in list(config) if key not in _OURS}


def _schedules(left: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = left.get("workflowConfig", {}).get("schedules", {})
    return found


def _template(solution: str, key: str, position: int) -> str:
    kind = "segments" if key == "batchSegmentJobs" else "batch"
    return f"{solution}-{kind}" if position == 0 else f"{solution}-{kind}-{position + 1}"


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    parts = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else None
    if parts is None:
        yield path
        return
    for key, part in parts:
        yield from _leaves(part, (*path, str(key)))


def _reason(path: tuple[str, ...]) -> str:
    named = tuple(step for step in path if not step.isdigit())
    for end, reason in _NO_COUNTERPART.items():
        if len(named) >= len(end) and all(
            want in ("*", step) for want, step in zip(end, named[-len(end) :], strict=True)
        ):
            return reason
    return "has no counterpart in a request"


def _shown(path: tuple[str, ...]) -> str:
    return "$" + "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in path)
