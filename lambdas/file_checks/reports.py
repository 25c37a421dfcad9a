"""Write the reports that tell why a file was not imported, or which of its rows were left out."""

import json
from typing import Any, Final

from lambdas.bucket_layout import report_stem
from lambdas.file_checks.csv_check import Finding, InspectionProgress
from lambdas.gateways.s3 import Objects

# What a report says where the guide and what was seen do not agree.
_UNCERTAIN: Final = (
    "The service was seen to import files with such cells or headers, though its guide forbids them; nobody knows what"
    ' became of the rows. "uploads": {"uncertain": "IMPORT"} in the request lets them through.'
)


def describe(finding: Finding) -> str:
    """Return a finding in one line."""
    column = f", column {finding.column}" if finding.column else ""
    value = f", value {finding.value!r}" if finding.value else ""
    place = f"line {finding.line}{column}{value}: " if finding.line else ""  # no line: the file as a whole
    return f"{place}{finding.advice}"


def reason_of(progress: InspectionProgress) -> str:
    """Return why a file was rejected: its first fault, and how many more there are."""
    more = f" (and {progress.faults - 1:,} more)" if progress.faults > 1 else ""
    return f"{describe(progress.findings[0])}{more}"


def write_report(objects: Objects, key: str, version: str, progress: InspectionProgress, verdict: str) -> str:
    """Write the report twice, for programs and for people, and return the key of the latter."""
    stem = report_stem(key)
    report = report_of(f"s3://{objects.bucket}/{key}", version, progress, verdict)
    objects.write(f"{stem}.json", json.dumps(report, indent=2, ensure_ascii=False).encode(), "application/json")
    objects.write(f"{stem}.txt", text_of(report).encode(), "text/plain; charset=utf-8")
    return f"{stem}.txt"


def report_of(location: str, version: str, progress: InspectionProgress, verdict: str) -> dict[str, Any]:
    """Return the report as it is written for programs."""
    return {
        "file": location,
        "version": version,
        "verdict": verdict,
        "rows": {"good": progress.rows, "bad": progress.bad_rows},
        "faults": progress.faults,
        "reported": len(progress.findings),
        "findings": [finding.model_dump(exclude={"uncertain"}) for finding in progress.findings],
        **({"hint": _UNCERTAIN} if any(finding.uncertain for finding in progress.findings) else {}),
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
    hint = ["", report["hint"]] if "hint" in report else []
    return "\n".join([*lines, *hint, ""])
