"""Every row of every table of the runbook is walked: its condition by a test that is named here, its advice by these.

A row whose condition no test brings about says why.
"""

import ast
import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from config.settings import Settings
from control.runs.runbook import find
from lambdas.requests.request_reading import load_request, parse_request
from tests.docs import runbook_page
from tests.docs.runbook_page import ROOT, Row

EXPLAINED: Final = "tests/e2e/test_explanations.py::test_the_cause_is_what_a_person_would_name"
TOLD: Final = "tests/e2e/test_notices.py::test_a_failure_is_told_once_with_its_reason"
IDLE: Final = "tests/e2e/test_idle_capacity.py::test_what_nobody_asks_is_lowered_once"
GATES: Final = "tests/e2e/test_gates.py::"
TEMPLATES: Final = "tests/stacks/test_templates.py::"
ADOPTED: Final = "tests/e2e/test_adopted_bucket.py::test_with_the_policy_that_the_stack_prints_it_imports"
RESTORED: Final = "tests/e2e/test_restore.py::test_a_stage_that_adopts_what_stayed_goes_on_where_it_was"
ALARMS: Final = f"{TEMPLATES}test_alarms_are_about_names_that_exist"

# Table by table: a row's name, and the tests that bring its condition about and look what comes of it.
WALKED: Final[dict[str, dict[str, str | tuple[str, ...]]]] = {
    "A run is red": {
        "`InvalidRequestError`": EXPLAINED,
        "`UploadRejected`": EXPLAINED,
        "`UploadRejected`: *may not read it*, *archived*, *SSE-C*": "tests/lambdas/uploads/test_faulty_files.py::"
        "test_a_file_that_cannot_be_read_is_given_up_with_a_report_that_says_what_to_do",
        "`Unexplained`": "tests/contract/test_definitions.py::test_a_reason_is_kept_when_it_cannot_be_explained",
        "`ResourceFailed`": (EXPLAINED, ("tests/statemachines/test_ensure_resource.py::"
        "test_what_once_failed_is_made_anew_by_the_next_run")),
        "`ResourceFailed`: *exists with … but … was asked*": (
            EXPLAINED,
            "tests/statemachines/test_ensure_resource.py::test_an_event_tracker_is_replaced_where_that_is_said",
        ),
        "`ResourceFailed`: *it belongs to …*": EXPLAINED,
        "`StillInUseError`": EXPLAINED,
        "`StillThereError`": EXPLAINED,
        "`UnidentifiedResourceError`": EXPLAINED,
        "`ResourceFailed`: *was still … after … hours*": EXPLAINED,
        "`LimitExceededException`": EXPLAINED,
        "`NoDataError`": EXPLAINED,
        "`OverBudgetError`": (EXPLAINED, ("tests/e2e/test_budgets.py::"
        "test_a_run_over_budget_is_refused_with_the_figures_and_creates_nothing")),
        "`UnknownMetricError`": "tests/lambdas/releases/test_judgement.py::"
        "test_a_gate_on_a_metric_that_is_not_there_names_those_that_are",
        "`SweepIncompleteError` (a failed `sweep_uploads`)": "tests/lambdas/uploads/test_sweep.py::"
        "test_a_sweep_with_troubles_is_red",
        "`TransientError`": EXPLAINED,
        "`States.Timeout`, `TIMED_OUT`": TOLD,
        "`Aborted`, `ABORTED`": (EXPLAINED, TOLD),
        "`States.Runtime`, `States.DataLimitExceeded`": (TOLD, ("tests/personalize_local/aws/stepfunctions/"
        "test_state_limits.py::test_states_all_does_not_catch_it")),
        "`Runtime.ExitError`, `Lambda.Unknown`, `Sandbox.Timedout`": "tests/statemachines/test_ensure_resource.py::"
        "test_a_killed_handler_ends_red_in_words_a_stranger_understands",
    },
    "An alarm went off": {
        "`run-failed`": (TOLD, (f"{TEMPLATES}test_a_failed_run_is_one_alarm_however_many_machines_and_handlers_it_went_"
        "through")),
        "`run-slow`": "only CloudWatch learns what is slow, from weeks of runs",
        "`over-budget`": "tests/e2e/test_budgets.py::"
        "test_a_run_over_budget_is_refused_with_the_figures_and_creates_nothing",
        "`version-kept-back`": f"{GATES}test_a_version_that_misses_a_gate_is_kept_back_and_told",
        "`dead-letters-waiting`": "tests/e2e/test_dead_letters.py::"
        "test_what_was_given_up_on_is_recorded_once_the_cause_is_mended_and_the_letters_are_moved",
        "`events-unread`": f"{TEMPLATES}test_nothing_announced_is_dropped",
        "`file-waiting`": "tests/lambdas/uploads/test_sweep.py::"
        "test_the_longest_wait_is_that_of_the_oldest_file_of_any_dataset",
        "`model-overdue`": IDLE,
        "`capacity-idle`": IDLE,
        "`notice-failed`": "tests/lambdas/notices/test_notice_log.py::"
        "test_a_request_that_failed_is_tried_again_by_lambda_and_tells",
        "`sweep-failed`": "tests/lambdas/uploads/test_sweep.py::test_a_sweep_with_troubles_is_red",
        "`no-sweep-ran`": f"{TEMPLATES}test_silence_is_an_alarm_for_sweeps_only",
    },
    "How long files are kept": {
        "uploads that were imported": f"{TEMPLATES}"
        "test_imported_files_are_forgotten_by_their_tag_where_the_stage_says_so",
        "uploads that wait or were rejected, reports": f"{TEMPLATES}"
        "test_staged_copies_are_forgotten_and_uploads_are_not",
        "versions that were overwritten or deleted": "tests/docs/test_runbook_rows.py::"
        "test_the_days_that_are_said_are_those_of_the_stage",
        "staged copies": f"{TEMPLATES}test_staged_copies_are_forgotten_and_uploads_are_not",
        "the ledger's rows, once settled": "tests/lambdas/uploads/test_fencing.py::"
        "test_only_settled_rows_expire",
    },
    "A campaign did not get the new version": {
        "let a kept version serve": f"{GATES}test_nobody_deploys_it_by_hand_without_saying_who_and_why",
        "go back to what served before": f"{GATES}test_a_rollback_is_done_once_and_holds_until_it_is_released",
        "serve one version, whatever later runs train": "tests/e2e/test_journey.py::test_decisions_are_taken_and_told",
        "let runs deploy again": f"{GATES}test_a_rollback_is_done_once_and_holds_until_it_is_released",
    },
    "Adopt a bucket, a ledger, a role or a key": {
        "the bucket": (ADOPTED, RESTORED),
        "… lifecycle rules": "the owner sets them, and nothing of ours can look whether they are there",
        "the table": RESTORED,
        "the role": RESTORED,
        "the key": "tests/stacks/protection/test_encryption.py::"
        "test_an_adopted_keys_owner_is_told_the_same_statements",
    },
    "What it costs": {
        "refuse runs that cost too much": "tests/e2e/test_budgets.py::"
        "test_a_run_over_budget_is_refused_with_the_figures_and_creates_nothing",
        "be told of what serves nobody": "tests/e2e/test_idle_capacity.py::test_what_nobody_asks_is_lowered_once",
        "have it lowered to 1 TPS, recommenders stopped": "tests/lambdas/costs/test_idle_review.py::"
        "test_what_is_idle_is_lowered_or_stopped_once",
    },
}  # fmt: skip
OF_STEP_FUNCTIONS_AND_LAMBDA: Final = {
    "States.Timeout", "TIMED_OUT", "Aborted", "ABORTED", "States.Runtime", "States.DataLimitExceeded",
    "Runtime.ExitError", "Lambda.Unknown", "Sandbox.Timedout",
}  # fmt: skip

