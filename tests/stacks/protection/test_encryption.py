"""One key for everything that takes one, judged by the resource schemas that cfn-lint brings, and who may use it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from stacks.grants import GRANTS
from stacks.outputs import pascal
from stacks.protection.encryption import ENCRYPTED, NOT_ENCRYPTED

Template = dict[str, Any]

# Of what another resource of the same type is encrypted with, or who owns it; ours has nothing of the kind.
OTHER_PURPOSES = {
    "AWS::Lambda::Function": {"SourceKMSKeyArn", "KMSKeyArn"},
    "AWS::S3::Bucket": {"ReplicaKmsKeyID", "KmsKeyArn"},
}


def key_properties(kind: str) -> set[str]:
    """Return every property, however deep, by which a resource of the type names a KMS key."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-west-1", kind).schema
    pattern = r'"(\w*(?:kms|encryption)\w*key\w*|kms\w*(?:arn|id|identifier))":'
    named = set(re.findall(pattern, json.dumps(schema), re.IGNORECASE))
    return {name for name in named if not name.endswith("Seconds")} - OTHER_PURPOSES.get(kind, set())


def resources(assembly: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path in assembly.glob("*.template.json"):
        for name, resource in json.loads(path.read_text(encoding="utf-8"))["Resources"].items():
            yield name, resource["Type"], resource.get("Properties", {})


def values(document: Any, names: set[str]) -> Iterator[Any]:
    if isinstance(document, dict):
        for name, value in document.items():
            if name in names:
                yield value
            yield from values(value, names)
    elif isinstance(document, list):
        for member in document:
            yield from values(member, names)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("assembly_name", ["encrypted", "adopted"])
def test_whatever_takes_a_key_has_the_stages_key(request: pytest.FixtureRequest, assembly_name: str) -> None:
    lacking, seen = [], set()
    for name, kind, properties in resources(request.getfixturevalue(assembly_name)):
        if (takes := key_properties(kind)) and kind not in {*NOT_ENCRYPTED, "AWS::KMS::Key"}:
            seen.add(kind)
            keys = list(values(properties, takes))
            if not keys or not all(re.search(r"GetAttKey|\"Key\w+\", \"Arn\"|:key/", json.dumps(key)) for key in keys):
                lacking.append((name, kind, keys))
    assert lacking == []
    adopted = {"AWS::S3::Bucket", "AWS::DynamoDB::Table"}
    assert seen == set(ENCRYPTED) - (adopted if assembly_name == "adopted" else set())


@pytest.mark.parametrize("kind", NOT_ENCRYPTED)
def test_what_has_no_key_could_have_one_and_is_used(encrypted: Path, kind: str) -> None:
    assert key_properties(kind)
    assert kind in {used for _, used, _ in resources(encrypted)}


def test_without_a_key_nothing_mentions_one(dev: Path, prod: Path) -> None:
    for assembly in (dev, prod):
        for path in assembly.glob("*.template.json"):
            assert not re.search(r"kms:|:key/", path.read_text(encoding="utf-8")), path


def key_statements(assembly: Path, logical_id: str) -> list[dict[str, Any]]:
    """Return what the role of that logical id may do with the key."""
    return [
        statement
        for _, kind, properties in resources(assembly)
        if kind == "AWS::IAM::Policy" and any(role["Ref"].startswith(logical_id) for role in properties["Roles"])
        for statement in properties["PolicyDocument"]["Statement"]
        if any(action.startswith("kms:") for action in listed(statement["Action"]))
    ]


@pytest.mark.parametrize("module", GRANTS)
def test_a_handler_may_use_the_key_for_what_it_reads_and_writes(encrypted: Path, module: str) -> None:
    services = {action.partition(":")[0] for action in GRANTS[module].actions} & {"s3", "dynamodb", "sns"}
    if "s3" in services and not any(a.startswith(("s3:GetObject", "s3:PutObject")) for a in GRANTS[module].actions):
        services.remove("s3")
    services |= {"sqs"} if module == "record_uploads" else set()
    allowed = {}
    for statement in key_statements(encrypted, f"{pascal(module)}Role"):
        via = json.dumps(statement["Condition"]["StringEquals"]["kms:ViaService"])
        service = next(name for name in ("s3", "dynamodb", "sqs", "sns") if f'"{name}.' in via)
        allowed[service] = set(listed(statement["Action"]))
        assert "*" not in json.dumps(statement["Action"])
        assert statement["Resource"] != "*"
    assert set(allowed) == services
    writes = any(action == "s3:PutObject" for action in GRANTS[module].actions)
    assert ("kms:GenerateDataKey" in allowed.get("s3", ())) == writes
    assert all("kms:Decrypt" in actions for actions in allowed.values())


def test_the_data_role_may_use_the_key_as_the_service_documents_it(encrypted: Path) -> None:
    (statement,) = key_statements(encrypted, "DataRole")
    assert set(statement["Action"]) == {"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey", "kms:ListGrants"}


def test_the_keys_policy_lets_each_service_encrypt_what_is_ours(encrypted: Path) -> None:
    ((_, _, key),) = [one for one in resources(encrypted) if one[1] == "AWS::KMS::Key"]
    assert key["EnableKeyRotation"] is True
    account, *statements = key["KeyPolicy"]["Statement"]
    assert "root" in json.dumps(account["Principal"])
    by_principal = {json.dumps(statement["Principal"]) for statement in statements}
    assert [name for name in ("personalize", "logs.", "events.", "cloudwatch") if name not in str(by_principal)] == []
    for statement in statements:
        assert not [action for action in listed(statement["Action"]) if "*" in action]
        if "Service" in statement["Principal"]:
            assert statement["Condition"], statement["Principal"]


def test_an_adopted_keys_owner_is_told_the_same_statements(encrypted: Path, adopted: Path) -> None:
    """But for the role, which is another one there."""
    ((_, _, key),) = [one for one in resources(encrypted) if one[1] == "AWS::KMS::Key"]
    outputs = json.loads((adopted / "personalize-prod-data.template.json").read_text())["Outputs"]
    told = json.dumps(outputs["AdoptedKeyPolicy"]["Value"])
    for statement in key["KeyPolicy"]["Statement"][1:]:
        for action in listed(statement["Action"]):
            assert action in told
        for context in re.findall(r"kms:EncryptionContext:[\w:-]+", json.dumps(statement)):
            assert context in told
