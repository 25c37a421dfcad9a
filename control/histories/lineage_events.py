"""Write a group's history as events of OpenLineage, for the catalogues that read it (spec 2-0-2, `RunEvent`).

Jobs are imports, trainings and deployments; datasets are the uploads, the datasets, versions and campaigns of Amazon
Personalize, under their ARNs. Ids of runs follow from what they made, so that telling a run again changes nothing.
"""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any, Final

from control.histories.group_history import FileJourney
from lambdas.names import digest
from lambdas.releases.release_history import ReleaseHistory, ServingRecord, VersionRecord

PRODUCER: Final = "urn:personalize-control-plane"
_SCHEMA: Final = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_BASE_FACET: Final = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/BaseFacet"
Event = dict[str, Any]


class LineageEvents:
    """The events of one group of a stage; `arn_prefix` is where the stage is, and `bucket` where its files are."""

    def __init__(self, stage: str, arn_prefix: str, bucket: str, group_arn: str) -> None:
        self._stage = stage
        self._arn_prefix = arn_prefix
        self._bucket = bucket
        self._group = group_arn.rpartition("/")[2]

    def of_versions(self, history: ReleaseHistory) -> Iterator[Event]:
        """Yield the trainings that are remembered, and each time that a campaign began to serve one."""
        for version in history.versions:
            yield from self._training(version)
        for record in history.serving:
            yield from self._deployment(record)

    def of_files(self, journeys: Sequence[FileJourney]) -> Iterator[Event]:
        """Yield the imports of an upload's versions: file and job, and how many rows went in."""
        for journey in journeys:
            row = journey.row
            if not row.job_arn:
                continue
            source = {"namespace": f"s3://{self._bucket}", "name": row.key, "facets": _version(row.version)}
            made = self._personalize(f"dataset/{self._group}/{row.dataset_key.partition('/')[2].upper()}")
            output = {**made, "outputFacets": {"outputStatistics": _facet(rowCount=row.rows)}}
            yield from self._run(
                f"import {row.dataset_key}", f"{row.job_arn} {row.entry}", row.settled, [source], [output]
            )

    def _training(self, version: VersionRecord) -> Iterator[Event]:
        inputs = [
            {**self._personalize(f"dataset/{self._group}/{dataset.upper()}"), "facets": _version(imported)}
            for dataset, imported in sorted(version.imported.items())
        ]
        judgement = {
            "verdict": version.verdict,
            "reasons": version.reasons,
            "metrics": dict(version.metrics),
            "approved": version.approved,
            "withdrawn": version.withdrawn,
        }
        made = {**self._arn(version.version_arn), "facets": {"personalize_judgement": _facet(**judgement)}}
        yield from self._run(f"train {version.solution}", version.version_arn, version.judged, inputs, [made])

    def _deployment(self, record: ServingRecord) -> Iterator[Event]:
        cause, campaign = f"{record.campaign} {record.since}", self._personalize(f"campaign/{record.campaign}")
        yield from self._run(
            f"deploy {record.campaign}", cause, record.since, [self._arn(record.version_arn)], [campaign]
        )

    def _run(self, job: str, cause: str, time: str, inputs: list[Event], outputs: list[Event]) -> Iterator[Event]:
        """Yield that a run began and is done. What is remembered is when it was done, so both say that."""
        run = {"runId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._stage} {job} {digest(cause, 32)}"))}
        for kind in ("START", "COMPLETE"):
            yield {
                "eventType": kind,
                "eventTime": time,
                "run": run,
                "job": {"namespace": self._stage, "name": job},
                "inputs": inputs,
                "outputs": outputs if kind == "COMPLETE" else [],
                "producer": PRODUCER,
                "schemaURL": _SCHEMA,
            }

    def _personalize(self, path: str) -> Event:
        return {"namespace": self._arn_prefix, "name": path}

    def _arn(self, arn: str) -> Event:
        return self._personalize(arn.removeprefix(f"{self._arn_prefix}:"))


def _version(version: str) -> Event:
    return {"version": _facet(datasetVersion=version)}


def _facet(**members: Any) -> Event:
    return {"_producer": PRODUCER, "_schemaURL": _BASE_FACET, **members}
