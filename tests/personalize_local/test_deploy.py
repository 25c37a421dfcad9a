"""Deploying: the real templates, unchanged, and what is said when one cannot be deployed."""

import json
import re
from pathlib import Path

import statemachines
from personalize_local.cloud import Cloud
from personalize_local.deploy import read_outputs, zipped


def test_the_app_is_deployed_whole(cloud: Cloud, assembly: Path) -> None:
    templates = [json.loads(path.read_text(encoding="utf-8")) for path in assembly.glob("*.template.json")]
    expected = sum(len(template["Resources"]) for template in templates)
    cloudformation = cloud.client("cloudformation")
    made = [
        resource
        for stack in cloudformation.list_stacks()["StackSummaries"]
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack["StackName"])
        for resource in page["StackResourceSummaries"]
    ]
    assert len(made) == expected


def test_every_machine_and_output_is_found(cloud: Cloud) -> None:
    deployment = cloud.deployment
    assert set(deployment.state_machines) == set(statemachines.names())
    assert {"uploads", "dead_letters"} <= set(deployment.queues)
    assert set(deployment.tables) == {"ledger"}
    assert deployment.personalize_role_arn.startswith("arn:aws:iam::")
    cloud.client("s3").head_bucket(Bucket=deployment.bucket)


def test_queue_urls_are_those_of_this_cloud(cloud: Cloud) -> None:
    url = cloud.deployment.queues["uploads"]
    assert url.startswith(cloud.endpoint)
    assert cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]


def test_tokens_of_the_definitions_are_replaced(cloud: Cloud) -> None:
    for arn in cloud.deployment.state_machines.values():
        definition = cloud.client("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"]
        assert not re.search(r"\$\{", definition)


def test_the_ledger_has_no_local_index(cloud: Cloud) -> None:
    """With one, the items of a partition key end at 10 GB, and it can never be taken away again."""
    table = cloud.client("dynamodb").describe_table(TableName=cloud.deployment.tables["ledger"])["Table"]
    assert not table.get("LocalSecondaryIndexes")


def test_outputs_are_named_by_convention() -> None:
    outputs = {
        "Bucket": "b",
        "StateMachineImportUploads": "arn:1",
        "QueueDeadLetters": "https://sqs.us-east-1.amazonaws.com/123456789012/app-dead",
        "TableLedger": "t",
        "ExportsOutputRefSomething": "x",
    }
    deployment = read_outputs(outputs, "http://127.0.0.1:1")
    assert deployment.state_machines == {"import_uploads": "arn:1"}
    assert deployment.queues == {"dead_letters": "http://127.0.0.1:1/123456789012/app-dead"}
    assert deployment.tables == {"ledger": "t"}


def test_equal_folders_give_equal_archives(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "below").mkdir(parents=True)
        (tmp_path / name / "below" / "file.py").write_text("answer = 42", encoding="utf-8")
    assert zipped(tmp_path / "one") == zipped(tmp_path / "two")
