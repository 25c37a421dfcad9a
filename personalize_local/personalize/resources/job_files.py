"""Read and write S3 for the service's jobs, each within the access of its role and bucket."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from personalize_local.personalize.resources.access import AccessError, JobAccess


def split(location: str) -> tuple[str, str]:
    """Return bucket and key of an `s3://` location."""
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key


def keys_below(access: JobAccess, bucket: str, prefix: str) -> list[tuple[str, int]]:
    """Return every key that starts with the prefix, with its size."""
    _require(access, "s3:ListBucket", bucket, prefix)
    try:
        pages = access.service.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [(each["Key"], each["Size"]) for page in pages for each in page.get("Contents", ())]
    except (ClientError, BotoCoreError) as error:
        raise AccessError(str(error)) from error


def csv_files(access: JobAccess, location: str, *, recursive: bool = False) -> list[str]:
    """Return the keys of an import: the object itself, or all CSV files in the folder."""
    bucket, key = split(location)
    if key and not key.endswith("/"):
        return [each for each, _ in keys_below(access, bucket, key) if each == key]
    inside = (each for each, _ in keys_below(access, bucket, key) if each.lower().endswith(".csv"))
    return [each for each in inside if recursive or "/" not in each.removeprefix(key)]


def download(access: JobAccess, bucket: str, keys: Sequence[str], directory: Path) -> list[Path]:
    """Copy objects into the directory, named after the last part of their keys, or all of it if that is not unique."""
    targets = zip(keys, _names(keys), strict=True)
    return [_download(access, bucket, key, directory / name) for key, name in targets]


def _names(keys: Sequence[str]) -> Iterable[str]:
    short = [key.rpartition("/")[2] for key in keys]
    return short if len(set(short)) == len(short) else [key.replace("/", "_") for key in keys]


def _download(access: JobAccess, bucket: str, key: str, target: Path) -> Path:
    _require(access, "s3:GetObject", bucket, key)
    try:
        access.service.s3.download_file(bucket, key, str(target))
    except (ClientError, BotoCoreError) as error:
        raise AccessError(str(error)) from error
    return target


def upload(access: JobAccess, files: Iterable[Path], location: str) -> None:
    """Copy files to `location` (a prefix), under their own names.

    The developer guide asks for `s3:ListBucket` of those who write, too.
    """
    bucket, prefix = split(location)
    _require(access, "s3:ListBucket", bucket, prefix)
    for file in files:
        key = f"{prefix}{file.name}"
        _require(access, "s3:PutObject", bucket, key)
        try:
            access.service.s3.upload_file(str(file), bucket, key)
        except (ClientError, BotoCoreError) as error:
            raise AccessError(str(error)) from error


def _require(access: JobAccess, action: str, bucket: str, key: str) -> None:
    if access.service.faults.is_s3_denied(f"s3://{bucket}/{key}"):
        raise AccessError("Access Denied")
    access.require(action, bucket, key)
