"""What the templates promise, in words; and their whole text, for a reviewer to read when it changes."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

import statemachines
from stacks.grants import STARTABLE
from stacks.handlers import handlers
from stacks.monitoring.stage_metrics import EMITTED
from stacks.outputs import pascal

Template = dict[str, Any]

NAMED = {
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::Events::Rule": "Name",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}


def resources(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] == kind}


def only(template: Template, kind: str) -> dict[str, Any]:
    (resource,) = resources(template, kind).values()
    return resource


def properties(template: Template, kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in resources(template, kind).values()]


def test_every_handler_is_a_function_and_every_definition_a_machine(workflow: Template) -> None:
    functions = {function["Handler"] for function in properties(workflow, "AWS::Lambda::Function")}
    machines = {machine["StateMachineName"] for machine in properties(workflow, "AWS::StepFunctions::StateMachine")}
    assert functions == {f"lambdas.{module}.handler" for module in handlers()}
    assert machines == {f"personalize-dev-{name.replace('_', '-')}" for name in statemachines.names()}


def test_everything_an_operator_looks_for_has_a_name_we_gave(workflow: Template, monitoring: Template) -> None:
    for template in (workflow, monitoring):
        for name, resource in template["Resources"].items():
            key = NAMED.get(resource["Type"])
            assert key is None or "personalize-dev-" in resource["Properties"][key], name


def test_what_is_kept_has_no_name_that_a_second_deployment_would_meet(kept: Template) -> None:
    for resource in kept["Resources"].values():
        assert not {"BucketName", "TableName", "RoleName"} & set(resource["Properties"])


KEPT = [
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::IAM::Policy",
]


@pytest.mark.parametrize("kind", KEPT)
def test_data_outlives_the_stack_where_the_stage_says_so(data: Template, kept: Template, kind: str) -> None:
    for key in ("DeletionPolicy", "UpdateReplacePolicy"):
        assert only(kept, kind)[key] == "Retain"
        assert only(data, kind).get(key, "Delete") == "Delete"


def test_everything_in_a_data_stack_that_keeps_its_data_is_kept(kept: Template) -> None:
    assert {resource["Type"] for resource in kept["Resources"].values()} == set(KEPT)


def test_kept_data_is_protected_from_a_slip(data: Template, kept: Template, dev: Path, prod: Path) -> None:
    assert only(kept, "AWS::DynamoDB::Table")["Properties"]["DeletionProtectionEnabled"] is True
    assert not only(data, "AWS::DynamoDB::Table")["Properties"].get("DeletionProtectionEnabled")
    for assembly, protected in ((dev, False), (prod, True)):
        artifacts = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))["artifacts"].values()
        stacks = [one["properties"] for one in artifacts if one["type"] == "aws:cloudformation:stack"]
        assert {stack.get("terminationProtection", False) for stack in stacks} == {protected}


def test_the_bucket_is_versioned_encrypted_private_and_announces_its_objects(data: Template) -> None:
    bucket = only(data, "AWS::S3::Bucket")["Properties"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_staged_copies_are_forgotten_and_uploads_are_not(data: Template) -> None:
    rules = only(data, "AWS::S3::Bucket")["Properties"]["LifecycleConfiguration"]["Rules"]
    assert {rule.get("Prefix") for rule in rules if "ExpirationInDays" in rule} == {"staging/"}


def test_imported_files_are_forgotten_by_their_tag_where_the_stage_says_so(kept: Template) -> None:
    rules = only(kept, "AWS::S3::Bucket")["Properties"]["LifecycleConfiguration"]["Rules"]
    (rule,) = [rule for rule in rules if rule.get("Prefix") == "uploads/"]
    assert rule["TagFilters"] == [{"Key": "ledger", "Value": "IMPORTED"}]
    assert rule["ExpirationInDays"] == 100


def test_the_ledger_costs_by_use_and_can_go_back_in_time(data: Template) -> None:
    ledger = only(data, "AWS::DynamoDB::Table")["Properties"]
    assert ledger["BillingMode"] == "PAY_PER_REQUEST"
    assert ledger["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert ledger["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_nothing_is_reached_without_tls(data: Template, workflow: Template, told: Template) -> None:
    guarded = [
        (data, "AWS::S3::BucketPolicy", "AWS::S3::Bucket"),
        (workflow, "AWS::SQS::QueuePolicy", "AWS::SQS::Queue"),
        (told, "AWS::SNS::TopicPolicy", "AWS::SNS::Topic"),
    ]
    for template, policy, guarded_kind in guarded:
        refusals = [
            statement
            for document in properties(template, policy)
            for statement in document["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        ]
        assert len(refusals) == len(resources(template, guarded_kind)) > 0, policy


def test_nothing_announced_is_dropped(workflow: Template) -> None:
    queues = resources(workflow, "AWS::SQS::Queue")
    ((dead, _),) = ((name, queue) for name, queue in queues.items() if "RedrivePolicy" not in queue["Properties"])
    dead_letters = {"Fn::GetAtt": [dead, "Arn"]}
    for queue in queues.values():
        redrive = queue["Properties"].get("RedrivePolicy")
        assert redrive is None or redrive["deadLetterTargetArn"] == dead_letters
        assert queue["Properties"]["SqsManagedSseEnabled"] is True
    for rule in properties(workflow, "AWS::Events::Rule"):
        assert [target["DeadLetterConfig"] for target in rule["Targets"]] == [{"Arn": dead_letters}]


def test_nothing_we_write_starts_anything(workflow: Template) -> None:
    watched = [
        key["prefix"]
        for rule in properties(workflow, "AWS::Events::Rule")
        for key in rule.get("EventPattern", {}).get("detail", {}).get("object", {}).get("key", [])
    ]
    assert sorted(watched) == ["requests/", "uploads/"]


def test_a_batch_may_fail_in_part_and_is_retried_only_when_its_handler_gave_up(workflow: Template) -> None:
    mapping = only(workflow, "AWS::Lambda::EventSourceMapping")["Properties"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    (handler,) = (
        function
        for function in properties(workflow, "AWS::Lambda::Function")
        if function["Handler"] == "lambdas.record_uploads.handler"
    )
    (queue,) = (queue for queue in properties(workflow, "AWS::SQS::Queue") if "RedrivePolicy" in queue)
    # Six times is what Lambda's documentation recommends.
    assert queue["VisibilityTimeout"] >= 6 * handler["Timeout"]


def test_every_run_is_logged_and_traced(workflow: Template) -> None:
    for machine in properties(workflow, "AWS::StepFunctions::StateMachine"):
        assert machine["LoggingConfiguration"]["Level"] == "ALL"
        assert machine["TracingConfiguration"] == {"Enabled": True}
    for function in properties(workflow, "AWS::Lambda::Function"):
        assert function["TracingConfig"] == {"Mode": "Active"}


def test_every_log_ends(workflow: Template) -> None:
    assert {group["RetentionInDays"] for group in properties(workflow, "AWS::Logs::LogGroup")} == {7}


def test_every_token_becomes_an_arn(workflow: Template) -> None:
    for machine in properties(workflow, "AWS::StepFunctions::StateMachine"):
        tokens = set(re.findall(r"\$\{([^}]*)\}", machine["DefinitionString"]))
        assert tokens == set(machine.get("DefinitionSubstitutions", {})), machine["StateMachineName"]


def test_definitions_are_deployed_as_they_are_on_disk(workflow: Template) -> None:
    deployed = {m["DefinitionString"] for m in properties(workflow, "AWS::StepFunctions::StateMachine")}
    assert deployed == {statemachines.text(name) for name in statemachines.names()}


def test_outputs_have_the_keys_that_others_rely_on(data: Template, workflow: Template) -> None:
    assert set(data["Outputs"]) > {"Bucket", "PersonalizeRoleArn", "TableLedger", "UploadHint"}
    machines = {f"StateMachine{pascal(name)}" for name in statemachines.names()}
    schedules = {"SchedulesGroup", "SchedulesRoleArn", "SchedulesDeadLettersArn"}
    others = {"QueueUploads", "QueueDeadLetters", "TopicNotices", "PersonalizeNames", "PolicyUploader", "PolicySpender"}
    assert set(workflow["Outputs"]) == machines | schedules | others


MEANINGS = {
    "run-failed",
    "run-slow",
    "version-kept-back",
    "over-budget",
    "dead-letters-waiting",
    "events-unread",
    "file-waiting",
    "model-overdue",
    "capacity-idle",
    "notice-failed",
    "sweep-failed",
    "no-sweep-ran",
}


def alarm_names(alarms: list[dict[str, Any]]) -> set[str]:
    return {alarm["AlarmName"].removeprefix("personalize-dev-") for alarm in alarms}


def test_there_is_one_alarm_per_meaning_and_each_says_its_own(monitoring: Template) -> None:
    alarms = properties(monitoring, "AWS::CloudWatch::Alarm")
    assert alarm_names(alarms) == MEANINGS
    assert len({alarm["AlarmDescription"] for alarm in alarms}) == len(MEANINGS)
    runbook = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text(encoding="utf-8")
    assert not {name for name in MEANINGS if f"`{name}`" not in runbook}


def test_silence_is_an_alarm_for_sweeps_only(monitoring: Template) -> None:
    alarms = properties(monitoring, "AWS::CloudWatch::Alarm")
    assert alarm_names([one for one in alarms if one["TreatMissingData"] == "breaching"]) == {"no-sweep-ran"}
    assert alarm_names([one for one in alarms if one["ComparisonOperator"] == "LessThanThreshold"]) == {"no-sweep-ran"}


def test_a_failed_run_is_one_alarm_however_many_machines_and_handlers_it_went_through(monitoring: Template) -> None:
    """Only machines that handlers start are watched: nobody reads the end of those."""
    (alarm,) = [
        one for one in properties(monitoring, "AWS::CloudWatch::Alarm") if one["AlarmName"].endswith("run-failed")
    ]
    watched = json.dumps(alarm["Metrics"])
    for machine in STARTABLE:
        assert watched.count(f':personalize-dev-{machine.name.replace("_", "-")}"') == 2
    assert len(alarm["Metrics"]) - 1 <= 10, "CloudWatch takes ten metrics in an alarm's expression"


def test_what_handlers_count_is_what_the_dashboard_shows() -> None:
    counted = {
        (path.stem, call.args[0].value)
        for path in (Path(__file__).parents[2] / "lambdas").glob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "count"
        if ast.unparse(call.func.value) == "wiring" and isinstance(call.args[0], ast.Constant)
    }
    assert {pair for pairs in EMITTED.values() for pair in pairs} == counted


def test_alarms_tell_somebody_only_where_the_stage_names_them(monitoring: Template, told: Template) -> None:
    assert not [alarm for alarm in properties(monitoring, "AWS::CloudWatch::Alarm") if "AlarmActions" in alarm]
    assert all(alarm["AlarmActions"] for alarm in properties(told, "AWS::CloudWatch::Alarm"))
    assert only(told, "AWS::SNS::Subscription")["Properties"]["Endpoint"] == "operator@example.com"


def test_alarms_are_about_names_that_exist(workflow: Template, monitoring: Template) -> None:
    names = {
        *(function["FunctionName"] for function in properties(workflow, "AWS::Lambda::Function")),
        *(machine["StateMachineName"] for machine in properties(workflow, "AWS::StepFunctions::StateMachine")),
        *(queue["QueueName"] for queue in properties(workflow, "AWS::SQS::Queue")),
        *handlers(),  # the dimension of what they emit themselves
    }
    for alarm in properties(monitoring, "AWS::CloudWatch::Alarm"):
        metrics = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", ()) if "MetricStat" in one]
        for metric in metrics or [alarm]:
            (dimension,) = metric["Dimensions"]
            value = json.dumps(dimension["Value"])
            assert any(re.search(rf'[:"]{re.escape(name)}"', value) for name in names), value


def test_templates_hold_what_we_wrote_and_nothing_else(
    data: Template, workflow: Template, monitoring: Template
) -> None:
    for template in (data, workflow, monitoring):
        kinds = {resource["Type"] for resource in template["Resources"].values()}
        assert not [kind for kind in kinds if kind.startswith(("Custom::", "AWS::CDK", "AWS::CloudFormation"))]


@pytest.mark.parametrize("stack", ["data", "workflow", "monitoring"])
def test_template_is_as_reviewed(request: pytest.FixtureRequest, snapshot: SnapshotAssertion, stack: str) -> None:
    text = re.sub(r"\b[0-9a-f]{64}\b", "<asset>", json.dumps(request.getfixturevalue(stack)))
    # A version's logical id has a digest of the function as it is, code included.
    template = json.loads(re.sub(r"(CurrentVersion\w{8})[0-9a-f]{32}\b", r"\1<function>", text))
    for machine in properties(template, "AWS::StepFunctions::StateMachine"):
        machine["DefinitionString"] = "<the file, see test_definitions_are_deployed_as_they_are_on_disk>"
    assert template == snapshot(extension_class=JSONSnapshotExtension)
