"""Read the releases of a dataset group as a history: every version, what it was trained for, and what served when."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.gateways.table import Item, Table
from lambdas.releases.releases import PIN, SERVING, VERSION, partition_of


@dataclass(frozen=True)
class VersionRecord:
    """What is written down of a solution version; times are ISO texts."""

    solution: str
    name: str
    version_arn: str
    judged: str
    verdict: str
    reasons: str
    training_reasons: str
    metrics: Mapping[str, float]
    imported: Mapping[str, str]  # when each dataset was last imported before the training
    approved: str
    withdrawn: str


@dataclass(frozen=True)
class ServingRecord:
    """A campaign began to serve a version."""

    campaign: str
    version_arn: str
    since: str


@dataclass(frozen=True)
class ReleaseHistory:
    """All that is remembered of one group, the oldest first; `pins` are texts by solution."""

    versions: tuple[VersionRecord, ...]
    serving: tuple[ServingRecord, ...]
    pins: Mapping[str, str]

    def served_by(self, version_arn: str) -> Iterator[ServingRecord]:
        """Yield each time that a campaign began to serve a version."""
        return (record for record in self.serving if record.version_arn == version_arn)

    def now_serving(self) -> Mapping[str, ServingRecord]:
        """Return what each campaign was last given."""
        return {record.campaign: record for record in self.serving}


def release_history(table: Table, group: str) -> ReleaseHistory:
    """Return what is remembered of a group's versions."""
    partition = partition_of(group)
    versions = [_version(item) for item in table.entries(partition, VERSION)]
    serving = [_serving(item) for item in table.entries(partition, SERVING)]
    pins = {
        str(item["entry"]).removeprefix(PIN): f"{item['version_arn']} {_signed(item, 'pinned')}"
        for item in table.entries(partition, PIN)
    }
    return ReleaseHistory(
        tuple(sorted(versions, key=lambda version: version.judged)),
        tuple(sorted(serving, key=lambda record: record.since)),
        pins,
    )


def _version(item: Item) -> VersionRecord:
    entry = str(item["entry"]).removeprefix(VERSION)
    return VersionRecord(
        solution=entry.partition("/")[0],
        name=str(item.get("name", entry.rpartition("/")[2])),
        version_arn=str(item.get("version_arn", "")),
        judged=str(item.get("judged", "")),
        verdict=str(item.get("verdict", "")),
        reasons=str(item.get("reasons", "")),
        training_reasons=str(item.get("training_reasons", "")),
        metrics=_document(item, "metrics"),
        imported=_document(item, "imported"),
        approved=_signed(item, "approved"),
        withdrawn=_signed(item, "withdrawn"),
    )


def _serving(item: Item) -> ServingRecord:
    campaign, _, since = str(item["entry"]).removeprefix(SERVING).partition("#")
    return ServingRecord(campaign, str(item["version_arn"]), since)


def _document(item: Item, key: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(str(item.get(key, "{}")))
    return document


def _signed(item: Item, what: str) -> str:
    if f"{what}_at" not in item:
        return ""
    return f"by {item.get(f'{what}_by', '')}: {item.get(f'{what}_why', '')} ({item[f'{what}_at']})"
