"""Read and write S3 for the service's jobs, each within the access of its role and bucket."""

import threading
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from personalize_local.personalize.controls.faults import FAULTS
from personalize_local.personalize.resources.access import AccessError, JobAccess

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOCK = threading.Lock()
# moto answers before anything is sent. Once its mock has stopped, a job that still runs must not reach the real AWS.
_NOWHERE = {"http": "http://127.0.0.1:1", "https": "http://127.0.0.1:1"}


@cache
def _client() -> "S3Client":
    with _LOCK:
        return boto3.client(
            "s3",
            region_name="us-east-1",
            aws_access_key_id="personalize",
            aws_secret_access_key="personalize",  # noqa: S106 - the local cloud checks none
            config=Config(max_pool_connections=32, proxies=_NOWHERE, retries={"total_max_attempts": 1}),
        )


def forget_client() -> None:
    """Drop the client, so that the next mock of S3 gets its own."""
    _client.cache_clear()


def split(location: str) -> tuple[str, str]:
    """Return bucket and key of an `s3://` location."""
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key


def keys_below(access: JobAccess, bucket: str, prefix: str) -> list[tuple[str, int]]:
    """Return every key that starts with the prefix, with its size."""
    _require(access, "s3:ListBucket", bucket, prefix)
    try:
        pages = _client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [(each["Key"], each["Size"]) for page in pages for each in page.get("Contents", ())]
    except (ClientError, BotoCoreError) as error:
        raise AccessError(str(error)) from error


def csv_files(access: JobAccess, location: str, *, recursive: bool = False) -> list[str]:
    """Return the keys of an import: the object itself, or all CSV files in the folder."""
    bucket, key = split(location)
    if key and not key.endswith("/"):
        return [found for found, _ in keys_below(access, bucket, key) if found == key]
    inside = (found for found, _ in keys_below(access, bucket, key) if found.lower().endswith(".csv"))
    return [found for found in inside if recursive or "/" not in found.removeprefix(key)]


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
        _client().download_file(bucket, key, str(target))
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
            _client().upload_file(str(file), bucket, key)
        except (ClientError, BotoCoreError) as error:
            raise AccessError(str(error)) from error


def _require(access: JobAccess, action: str, bucket: str, key: str) -> None:
    if FAULTS.is_s3_denied(f"s3://{bucket}/{key}"):
        raise AccessError("Access Denied")
    access.require(action, bucket, key)