REQUEST: Final[dict[str, Any]] = {"datasetGroup": "movies", "datasets": {"interactions": {"columns": {
    "USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long",
}}}}  # fmt: skip


def rows_of(table: str) -> list[Row]:
    found = [row for row in runbook_page.rows() if row.table == table]
    assert found, f"docs/runbook.md has no table below {table!r}"
    return found


def test_every_row_is_walked_and_no_other() -> None:
    there: dict[str, set[str]] = {}
    for row in runbook_page.rows():
        there.setdefault(row.table, set()).add(row.name)
    assert there == {table: set(walked) for table, walked in WALKED.items()}


TESTS: Final = sorted({
    test
    for walked in WALKED.values()
    for tests in walked.values()
    for test in ((tests,) if isinstance(tests, str) else tests)
    if "::" in test
})  # fmt: skip


@pytest.mark.parametrize("test", TESTS)
def test_a_test_that_is_named_is_there(test: str) -> None:
    path, _, name = test.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", rows_of("A run is red"), ids=lambda row: row.name)
def test_an_error_can_come_and_is_led_to_its_row(row: Row) -> None:
    errors = re.findall(r"`([^`]+)`", row.cells[0].split(" (")[0])
    assert set(errors) <= runbook_page.error_names() | OF_STEP_FUNCTIONS_AND_LAMBDA
    for phrase in re.findall(r"\*([^*]+)\*", row.cells[0]) or ["whatever"]:
        for error in errors:
            found = find(error, phrase.replace("…", "something"))
            assert found is not None
            assert (found.means, found.advice) == row.cells[1:]


