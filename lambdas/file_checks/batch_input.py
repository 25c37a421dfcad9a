"""Check the input of a batch job before it costs one: JSON Lines, one object a line, texts for values."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from lambdas.bucket_layout import BatchInput, parse_key
from lambdas.file_checks.columns import Fault
from lambdas.file_checks.csv_check import REPORTED_FINDINGS, Finding, InspectionProgress, end_of_text
from lambdas.file_checks.header import content_fault
from lambdas.file_checks.reports import reason_of, write_report
from lambdas.gateways.s3 import Objects

LARGEST_BYTES: Final = 10**9  # "Endpoints and quotas": 1 GB of input to a batch job
_CHUNK_BYTES: Final = 1 << 18  # small, so that starting afresh behind each of many bad lines costs little
_TEXTS: Final = frozenset({"userId", "itemId", "itemAttributes"})
_SUBJECTS: Final = ", ".join(sorted(_TEXTS))
_TEXT: Final = rb'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt])*+"'
_NONEMPTY_TEXT: Final = rb'(?!"")' + _TEXT
_SUBJECT: Final = rb'"(?:userId|itemId|itemAttributes)" *+: *+' + _NONEMPTY_TEXT
_LIST: Final = rb"\[ *+(?:%s(?: *+, *+%s)*+)?+ *+\]" % (_TEXT, _TEXT)
_OBJECT: Final = rb"\{ *+(?:%s *+: *+%s(?: *+, *+%s *+: *+%s)*+)?+ *+\}" % (_TEXT, _TEXT, _TEXT, _TEXT)
_MEMBER: Final = rb'(?:%s|"itemList" *+: *+%s|"filterValues" *+: *+%s)' % (_SUBJECT, _LIST, _OBJECT)
# What most lines are, the subject first as in the guide's examples; the others are parsed one by one.
_GOOD: Final = re.compile(rb"(?:\{ *+%s(?: *+, *+%s)*+ *+\}\r?+\n)*+" % (_SUBJECT, _MEMBER))


class UploadRejected(Exception):  # noqa: N818 -- the name is what executions end with, for CSV files and for these
    """An uploaded file cannot be used."""


def check_batch_input(objects: Objects, location: str, *, quotes: bool = True) -> None:
    """Raise UploadRejected if a file that was uploaded as the input of a batch job cannot be one.

    Unless it `quotes`, it tells nothing of what stands in the file. A location outside of `uploads/<group>/batch/` is
    the caller's own business and passes.
    """
    bucket, _, key = location.removeprefix("s3://").partition("/")
    meaning = parse_key(key)
    if bucket != objects.bucket or not isinstance(meaning, BatchInput):
        return
    body = objects.open(key, chunk_bytes=_CHUNK_BYTES)
    if body is None:
        raise UploadRejected(f"{location} does not exist")
    progress = read_batch_input(body.chunks, quotes=quotes)
    if progress.faults:
        report = write_report(objects, key, body.version_id, progress, "rejected")
        raise UploadRejected(f"{key}: {reason_of(progress)} (report: {report})")


def read_batch_input(chunks: Iterator[bytes], *, quotes: bool = True) -> InspectionProgress:
    """Look at every line; the result counts all faults and names the first."""
    progress = InspectionProgress()
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        end = data.rfind(b"\n") + 1
        _look_at(data[:end], progress)
        rest = data[end:]
        if progress.hopeless or progress.offset > LARGEST_BYTES:
            break
    if rest and not progress.hopeless:
        _look_at(rest + b"\n", progress)
    if progress.offset > LARGEST_BYTES:
        _note(progress, "", Fault("size", "a batch job reads at most 1 GB: split the file"))
    if not progress.rows and not progress.faults:
        _note(progress, "", Fault("empty", "the file is empty; it needs a JSON object on every line"))
    if not quotes:
        progress.findings = [finding.model_copy(update={"value": ""}) for finding in progress.findings]
    return progress


def _look_at(lines: bytes, progress: InspectionProgress) -> None:
    if not progress.offset and (fault := content_fault(lines)):
        progress.lines, progress.hopeless = 1, True
        _note(progress, "", fault)
        return
    progress.offset += len(lines)
    position = 0
    while position < len(lines):
        match = _GOOD.match(lines, position, end_of_text(lines, position))
        end = match.end() if match else position
        good = lines.count(b"\n", position, end)
        progress.rows += good
        progress.lines += good
        position = end
        if position < len(lines):
            end = lines.index(b"\n", position) + 1
            _look_at_line(lines[position:end], progress)
            position = end


def _look_at_line(line: bytes, progress: InspectionProgress) -> None:
    progress.lines += 1
    if line.isspace():  # nobody knows what the service makes of them; the local engine skips them, too
        return
    fault = _fault_of(line)
    if fault is None:
        progress.rows += 1
        return
    progress.bad_rows += 1
    _note(progress, line.decode(errors="replace").strip()[:100], fault)


def _fault_of(line: bytes) -> Fault | None:
    try:
        record = json.loads(line)
    except UnicodeDecodeError:
        return Fault("encoding", "the line is not UTF-8")
    except ValueError as error:
        advice = "one JSON object stands on every line, without commas between them"
        return Fault("json", f"{error}; {advice}")
    if not isinstance(record, dict):
        return Fault("json", "a line holds one JSON object; an array around all of them is not understood")
    return _record_fault(record)


def _record_fault(record: dict[str, Any]) -> Fault | None:
    if not _TEXTS & set(record):
        return Fault("key", f"a record names one of {_SUBJECTS}")
    for name in sorted(_TEXTS & set(record)):
        if not isinstance(record[name], str) or not record[name]:
            return Fault("type", f"{name} is a text, also where ids are numbers")
    items = record.get("itemList", [])
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        return Fault("type", "itemList is a list of texts")
    return None


def _note(progress: InspectionProgress, value: str, fault: Fault) -> None:
    progress.faults += 1
    progress.lines = max(1, progress.lines)
    if len(progress.findings) < REPORTED_FINDINGS:
        finding = Finding(line=progress.lines, column="", value=value, rule=fault.rule, advice=fault.advice)
        progress.findings.append(finding)
