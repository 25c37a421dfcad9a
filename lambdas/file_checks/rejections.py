"""Rejections: the reports that tell why a file was not imported, and the summary that an execution ends with."""

import json
from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel

from lambdas.bucket_layout import REJECTED, UPLOADS
from lambdas.file_checks.csv_check import Finding, Progress
from lambdas.gateways.s3 import Objects
from lambdas.uploads.ledger import FileRow

_REMEMBERED: Final = 20
_SHOWN: Final = 5


class Rejection(BaseModel):
    """One rejected file, in short."""

    key: str
    reason: str


class Rejections(BaseModel):
    """The files that were rejected since the lease was taken: all are counted, the first are remembered."""

    count: int = 0
    files: list[Rejection] = []

    @classmethod
    def read(cls, text: str | None) -> "Rejections":
        """Return what was written down beside the lease."""
        return cls.model_validate_json(text) if text else cls()

    def plus(self, new: Sequence[Rejection]) -> "Rejections":
        """Return these and new ones; a file that was noted before a crash is not counted twice."""
        known = {file.key for file in self.files}
        fresh = [file for file in new if file.key not in known]
        return Rejections(count=self.count + len(fresh), files=[*self.files, *fresh][:_REMEMBERED])

    def __str__(self) -> str:
        told = [f"{file.key}: {file.reason}" for file in self.files[:_SHOWN]]
        more = [f"and {self.count - _SHOWN} more"] if self.count > _SHOWN else []
        return "; ".join([*told, *more])


def describe(finding: Finding) -> str:
    """Return a finding in one line."""
    column = f", column {finding.column}" if finding.column else ""
    value = f", value {finding.value!r}" if finding.value else ""
    return f"line {finding.line}{column}{value}: {finding.advice}"


def reason_of(progress: Progress) -> str:
    """Return why a file was rejected: its first fault, and how many more there are."""
    more = f" (and {progress.faults - 1:,} more)" if progress.faults > 1 else ""
    return f"{describe(progress.findings[0])}{more}"


def write_report(objects: Objects, row: FileRow, progress: Progress, verdict: str) -> str:
    """Write the report twice, for programs and for people, and return the key of the latter."""
    stem = f"{REJECTED}{row.key.removeprefix(UPLOADS)}.report"[:1000]
    report = report_of(objects.bucket, row, progress, verdict)
    objects.write(f"{stem}.json", json.dumps(report, indent=2, ensure_ascii=False).encode(), "application/json")
    objects.write(f"{stem}.txt", text_of(report).encode(), "text/plain; charset=utf-8")
    return f"{stem}.txt"


def report_of(bucket: str, row: FileRow, progress: Progress, verdict: str) -> dict[str, Any]:
    """Return the report as it is written for programs."""
    return {
        "file": f"s3://{bucket}/{row.key}",
        "version": row.version,
        "verdict": verdict,
        "rows": {"good": progress.rows, "bad": progress.bad_rows},
        "faults": progress.faults,
        "reported": len(progress.findings),
        "findings": [finding.model_dump() for finding in progress.findings],
    }


def text_of(report: dict[str, Any]) -> str:
    """Return the report as it is written for people."""
    lines = [
        f"{report['file']} (version {report['version']}): {report['verdict']}",
        f"good rows: {report['rows']['good']:,}, bad rows: {report['rows']['bad']:,}, faults: {report['faults']:,}"
        + (f", the first {report['reported']} of them below" if report["faults"] > report["reported"] else ""),
        "",
        *(f"{finding['rule']:<12} {describe(Finding(**finding))}" for finding in report["findings"]),
    ]
    return "\n".join([*lines, ""])
