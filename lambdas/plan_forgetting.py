"""Check a list of users, and plan the job that deletes them; to forget them everywhere, hold the group first."""

from datetime import datetime
from typing import Any, Final

from lambdas import wiring
from lambdas.bucket_layout import user_list_folder
from lambdas.file_checks.batch_input import UploadRejected
from lambdas.file_checks.reports import reason_of, write_report
from lambdas.gateways.step_functions import own_input
from lambdas.groups.group_leases import GroupLeases
from lambdas.groups.user_list import LARGEST_BYTES, check_user_list
from lambdas.names import digest
from lambdas.personalize.group_arn import group_arn_of

personalize, objects, leases = wiring.personalize(), wiring.objects(), wiring.leases()
role_arn = wiring.data_role_arn()

_KEYS: Final = frozenset({"datasetGroup", "users", "everywhere"})


class InvalidForgettingError(ValueError):
    """The input does not say which users of which group are to be forgotten."""


@wiring.wired
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the data deletion job, and the import jobs that have to end before anything is erased.

    `event` is ``{"execution", "now", "input"}``; the input has ``datasetGroup``, ``users`` (the ``s3://`` path of a CSV
    file in the stage's bucket) and ``everywhere``. Raises UploadRejected for a list that cannot be used.
    """
    given = own_input(event["input"])
    key = _key(given)
    group, everywhere = given["datasetGroup"], given.get("everywhere", False)
    list_key, job_name = _stage(group, key)
    now = datetime.fromisoformat(event["now"])
    waiting = GroupLeases(leases).take(group, event["execution"], personalize, now) if everywhere else []
    return {
        "datasetGroup": group,
        "everywhere": everywhere,
        "users": key,
        "list": list_key,
        "imports": waiting,
        "job": _job(group, job_name, list_key),
        "progress": {"folder": 0, "key": "", "rewritten": 0, "erased": 0},
    }


def _key(given: dict[str, Any]) -> str:
    if unknown := sorted(set(given) - _KEYS):
        raise InvalidForgettingError(f"unknown key {', '.join(unknown)}; allowed: {', '.join(sorted(_KEYS))}")
    bucket, _, key = str(given.get("users", "")).removeprefix("s3://").partition("/")
    if not given.get("datasetGroup") or bucket != objects.bucket or not key:
        raise InvalidForgettingError(f'give "datasetGroup", and as "users" a CSV file: s3://{objects.bucket}/<key>')
    if not isinstance(given.get("everywhere", False), bool):
        raise InvalidForgettingError('"everywhere" is true or false')
    return key


def _stage(group: str, key: str) -> tuple[str, str]:
    """Check a list and copy it to where its job reads it; the job is named after this version of the list."""
    body = objects.open(key)
    if body is None:
        raise UploadRejected(f"s3://{objects.bucket}/{key} does not exist")
    progress = check_user_list(body.chunks)
    if progress.faults:
        report = write_report(objects, key, body.version_id, progress, "rejected")
        raise UploadRejected(f"{key}: {reason_of(progress)} (report: {report})")
    job_name = personalize.names.made("forget", digest(f"{group} {key} {body.version_id}", 16))
    target = f"{user_list_folder(group, job_name)}users.csv"
    objects.copy(key, body.version_id, target, versioned=True, size_bytes=min(progress.offset, LARGEST_BYTES))
    return target, job_name


def _job(group: str, job_name: str, list_key: str) -> dict[str, Any]:
    group_arn = group_arn_of(personalize, group)
    folder = list_key.rpartition("/")[0]
    request = {
        "jobName": job_name,
        "datasetGroupArn": group_arn,
        "dataSource": {"dataLocation": f"s3://{objects.bucket}/{folder}/"},
        "roleArn": role_arn,
    }
    return {"type": "data_deletion_job", "request": request}
