"""Items and users without a history: described ones are told apart, others get what is popular, and nothing fails."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from personalize_local.engine.api import Query
from personalize_local.engine.serving.served_models import ServedModel
from personalize_local.engine.training.saved_model import load_model
from tests.personalize_local.engine.planted import NOW, fit, genre, interactions, items, snapshot, taste

KNOWN, ALL = 120, 150


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    """Return a model with thirty items that nobody has met."""
    folder = tmp_path_factory.mktemp("cold")
    fit(folder, "aws-user-personalization", snapshot(interactions(), items=items(ALL)))
    return load_model(folder / "films/one")


def ask(user: str, weight: float, count: int = 10) -> Query:
    config = {"itemExplorationConfig": {"explorationWeight": str(weight)}}
    return Query(now=NOW, user_id=user, num_results=count, campaign_config=config)


def test_a_new_item_of_the_users_kind_ranks_above_random_items(model: ServedModel) -> None:
    """Chance wins half of the pairs."""
    taken = dict(interactions().group_by("USER_ID").agg("ITEM_ID").iter_rows())
    won = []
    for user in (f"u{number}" for number in range(60)):
        places = {line.item_id: place for place, line in enumerate(model.recommend(ask(user, 0, ALL)))}
        new = [places[f"i{item}"] for item in range(KNOWN, ALL) if genre(f"i{item}") == taste(user)]
        others = [place for item, place in places.items() if item not in taken[user]]
        won.append(float(np.mean(np.array(new)[:, None] < np.array(others))))
    assert np.mean(won) > 0.8


def test_what_is_explored_is_mostly_of_the_users_kind(model: ServedModel) -> None:
    """By chance a sixth would be, less those that are listed anyway."""
    users = [f"u{number}" for number in range(240)]
    explored = [
        genre(line.item_id) == taste(user)
        for user in users
        for line in model.recommend(ask(user, 1, 2))
        if line.reason == ["Exploration"] and int(line.item_id[1:]) >= KNOWN
    ]
    assert len(explored) > 200
    assert np.mean(explored) > 0.5


def test_users_of_whom_nothing_is_known_get_what_is_popular(tmp_path: Path) -> None:
    users = pl.DataFrame(
        {"USER_ID": [f"u{number}" for number in range(240)] + ["empty", "odd"],
         "CITY": [taste(f"u{number}") for number in range(240)] + [None, "a city of one"]}
    )  # fmt: skip
    data = snapshot(interactions(), users=users)
    lists = {}
    for recipe in ("aws-popularity-count", "aws-user-personalization"):
        fit(tmp_path, recipe, data, version=f"{recipe}/one")
        trained = load_model(tmp_path / recipe / "one")
        for user in ("nobody", "empty", "odd"):
            lists[recipe, user] = [line.item_id for line in trained.recommend(ask(user, 0))]
    assert len({tuple(listed) for listed in lists.values()}) == 1
