"""What the plan knows of recipes, at its edges; tests/contract compares the whole table with the local service's."""

from lambdas.requests.recipe_facts import can_update, known_metrics


def test_what_is_configured_brings_its_metric() -> None:
    arn = "arn:aws:personalize:::recipe/aws-user-personalization-v2"
    plain, rewarded = known_metrics(arn, {}), known_metrics(arn, {"optimizationObjective": {}})
    assert plain is not None
    assert rewarded is not None
    assert rewarded - plain == {"average_rewards_at_k"}


def test_where_nobody_documents_the_names_every_name_may_be_right() -> None:
    assert known_metrics("arn:aws:personalize:::recipe/aws-trending-now", {}) is None


def test_a_solution_without_a_recipe_is_no_segmentation_and_cannot_be_updated() -> None:
    metrics = known_metrics(None, {})
    assert metrics is not None
    assert "precision_at_5" in metrics
    assert not can_update(None)
