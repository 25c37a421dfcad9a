"""Dead letters, from the cause to the record: the steps that docs/runbook.md tells."""

import json
from typing import Any

from personalize_local.cloud import Cloud
from tests.personalize_local.aws.events.test_scheduler import until

FUNCTION = "personalize-dev-record-uploads"
KEY = "uploads/movies/interactions/one.csv"


def receive(cloud: Cloud, queue: str) -> list[dict[str, Any]]:
    url, sqs = cloud.deployment.queues[queue], cloud.client("sqs")
    received: list[dict[str, Any]] = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return received


def dead(cloud: Cloud) -> int:
    url = cloud.deployment.queues["dead_letters"]
    names = ["ApproximateNumberOfMessages"]
    return int(cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"][names[0]])


def ledger(cloud: Cloud) -> list[Any]:
    items = cloud.client("dynamodb").scan(TableName=cloud.deployment.tables["ledger"])["Items"]
    return [item for item in items if item.get("key", {}).get("S") == KEY and "state" in item]


def test_what_was_given_up_on_is_recorded_once_the_cause_is_mended_and_the_letters_are_moved(cloud: Cloud) -> None:
    iam, sqs = cloud.client("iam"), cloud.client("sqs")
    function = cloud.client("lambda").get_function(FunctionName=FUNCTION)["Configuration"]
    role = function["Role"].rpartition("/")[2]
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    denied = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}]}

    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(denied))
    cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=KEY, Body=b"USER_ID,ITEM_ID,TIMESTAMP\n")
    until(lambda: dead(cloud) == 1)
    assert ledger(cloud) == []

    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))
    # What StartMessageMoveTask does, which the local SQS does not have.
    for message in receive(cloud, "dead_letters"):
        sqs.send_message(QueueUrl=cloud.deployment.queues["uploads"], MessageBody=message["Body"])
        sqs.delete_message(QueueUrl=cloud.deployment.queues["dead_letters"], ReceiptHandle=message["ReceiptHandle"])
    until(lambda: len(ledger(cloud)) == 1)
    assert dead(cloud) == 0
