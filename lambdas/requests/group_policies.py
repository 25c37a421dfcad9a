"""Read the group's own rules for files, trainings and capacity from its request; defaults hold where there is none."""

import json
from typing import Any

from lambdas.bucket_layout import request_key
from lambdas.gateways.s3 import Objects
from lambdas.requests.request import InvalidRequestError, Request, RetrainPolicy, UploadPolicy
from lambdas.requests.request_reading import parse_request


def upload_policy(objects: Objects, group: str, *, redacts: bool = False) -> UploadPolicy:
    """Return what to do with files that are not perfect; `redacts` says that the stage quotes no cell."""
    request = group_request(objects, group)
    policy = request.uploads if request else UploadPolicy()
    return policy.model_copy(update={"quote_cells": False}) if redacts else policy


def retrain_policy(objects: Objects, group: str) -> RetrainPolicy | None:
    """Return when imports lead to a training; None when never."""
    request = group_request(objects, group)
    return request.retrain if request else None


def import_job_options(objects: Objects, group: str, dataset: str) -> dict[str, Any]:
    """Return what the import jobs of a dataset are asked beside their files."""
    request = group_request(objects, group)
    if request is None:
        return {}
    options: dict[str, dict[str, Any]] = {name: request.import_job_options(name) for name in request.datasets}
    return options.get(dataset, {})


def group_request(objects: Objects, group: str) -> Request | None:
    """Return the group's request as it lies in the bucket; None where there is none, or a wrong one."""
    text = objects.text(request_key(group))
    try:
        return parse_request(json.loads(text)) if text else None
    except (ValueError, InvalidRequestError):
        return None  # `pipeline` is the one to complain about a wrong request; imports go on without it
