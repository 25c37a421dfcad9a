"""Streamed events become rows; questions reach the deployed model with everything they bring."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.personalize_local.personalize.world import RECIPES, ROLE, World

WHEN = datetime(2024, 5, 1, tzinfo=UTC)
SECONDS = int(WHEN.timestamp())


@pytest.fixture
def tracking_id(world: World) -> str:
    group = world.make_group()
    world.make_dataset(group)
    answer = world.personalize.create_event_tracker(name="t", datasetGroupArn=group)
    world.finish(120)
    return str(answer["trackingId"])


def _event(**more: Any) -> dict[str, Any]:
    return {"eventType": "view", "sentAt": WHEN, "itemId": "i1", **more}


def test_an_event_becomes_a_row_of_the_schemas_columns(world: World, tracking_id: str) -> None:
    event = _event(eventValue=2.5, eventId="e", properties='{"colour": "red"}', recommendationId="RID-1")
    world.events.put_events(trackingId=tracking_id, userId="u1", sessionId="s1", eventList=[event])
    row = {"USER_ID": "u1", "ITEM_ID": "i1", "TIMESTAMP": SECONDS, "EVENT_TYPE": "view", "EVENT_VALUE": 2.5}
    assert world.engine.streamed == [("movies/INTERACTIONS", row)]


def test_a_sessions_events_join_the_user_who_shows_up(world: World, tracking_id: str) -> None:
    """Fact: the guide describes it for anonymous users who sign in."""
    put = world.events.put_events
    put(trackingId=tracking_id, sessionId="s1", eventList=[_event(itemId="before")])
    put(trackingId=tracking_id, sessionId="s2", eventList=[_event(itemId="elsewhere")])
    put(trackingId=tracking_id, userId="u1", sessionId="s1", eventList=[_event(itemId="after")])
    put(trackingId=tracking_id, userId="u1", sessionId="s1", eventList=[_event(itemId="later")])
    rows = [(row["USER_ID"], row["ITEM_ID"]) for _, row in world.engine.streamed]
    assert rows == [
        ("s1", "before"), ("s2", "elsewhere"), ("u1", "after"), ("u1", "before"), ("u1", "later"),
    ]  # fmt: skip


def test_an_event_id_counts_once(world: World, tracking_id: str) -> None:
    for event_id in ("one", "two", "one", None, None):
        event = _event(itemId=event_id or "none") | ({"eventId": event_id} if event_id else {})
        world.events.put_events(trackingId=tracking_id, userId="u", sessionId="s", eventList=[event])
    assert [row["ITEM_ID"] for _, row in world.engine.streamed] == ["one", "two", "none", "none"]


@pytest.mark.parametrize(
    "wrong",
    [{"properties": "{"}, {"properties": "[]"}, {"itemId": None}, {"properties": '{"eventValue": "much"}'}],
)
def test_an_event_that_is_no_row_is_refused(world: World, tracking_id: str, wrong: dict[str, Any]) -> None:
    event = {key: value for key, value in (_event() | wrong).items() if value is not None}
    with pytest.raises(world.events.exceptions.InvalidInputException):
        world.events.put_events(trackingId=tracking_id, sessionId="s", eventList=[event])
    assert world.engine.streamed == []


def test_an_unknown_tracking_id_is_refused(world: World) -> None:
    with pytest.raises(world.events.exceptions.InvalidInputException):
        world.events.put_events(trackingId="nobody", sessionId="s", eventList=[_event()])


def test_properties_of_entities_are_camel_case_columns(world: World) -> None:
    group = world.make_group()
    items, users = world.make_dataset(group, "ITEMS"), world.make_dataset(group, "USERS")
    properties = '{"price": 3, "categoryL1": ["a", "b"], "creationTimestamp": 5, "unknown": 1}'
    world.events.put_items(datasetArn=items, items=[{"itemId": "i1", "properties": properties}])
    world.events.put_users(datasetArn=users, users=[{"userId": "u1", "properties": '{"AGE": 7}'}])
    expected = {"ITEM_ID": "i1", "PRICE": 3.0, "CATEGORY_L1": "a|b", "CREATION_TIMESTAMP": 5}
    assert world.engine.streamed == [("movies/ITEMS", expected), ("movies/USERS", {"USER_ID": "u1", "AGE": 7})]
    with pytest.raises(world.events.exceptions.InvalidInputException):
        world.events.put_users(datasetArn=items, users=[{"userId": "u1", "properties": "{}"}])


def test_a_question_brings_filter_values_context_and_promotions(world: World) -> None:
    group, version = world.make_trained()
    config = {"enableMetadataWithRecommendations": True, "itemExplorationConfig": {"explorationWeight": "0.1"}}
    campaign = world.make_campaign(version, campaignConfig=config)
    items = world.make_dataset(group, "ITEMS")
    assert items
    expression = "INCLUDE ItemID WHERE Items.PRICE < $MOST"
    chosen = world.personalize.create_filter(name="f", datasetGroupArn=group, filterExpression=expression)["filterArn"]
    question = {
        "campaignArn": campaign,
        "userId": "u1",
        "numResults": 7,
        "filterArn": chosen,
        "filterValues": {"MOST": "5"},
        "context": {"DEVICE": "phone"},
        "metadataColumns": {"ITEMS": ["GENRES"]},
        "promotions": [
            {"name": "sale", "percentPromotedItems": 20, "filterArn": chosen, "filterValues": {"MOST": "1"}}
        ],
    }
    with pytest.raises(world.runtime.exceptions.ResourceNotFoundException):
        world.runtime.get_recommendations(**question)  # the filter is not ACTIVE yet
    world.finish(60)
    answer = world.runtime.get_recommendations(**question)
    assert [each["itemId"] for each in answer["itemList"]] == [f"item-{n}" for n in range(7)]
    assert answer["recommendationId"].startswith("RID-")
    model, query = world.engine.queries[-1]
    assert model == f"movies-taste/{version.rpartition('/')[2]}"
    assert query.filter.expression == query.promotions[0].filter.expression == expression
    assert (query.filter.values, query.promotions[0].filter.values) == ({"MOST": "5"}, {"MOST": "1"})
    assert (query.context, query.metadata_columns, query.promotions[0].percent) == (
        {"DEVICE": "phone"},
        ("GENRES",),
        20,
    )
    assert query.campaign_config == config


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"userId": None}, "InvalidInputException"),
        ({"numResults": 501}, "InvalidInputException"),
        ({"userId": "refused"}, "InvalidInputException"),
        ({"metadataColumns": {"ITEMS": ["GENRES"]}}, "InvalidInputException"),
        ({"filterValues": {"MOST": "5"}}, "InvalidInputException"),
        ({"campaignArn": None}, "InvalidInputException"),
        ({"filterArn": "arn:aws:personalize:us-east-1:123456789012:filter/none"}, "ResourceNotFoundException"),
    ],
)
def test_questions_that_make_no_sense(world: World, wrong: dict[str, Any], error: str) -> None:
    _, version = world.make_trained()
    question = {"campaignArn": world.make_campaign(version), "userId": "u1", **wrong}
    with pytest.raises(getattr(world.runtime.exceptions, error)):
        world.runtime.get_recommendations(**{key: value for key, value in question.items() if value is not None})


def test_a_filter_must_pick_what_is_recommended(world: World) -> None:
    group, version = world.make_trained()
    world.make_dataset(group, "USERS")
    world.make_dataset(group, "ITEMS")
    campaign = world.make_campaign(version)
    recipes = ("aws-item-affinity", "aws-item-attribute-affinity")
    segments = [world.make_version(world.make_solution(group, recipe, name=recipe)) for recipe in recipes]
    adults, seen = (
        world.personalize.create_filter(name=name, datasetGroupArn=group, filterExpression=text)["filterArn"]
        for name, text in (
            ("adults", "INCLUDE UserID WHERE Users.AGE > 17"),
            ("seen", 'INCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("view")'),
        )
    )
    world.finish(120)
    job = {
        "roleArn": ROLE,
        "jobInput": {"s3DataSource": {"path": world.put_object("in.json", "{}")}},
        "jobOutput": {"s3DataDestination": {"path": f"s3://{world.bucket}/out/"}},
    }
    with pytest.raises(world.runtime.exceptions.InvalidInputException):
        world.runtime.get_recommendations(campaignArn=campaign, userId="u1", filterArn=adults)
    p = world.personalize
    invalid = p.exceptions.InvalidInputException
    with pytest.raises(invalid):
        p.create_batch_inference_job(jobName="items", solutionVersionArn=version, filterArn=adults, **job)
    with pytest.raises(invalid):
        p.create_batch_segment_job(jobName="attributes", solutionVersionArn=segments[1], filterArn=seen, **job)
    for number, chosen in enumerate((adults, seen)):
        p.create_batch_segment_job(jobName=f"users-{number}", solutionVersionArn=segments[0], filterArn=chosen, **job)


def test_each_call_has_its_own_kind_of_campaign(world: World) -> None:
    group, version = world.make_trained()
    users = world.make_campaign(version)
    ranking_version = world.make_version(world.make_solution(group, "aws-personalized-ranking", name="ranking"))
    ranking = world.make_campaign(ranking_version, "ranking")
    answer = world.runtime.get_personalized_ranking(campaignArn=ranking, userId="u1", inputList=["b", "a"])
    assert [each["itemId"] for each in answer["personalizedRanking"]] == ["b", "a"]
    invalid = world.runtime.exceptions.InvalidInputException
    with pytest.raises(invalid):
        world.runtime.get_personalized_ranking(campaignArn=users, userId="u1", inputList=["b"])
    with pytest.raises(invalid):
        world.runtime.get_recommendations(campaignArn=ranking, userId="u1")
    with pytest.raises(invalid):
        world.runtime.get_action_recommendations(campaignArn=users, userId="u1")


def test_a_recommender_answers_for_its_domain(world: World) -> None:
    group = world.make_group("shop", domain="ECOMMERCE")
    world.make_dataset(group, schema=world.make_schema(name="s", domain="ECOMMERCE"))
    create = world.personalize.create_recommender
    with pytest.raises(world.personalize.exceptions.InvalidInputException):
        create(name="r", datasetGroupArn=group, recipeArn=f"{RECIPES}aws-vod-most-popular")
    arn = create(name="r", datasetGroupArn=group, recipeArn=f"{RECIPES}aws-ecomm-popular-items-by-views")[
        "recommenderArn"
    ]
    world.finish()
    world.runtime.get_recommendations(recommenderArn=arn, userId="u1")
    assert world.engine.queries[-1][0] == "recommender.r/1"
    assert world.engine.trainings[-1].solution["eventType"] == "View"


@pytest.mark.parametrize(
    ("recipe", "question"),
    [
        ("aws-popularity-count", {}),
        ("aws-trending-now", {}),
        ("aws-user-personalization-v2", {"userId": "u1"}),
        ("aws-sims", {"itemId": "i1"}),
        ("aws-similar-items", {"itemId": "i1"}),
    ],
)
def test_a_question_says_what_the_type_of_recipe_takes(world: World, recipe: str, question: dict[str, str]) -> None:
    """Fact: the API reference says, type by type, what is required; popular items are the same for everybody."""
    _, version = world.make_trained(recipe=recipe)
    campaign = world.make_campaign(version)
    assert world.runtime.get_recommendations(campaignArn=campaign, **question)["itemList"]
    if question:
        with pytest.raises(world.runtime.exceptions.InvalidInputException, match="must be given"):
            world.runtime.get_recommendations(campaignArn=campaign)


def test_a_sessions_earlier_events_go_to_the_first_user_who_shows_up(world: World, tracking_id: str) -> None:
    for user in ({}, {"userId": "u1"}, {"userId": "u2"}):
        world.events.put_events(trackingId=tracking_id, sessionId="s", eventList=[_event(itemId="x")], **user)
    assert [row["USER_ID"] for _, row in world.engine.streamed] == ["s", "u1", "u1", "u2"]
