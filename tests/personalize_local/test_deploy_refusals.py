"""What is said when an app cannot be deployed."""

import json
from pathlib import Path
from typing import Any

import pytest

from personalize_local.aws.cloudformation.templates import UnsupportedResourceError
from personalize_local.cloud import Cloud
from personalize_local.deploy import DeploymentError


def write_assembly(directory: Path, resources: dict[str, Any]) -> Path:
    artifact = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "shop.template.json"}}
    (directory / "manifest.json").write_text(json.dumps({"artifacts": {"shop": artifact}}), encoding="utf-8")
    (directory / "shop.template.json").write_text(json.dumps({"Resources": resources}), encoding="utf-8")
    return directory


def test_an_unsupported_type_is_refused_before_anything_is_made(bare_cloud: Cloud, tmp_path: Path) -> None:
    resources = {"Queue": {"Type": "AWS::SQS::Queue"}, "Cluster": {"Type": "AWS::EKS::Cluster"}}
    with pytest.raises(UnsupportedResourceError, match=r"shop: Cluster \(AWS::EKS::Cluster\)"):
        bare_cloud.deploy(write_assembly(tmp_path, resources))
    assert bare_cloud.client("sqs").list_queues().get("QueueUrls", []) == []


def test_a_stack_that_cannot_be_made_says_why(bare_cloud: Cloud, tmp_path: Path) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"NotificationConfiguration": {"LambdaConfigurations": []}}}
    with pytest.raises(DeploymentError, match=r"stack shop: .*EventBridge only"):
        bare_cloud.deploy(write_assembly(tmp_path, {"Bucket": bucket}))
