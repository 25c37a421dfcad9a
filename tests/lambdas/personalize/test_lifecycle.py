"""What a look at a resource means, phase by phase. Status words are the documented ones."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.personalize.lifecycle import Phase, changes, conflict_with, observe, phase_of
from lambdas.personalize.resources import RESOURCES

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CAMPAIGN = {"name": "movies", "solutionVersionArn": "arn:v2", "minProvisionedTPS": 1}


def described(**parts: Any) -> dict[str, Any]:
    return {**CAMPAIGN, "campaignArn": "arn:c", "status": "ACTIVE", "creationDateTime": NOW, **parts}


def update(status: str, began: datetime = NOW, **parts: Any) -> dict[str, Any]:
    return {"status": status, "creationDateTime": began, "solutionVersionArn": "arn:v2", **parts}


def phase(resource: dict[str, Any] | None) -> Phase:
    return observe(RESOURCES["campaign"], CAMPAIGN, resource, NOW - timedelta(minutes=1)).phase


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
        ("INACTIVE", Phase.FAILED),
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
    observation = observe(RESOURCES["campaign"], CAMPAIGN, old, NOW - timedelta(minutes=1))
    assert (observation.phase, observation.reason) == (Phase.FAILED, "no capacity")


def test_an_update_that_failed_before_this_run_is_tried_again() -> None:
    failed = update("CREATE FAILED", began=NOW - timedelta(days=1))
    assert phase(described(solutionVersionArn="arn:v1", latestCampaignUpdate=failed)) is Phase.OUTDATED


def test_a_campaign_that_could_not_be_created_is_updated_to_another_version() -> None:
    """Fact: UpdateCampaign takes a campaign that is ACTIVE or CREATE FAILED."""
    assert phase(described(status="CREATE FAILED", solutionVersionArn="arn:v1")) is Phase.OUTDATED
    assert phase(described(status="CREATE FAILED", failureReason="why")) is Phase.FAILED


def test_a_difference_that_cannot_be_updated_is_a_failure_naming_both_values() -> None:
    row = RESOURCES["solution"]
    there = {"status": "ACTIVE", "name": "s", "recipeArn": "arn:recipe/a", "creationDateTime": NOW}
    observation = observe(row, {"name": "s", "recipeArn": "arn:recipe/b"}, there, NOW)
    assert observation.phase is Phase.FAILED
    assert "recipeArn" in observation.reason
    assert "arn:recipe/a" in observation.reason
    assert "arn:recipe/b" in observation.reason


def test_a_solution_says_its_schedule_in_one_place_and_takes_it_in_another() -> None:
    schedule = {"autoTrainingConfig": {"schedulingExpression": "rate(3 days)"}}
    wanted = {"name": "s", "solutionConfig": schedule}
    there = {"name": "s", "solutionConfig": {"autoTrainingConfig": {"schedulingExpression": "rate(7 days)"}}}
    assert changes(RESOURCES["solution"], wanted, there) == {"solutionUpdateConfig": schedule}
    assert conflict_with(RESOURCES["solution"], wanted, there) == ""


def test_the_same_schema_in_other_white_space_is_the_same() -> None:
    row = RESOURCES["schema"]
    there = {"name": "s", "schemaArn": "arn:s", "schema": '{"type": "record"}'}
    assert observe(row, {"name": "s", "schema": '{"type":"record"}'}, there, NOW).phase is Phase.READY


def test_a_campaign_that_follows_the_latest_version_is_ready_with_any_of_them() -> None:
    wanted = {**CAMPAIGN, "solutionVersionArn": "arn:solution/s/$LATEST"}
    there = described(solutionVersionArn="arn:solution/s/1a2b3c4d")
    assert observe(RESOURCES["campaign"], wanted, there, NOW).phase is Phase.READY
