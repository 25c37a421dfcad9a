"""Requests are counted in CloudWatch, and steady traffic fills no memory."""

import pytest
from moto.cloudwatch.models import MetricDatum, cloudwatch_backends

from personalize_local.personalize.protocol.request_counts import count_request
from tests.personalize_local.personalize.world import World

HOME = {"CampaignArn": "arn:home"}


def points(world: World) -> list[MetricDatum]:
    backend = cloudwatch_backends[world.account.account_id][world.account.region]
    return [datum for datum in backend.metric_data if isinstance(datum, MetricDatum)]


def test_requests_are_summed_up_in_few_points(world: World) -> None:
    account = world.account
    for number in range(600):
        count_request(account, "GetRecommendations", HOME)
        count_request(account, "GetRecommendations", {"CampaignArn": "arn:other"})
        world.finish(1 if number % 2 else 0)
    mine = [datum for datum in points(world) if datum.dimensions[0].value == "arn:home"]
    assert sum(datum.value for datum in mine) == 600
    assert len(mine) <= 3


def test_what_a_campaign_answers_is_counted_and_what_it_refuses_is_not(world: World) -> None:
    _, version = world.make_trained()
    campaign = world.make_campaign(version)
    for _ in range(3):
        world.runtime.get_recommendations(campaignArn=campaign, userId="u1")
    with pytest.raises(world.runtime.exceptions.InvalidInputException):
        world.runtime.get_recommendations(campaignArn=campaign)
    counted = {
        (datum.name, datum.dimensions[0].name, datum.dimensions[0].value): datum.value for datum in points(world)
    }
    assert counted == {("GetRecommendations", "CampaignArn", campaign): 3}
