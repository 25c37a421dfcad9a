"""Adding a recipe is one row and one class: shown by a toy that nothing else knows."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from personalize_local.engine.api import BatchSpec, Query
from personalize_local.engine.interactions.histories import Histories
from personalize_local.engine.interactions.training_data import TrainingData
from personalize_local.engine.recipes.estimator import Estimator, Fitted, ItemEstimator
from personalize_local.engine.recipes.popularity_count import FixedList
from personalize_local.engine.recipes.recipe import ITEM_METRICS, Hyperparameter, Recipe
from personalize_local.engine.recipes.recipe_table import RECIPES
from personalize_local.engine.serving.served_models import UserLists
from personalize_local.engine.training.saved_model import load_model
from personalize_local.engine.worker_jobs import run_batch_of
from personalize_local.fidelity import page
from tests.personalize_local.engine.planted import NOW, fit, interactions, snapshot
from tests.personalize_local.personalize.world import running

MEMBERS = ("read", "trial", "fit", "measure", "refit", "score", "influenced", "save", "load", "settings")


class Alphabet(ItemEstimator):
    """Lists items by their ids, backwards."""

    served_by = UserLists

    def fitted_to(self, data: TrainingData, _histories: Histories) -> Fitted:
        return FixedList(np.arange(len(data.catalogue), dtype=np.float32))

    @classmethod
    def restored(cls, arrays: Mapping[str, npt.NDArray[Any]], _settings: Mapping[str, Any]) -> Fitted:
        return FixedList(np.asarray(arrays["scores"]))


TOY = Recipe(
    "aws-alphabet",
    f"{__name__}:{Alphabet.__name__}",
    "USER_PERSONALIZATION",
    "Lists items backwards.",
    hyperparameters=(Hyperparameter("loops", "3", 1, 9, tunable=True),),
)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    monkeypatch.setitem(RECIPES, TOY.name, TOY)
    return TOY


def test_a_toy_trains_measures_serves_and_answers_a_batch(toy: Recipe, tmp_path: Path) -> None:
    result = fit(tmp_path, toy.name, snapshot(interactions()), {"performHPO": True})
    assert tuple(sorted(result.metrics)) == ITEM_METRICS
    assert set(result.tuned_hyperparameters or {}) == {"loops"}
    expected = sorted(interactions()["ITEM_ID"].unique(), reverse=True)[:3]
    model = load_model(tmp_path / "films/one")
    lines = model.recommend(Query(now=NOW, user_id="u1", num_results=3))
    assert [line.item_id for line in lines] == expected
    (tmp_path / "in.json").write_text('{"userId":"u1"}\n')
    spec = BatchSpec("films/one", [tmp_path / "in.json"], tmp_path / "out", NOW, 3)
    run_batch_of(spec, tmp_path / "films/one", snapshot(interactions()))
    answer = json.loads((tmp_path / "out/in.json.out").read_text())
    assert answer["output"]["recommendedItems"] == expected


def test_the_service_and_its_page_list_the_toy(toy: Recipe, tmp_path: Path) -> None:
    with running(tmp_path) as world:
        listed = [each["name"] for each in world.personalize.list_recipes()["recipes"]]
        recipe = world.personalize.describe_recipe(recipeArn=f"arn:aws:personalize:::recipe/{toy.name}")["recipe"]
    assert toy.name in listed
    assert recipe["recipeType"] == "USER_PERSONALIZATION"
    assert f"`{toy.name}` | `loops`" in page.page()


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_every_row_names_a_class_with_the_whole_protocol(recipe: Recipe) -> None:
    estimator: type[Estimator] = recipe.estimator
    assert all(hasattr(estimator, member) for member in MEMBERS)
    assert isinstance(recipe.needs, tuple)
    assert {"INTERACTIONS", "ITEMS"} & set(recipe.needs)


def test_fact_what_recipes_need_is_what_the_guide_says() -> None:
    """Fact: the recipe pages of the developer guide."""
    needed = {name: set(recipe.needs) for name, recipe in RECIPES.items()}
    assert needed["aws-hrnn-metadata"] == {"INTERACTIONS", "ITEMS", "USERS"}
    assert needed["aws-hrnn-coldstart"] == {"INTERACTIONS", "ITEMS"}
    assert needed["aws-semantic-similarity"] == {"ITEMS"}
    assert needed["aws-next-best-action"] == {"INTERACTIONS", "ACTIONS"}


def test_listing_recipes_loads_no_numbers() -> None:
    probe = "import sys, personalize_local.engine.recipes.recipe_table; print({'numpy'} & set(sys.modules) or 'none')"
    assert subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout == "none\n"
