"""What a look at a resource means, phase by phase. Status words are the documented ones."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.personalize.lifecycle import Desired, Phase, changes, conflict_with, observe, phase_of
from lambdas.personalize.resources import RESOURCES

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CAMPAIGN = {"name": "movies", "solutionVersionArn": "arn:v2", "minProvisionedTPS": 1}


def described(**parts: Any) -> dict[str, Any]:
    return {**CAMPAIGN, "campaignArn": "arn:c", "status": "ACTIVE", "creationDateTime": NOW, **parts}


def update(status: str, began: datetime = NOW, **parts: Any) -> dict[str, Any]:
    return {"status": status, "creationDateTime": began, "solutionVersionArn": "arn:v2", **parts}


def phase(resource: dict[str, Any] | None) -> Phase:
    return observe(RESOURCES["campaign"], Desired(CAMPAIGN), resource, NOW - timedelta(minutes=1)).phase


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("ACTIVE", Phase.READY),
        ("COMPLETED", Phase.READY),
        ("CREATE PENDING", Phase.CHANGING),
        ("CREATE IN_PROGRESS", Phase.CHANGING),
        ("UPDATE IN_PROGRESS", Phase.CHANGING),
        ("DELETE IN_PROGRESS", Phase.CHANGING),
        ("CREATE STOPPING", Phase.CHANGING),
        ("IN PROGRESS", Phase.CHANGING),
        ("PENDING", Phase.CHANGING),
        ("CREATE FAILED", Phase.FAILED),
        ("CREATE STOPPED", Phase.FAILED),
        ("INACTIVE", Phase.READY),
        ("HIBERNATING", Phase.FAILED),
    ],
)
def test_each_status_word_is_one_phase(status: str, expected: Phase) -> None:
    assert phase_of(status) is expected


def test_nothing_there_is_absent() -> None:
    assert phase(None) is Phase.ABSENT


def test_a_resource_that_is_as_asked_is_ready_whatever_else_the_service_adds() -> None:
    assert phase(described(campaignConfig={"enableMetadataWithRecommendations": False})) is Phase.READY


def test_a_campaign_with_another_version_is_outdated_and_only_the_difference_is_asked() -> None:
    old = described(solutionVersionArn="arn:v1")
    assert phase(old) is Phase.OUTDATED
    assert changes(RESOURCES["campaign"], CAMPAIGN, old) == {"solutionVersionArn": "arn:v2"}


def test_an_update_in_flight_is_waited_for_although_the_campaign_is_active() -> None:
    old = described(solutionVersionArn="arn:v1", latestCampaignUpdate=update("CREATE IN_PROGRESS"))
    assert phase(old) is Phase.CHANGING


def test_an_update_that_failed_in_this_run_fails_with_its_own_reason() -> None:
    failed = update("CREATE FAILED", failureReason="no capacity")
    old = described(solutionVersionArn="arn:v1", latestCampaignUpdate=failed)
    observation = observe(RESOURCES["campaign"], Desired(CAMPAIGN), old, NOW - timedelta(minutes=1))
    assert (observation.phase, observation.reason) == (Phase.FAILED, "no capacity")


def test_an_update_that_failed_before_this_run_is_tried_again() -> None:
    failed = update("CREATE FAILED", began=NOW - timedelta(days=1))
    assert phase(described(solutionVersionArn="arn:v1", latestCampaignUpdate=failed)) is Phase.OUTDATED


@pytest.mark.parametrize("noun", [row.noun for row in RESOURCES.values() if row.deletable and row.has_status])
def test_what_was_never_made_is_made_anew_unless_it_failed_in_this_run(noun: str) -> None:
    row, desired = RESOURCES[noun], Desired({"name": "movies"})

    def failed(ended: timedelta) -> dict[str, Any]:
        return {"status": "CREATE FAILED", "failureReason": "why", "lastUpdatedDateTime": NOW + ended}

    before = observe(row, desired, failed(timedelta(seconds=-1)), NOW)
    since = observe(row, desired, failed(timedelta(seconds=1)), NOW)
    assert (before.phase, since.phase) == (Phase.REPLACEABLE, Phase.FAILED)
    assert (before.reason, since.reason) == ("why", "why")


@pytest.mark.parametrize(
    ("noun", "ours", "theirs"),
    [
        ("solution", {"datasetGroupArn": "arn:dataset-group/a"}, {"datasetGroupArn": "arn:dataset-group/b"}),
        ("filter", {"datasetGroupArn": "arn:dataset-group/a"}, {"datasetGroupArn": "arn:dataset-group/b"}),
        ("campaign", {"solutionVersionArn": "arn:solution/a/1"}, {"solutionVersionArn": "arn:solution/b/1"}),
    ],
)
def test_what_somebody_else_could_not_make_is_not_ours_to_delete(
    noun: str, ours: dict[str, str], theirs: dict[str, str]
) -> None:
    there = {"status": "CREATE FAILED", "lastUpdatedDateTime": NOW - timedelta(days=1), **theirs}
    observation = observe(RESOURCES[noun], Desired({"name": "movies", **ours}), there, NOW)
    assert observation.phase is Phase.FAILED
    assert "belongs to" in observation.reason


@pytest.mark.parametrize(
    ("noun", "wanted", "there"),
    [
        ("filter", {"filterExpression": "EXCLUDE b"}, {"filterExpression": "EXCLUDE a"}),
        ("event_tracker", {"name": "b"}, {"name": "a"}),
        ("metric_attribution", {"datasetGroupArn": "arn:b"}, {"datasetGroupArn": "arn:a"}),
    ],
)
def test_what_loses_nothing_is_replaced_only_where_that_was_said(
    noun: str, wanted: dict[str, str], there: dict[str, str]
) -> None:
    described = {"status": "ACTIVE", "creationDateTime": NOW, **there}
    assert observe(RESOURCES[noun], Desired(wanted, replace=True), described, NOW).phase is Phase.REPLACEABLE
    kept = observe(RESOURCES[noun], Desired(wanted), described, NOW)
    if noun == "event_tracker":  # a group has one, whatever its name
        assert kept.phase is Phase.READY
    else:
        assert kept.phase is Phase.FAILED
        assert '"replace": true' in kept.reason


def test_a_solution_is_never_replaced_its_versions_would_be_lost() -> None:
    there = {"status": "ACTIVE", "recipeArn": "a", "creationDateTime": NOW}
    assert observe(RESOURCES["solution"], Desired({"recipeArn": "b"}, replace=True), there, NOW).phase is Phase.FAILED


@pytest.mark.parametrize(
    ("status", "active", "expected"),
    [
        ("ACTIVE", True, Phase.READY),
        ("ACTIVE", False, Phase.RUNNING),
        ("INACTIVE", True, Phase.STOPPED),
        ("INACTIVE", False, Phase.READY),
        ("STOP IN_PROGRESS", True, Phase.CHANGING),
        ("START PENDING", False, Phase.CHANGING),
    ],
)
def test_a_recommender_is_started_and_stopped_as_asked(status: str, active: bool, expected: Phase) -> None:
    there = {"name": "r", "status": status, "creationDateTime": NOW}
    assert observe(RESOURCES["recommender"], Desired({"name": "r"}, active=active), there, NOW).phase is expected


def test_what_is_not_there_cannot_be_stopped() -> None:
    observation = observe(RESOURCES["recommender"], Desired({"name": "r"}, active=False), None, NOW)
    assert (observation.phase, "no recommender" in observation.reason) == (Phase.FAILED, True)


def test_missing_and_different_tags_are_changed_and_others_stay() -> None:
    def tag(key: str, value: str) -> dict[str, str]:
        return {"tagKey": key, "tagValue": value}

    wanted = {**CAMPAIGN, "tags": [tag("team", "films"), tag("stage", "dev")]}
    there = described(tags=[tag("team", "books"), tag("stage", "dev"), tag("cost", "7")])
    assert observe(RESOURCES["campaign"], Desired(wanted), there, NOW).phase is Phase.OUTDATED
    assert changes(RESOURCES["campaign"], wanted, there) == {"tags": [tag("team", "films")]}


def test_a_difference_that_cannot_be_updated_is_a_failure_naming_both_values() -> None:
    row = RESOURCES["solution"]
    there = {"status": "ACTIVE", "name": "s", "recipeArn": "arn:recipe/a", "creationDateTime": NOW}
    observation = observe(row, Desired({"name": "s", "recipeArn": "arn:recipe/b"}), there, NOW)
    assert observation.phase is Phase.FAILED
    assert "recipeArn" in observation.reason
    assert "arn:recipe/a" in observation.reason
    assert "arn:recipe/b" in observation.reason


def test_a_solution_says_its_schedule_in_one_place_and_takes_it_in_another() -> None:
    schedule = {"autoTrainingConfig": {"schedulingExpression": "rate(3 days)"}}
    wanted = {"name": "s", "solutionConfig": schedule}
    there = {"name": "s", "solutionConfig": {"autoTrainingConfig": {"schedulingExpression": "rate(7 days)"}}}
    assert changes(RESOURCES["solution"], wanted, there) == {"solutionUpdateConfig": schedule}
    assert conflict_with(RESOURCES["solution"], Desired(wanted), there) == ""


def test_the_same_schema_in_other_white_space_is_the_same() -> None:
    row = RESOURCES["schema"]
    there = {"name": "s", "schemaArn": "arn:s", "schema": '{"type": "record"}'}
    assert observe(row, Desired({"name": "s", "schema": '{"type":"record"}'}), there, NOW).phase is Phase.READY


def test_a_campaign_that_follows_the_latest_version_is_ready_with_any_of_them() -> None:
    wanted = {**CAMPAIGN, "solutionVersionArn": "arn:solution/s/$LATEST"}
    there = described(solutionVersionArn="arn:solution/s/1a2b3c4d")
    assert observe(RESOURCES["campaign"], Desired(wanted), there, NOW).phase is Phase.READY
