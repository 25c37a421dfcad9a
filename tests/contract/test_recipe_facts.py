"""What the plan refuses by its table of recipes, against the local service's own table."""

import pytest

from lambdas.requests.recipe_facts import can_update, known_metrics
from personalize_local.engine.recipes.recipe import Recipe
from personalize_local.engine.recipes.recipe_table import RECIPES

FOR_SOLUTIONS = [recipe for recipe in RECIPES.values() if recipe.domain is None]


@pytest.mark.parametrize("recipe", FOR_SOLUTIONS, ids=lambda recipe: recipe.name)
def test_both_know_the_same_metrics_and_who_can_be_updated(recipe: Recipe) -> None:
    arn = f"arn:aws:personalize:::recipe/{recipe.name}"
    known = known_metrics(arn, {})
    assert known is None or known == set(recipe.metrics)
    assert can_update(arn) == recipe.update_mode
