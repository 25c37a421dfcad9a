"""Campaigns: the old deployment serves until the new one is there."""

import pytest

from tests.personalize_local.personalize.world import World


@pytest.fixture
def versions(world: World) -> tuple[str, str]:
    _, first = world.make_trained()
    return first, world.make_version(first.rpartition("/")[0])


def test_an_update_shows_beside_the_campaign_until_it_is_active(world: World, versions: tuple[str, str]) -> None:
    first, second = versions
    arn = world.make_campaign(first)
    assert "latestCampaignUpdate" not in world.describe("campaign", arn)
    world.personalize.update_campaign(campaignArn=arn, solutionVersionArn=second, minProvisionedTPS=3)
    during = world.describe("campaign", arn)
    assert (during["status"], during["solutionVersionArn"], during["minProvisionedTPS"]) == ("ACTIVE", first, 1)
    update = during["latestCampaignUpdate"]
    assert (update["status"], update["solutionVersionArn"]) == ("CREATE PENDING", second)
    world.runtime.get_recommendations(campaignArn=arn, userId="u1")
    assert world.engine.queries[-1][0].endswith(first.rpartition("/")[2])
    world.finish()
    after = world.describe("campaign", arn)
    assert (after["solutionVersionArn"], after["minProvisionedTPS"]) == (second, 3)
    assert after["latestCampaignUpdate"]["status"] == "ACTIVE"
    world.runtime.get_recommendations(campaignArn=arn, userId="u1")
    assert world.engine.queries[-1][0].endswith(second.rpartition("/")[2])


def test_a_failed_update_leaves_the_old_version_serving(world: World, versions: tuple[str, str]) -> None:
    first, second = versions
    arn = world.make_campaign(first)
    world.service.faults.fail("campaign", "no capacity")
    world.personalize.update_campaign(campaignArn=arn, solutionVersionArn=second)
    world.finish()
    after = world.describe("campaign", arn)
    assert (after["status"], after["solutionVersionArn"]) == ("ACTIVE", first)
    assert after["latestCampaignUpdate"]["status"] == "CREATE FAILED"
    assert after["latestCampaignUpdate"]["failureReason"] == "no capacity"
    world.personalize.update_campaign(campaignArn=arn, solutionVersionArn=second)
    world.finish()
    assert world.describe("campaign", arn)["solutionVersionArn"] == second


def test_a_campaign_that_never_came_up_can_be_updated(world: World, versions: tuple[str, str]) -> None:
    world.service.faults.fail("campaign", "no capacity")
    arn = world.make_campaign(versions[0])
    assert world.status("campaign", arn) == "CREATE FAILED"
    with pytest.raises(world.runtime.exceptions.ResourceNotFoundException):
        world.runtime.get_recommendations(campaignArn=arn, userId="u1")
    world.personalize.update_campaign(campaignArn=arn, solutionVersionArn=versions[1])
    world.finish()
    assert world.status("campaign", arn) == "ACTIVE"


def test_only_one_update_at_a_time(world: World, versions: tuple[str, str]) -> None:
    arn = world.make_campaign(versions[0])
    world.personalize.update_campaign(campaignArn=arn, minProvisionedTPS=2)
    for change in (world.personalize.update_campaign, world.personalize.delete_campaign):
        with pytest.raises(world.personalize.exceptions.ResourceInUseException):
            change(**({"minProvisionedTPS": 5} if change == world.personalize.update_campaign else {}), campaignArn=arn)


def test_an_update_to_the_same_settings_is_an_update(world: World, versions: tuple[str, str]) -> None:
    arn = world.make_campaign(versions[0])
    world.personalize.update_campaign(campaignArn=arn, solutionVersionArn=versions[0])
    assert world.describe("campaign", arn)["latestCampaignUpdate"]["status"] == "CREATE PENDING"
    with pytest.raises(world.personalize.exceptions.ResourceInUseException):
        world.personalize.update_campaign(campaignArn=arn)
    world.finish()
    with pytest.raises(world.personalize.exceptions.InvalidInputException):
        world.personalize.update_campaign(campaignArn=arn)


def test_a_campaign_follows_the_latest_version(world: World, versions: tuple[str, str]) -> None:
    solution = versions[0].rpartition("/")[0]
    config = {"syncWithLatestSolutionVersion": True}
    arn = world.make_campaign(f"{solution}/$LATEST", campaignConfig=config)
    assert world.describe("campaign", arn)["solutionVersionArn"] == versions[1]
    third = world.make_version(solution)
    update = world.describe("campaign", arn)["latestCampaignUpdate"]
    assert update["solutionVersionArn"] == third
    world.finish()
    assert world.describe("campaign", arn)["solutionVersionArn"] == third


def test_a_campaign_that_follows_tries_a_version_once(world: World, versions: tuple[str, str]) -> None:
    """Choice: a failed deployment waits for the next version."""
    solution = versions[0].rpartition("/")[0]
    arn = world.make_campaign(f"{solution}/$LATEST", campaignConfig={"syncWithLatestSolutionVersion": True})
    world.service.faults.fail("campaign", "no capacity")
    world.make_version(solution)
    world.status("campaign", arn)
    for _ in range(3):
        world.finish()
        assert world.describe("campaign", arn)["latestCampaignUpdate"]["status"] == "CREATE FAILED"
    assert world.describe("campaign", arn)["solutionVersionArn"] == versions[1]


def test_latest_and_its_setting_go_together(world: World, versions: tuple[str, str]) -> None:
    solution = versions[0].rpartition("/")[0]
    for version, sync in ((f"{solution}/$LATEST", False), (versions[0], True)):
        with pytest.raises(world.personalize.exceptions.InvalidInputException):
            world.personalize.create_campaign(
                name="c", solutionVersionArn=version, campaignConfig={"syncWithLatestSolutionVersion": sync}
            )


def test_a_bare_solution_is_not_found_where_a_version_is_asked_for(world: World, versions: tuple[str, str]) -> None:
    """Fact: aws-sdk-js-v3 issue 4982."""
    with pytest.raises(world.personalize.exceptions.ResourceNotFoundException):
        world.personalize.create_campaign(name="c", solutionVersionArn=versions[0].rpartition("/")[0])


@pytest.mark.parametrize(
    "config",
    [
        {"itemExplorationConfig": {"explorationWeight": "2"}},
        {"itemExplorationConfig": {"explorationWeight": "much"}},
        {"itemExplorationConfig": {"explorationItemAgeCutOff": "0"}},
        {"itemExplorationConfig": {"curiosity": "1"}},
        {"rankingInfluence": {"POPULARITY": 0.5}},
    ],
)
def test_settings_that_do_not_fit_the_recipe_are_refused(
    world: World, versions: tuple[str, str], config: dict[str, dict[str, str]]
) -> None:
    with pytest.raises(world.personalize.exceptions.InvalidInputException):
        world.personalize.create_campaign(name="c", solutionVersionArn=versions[0], campaignConfig=config)