def test_the_alarms_are_those_of_the_stage(assembly: Path) -> None:
    template = json.loads((assembly / "personalize-dev-monitoring.template.json").read_text(encoding="utf-8"))
    alarms = {
        resource["Properties"]["AlarmName"].removeprefix("personalize-dev-")
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    assert alarms == {row.name.strip("`") for row in rows_of("An alarm went off")}


def test_the_days_that_are_said_are_those_of_the_stage(assembly: Path) -> None:
    said = {row.name: row for row in rows_of("How long files are kept")}
    settings = set(re.findall(r"`(\w+_days)`", " ".join(row.text for row in said.values())))
    assert settings == {"imported_days", "staging_days", "ledger_days"}
    assert settings <= set(Settings.model_fields)
    template = json.loads((assembly / "personalize-dev-data.template.json").read_text(encoding="utf-8"))
    (bucket,) = (one for one in template["Resources"].values() if one["Type"] == "AWS::S3::Bucket")
    rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    (days,) = {rule["NoncurrentVersionExpiration"]["NoncurrentDays"] for rule in rules if not rule.get("Prefix")}
    assert said["versions that were overwritten or deleted"].cells[1] == f"{days} days"


@pytest.mark.parametrize("row", rows_of("A campaign did not get the new version"), ids=lambda row: row.name)
def test_a_decision_is_an_input_that_is_taken(row: Row) -> None:
    given = json.loads(runbook_page.spans(row.cells[1])[0])
    assert load_request(given, lambda _: json.dumps(REQUEST)).dataset_group.name == "movies"
    (decision,) = given.keys() - {"datasetGroup"}
    update = json.loads((ROOT / "statemachines" / "update_campaign.asl.json").read_text(encoding="utf-8"))
    assert decision in update["Comment"]


@pytest.mark.parametrize("row", rows_of("What it costs"), ids=lambda row: row.name)
def test_what_a_request_may_say_is_taken(row: Row) -> None:
    piece: dict[str, Any] = json.loads(f"{{{runbook_page.spans(row.cells[1])[0]}}}")
    policy = {"idle": {"hours": 72, **piece}} if "then" in piece else piece
    assert parse_request({**REQUEST, **policy}).dataset_group.name == "movies"


@pytest.mark.parametrize("row", rows_of("Adopt a bucket, a ledger, a role or a key"), ids=lambda row: row.name)
def test_what_an_owner_sets_is_a_setting_and_an_output(row: Row) -> None:
    it = row.name.removeprefix("the ").replace("…", "").split()[0]
    fields = {"bucket": "bucket_name", "table": "table_name", "role": "role_arn", "key": "kms_key"}
    assert it not in fields or fields[it] in Settings.model_fields
    for output in re.findall(r"output `Adopted(\w+)Policy`", row.text):
        assert output in runbook_page.words_of_the_code()
