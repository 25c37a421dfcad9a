"""Lay the stage's KMS key under the parameters of what is kept or written, unless the request says otherwise."""

from collections.abc import Mapping
from typing import Any, Final

_KEY: Final = "kmsKeyArn"


def encrypted_group(parameters: Mapping[str, Any], key_arn: str | None, role_arn: str) -> dict[str, Any]:
    """Return CreateDatasetGroup's parameters with the key, and with the role that the service uses it by."""
    keyed = overlaid(_keyed(key_arn), parameters)
    return {"roleArn": role_arn, **keyed} if _KEY in keyed else keyed


def encrypted_files(path: str, key_arn: str | None) -> dict[str, str]:
    """Return where a job's files are, and the key that they are encrypted with."""
    return {"path": path, **_keyed(key_arn)}


def encrypted_metrics(output: Mapping[str, Any], key_arn: str | None, role_arn: str) -> dict[str, Any]:
    """Return `metricsOutputConfig` with the key, where metrics are written to a bucket at all."""
    files = {"s3DataDestination": _keyed(key_arn)} if "s3DataDestination" in output else {}
    return overlaid({"roleArn": role_arn, **files}, output)


def overlaid(computed: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was computed with what the request says laid over it, at every depth.

    So a request that gives files another key need not repeat their path; `"kmsKeyArn": null` takes the key away.
    """
    merged = {**computed, **given}
    for name, value in given.items():
        if isinstance(value, Mapping) and isinstance(below := computed.get(name), Mapping):
            merged[name] = overlaid(below, value)
    return {name: value for name, value in merged.items() if (name, value) != (_KEY, None)}


def _keyed(key_arn: str | None) -> dict[str, str]:
    return {_KEY: key_arn} if key_arn else {}
