"""One question at a time: unknown ids, filters, promotions, exploration, streamed events, scores."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from personalize_local.engine.api import EngineError, FilterUse, Promotion, Query
from personalize_local.engine.serving.served_models import ServedModel
from personalize_local.engine.training.saved_model import load_model
from tests.personalize_local.engine.planted import NOW, START, fit, genre, interactions, items, snapshot, taste

NO_EXPLORATION = {"itemExplorationConfig": {"explorationWeight": "0"}}


class Only:
    """A filter that lets the ids through that pass a test."""

    def __init__(self, passes: Callable[[str], bool]) -> None:
        self._passes = passes

    def mask(self, item_ids: pl.Series) -> npt.NDArray[np.bool_]:
        return np.array([self._passes(item) for item in item_ids.to_list()])


@pytest.fixture(scope="module")
def personal(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    folder = tmp_path_factory.mktemp("personal")
    fit(folder, "aws-user-personalization", snapshot(interactions(), items=items()))
    return load_model(folder / "films/one")


@pytest.fixture(scope="module")
def ranking(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    folder = tmp_path_factory.mktemp("ranking")
    fit(folder, "aws-personalized-ranking", snapshot(interactions(), items=items(130)))
    return load_model(folder / "films/one")


def ask(user: str, count: int = 10) -> Query:
    return Query(now=NOW, user_id=user, num_results=count, campaign_config=NO_EXPLORATION)


def test_fact_scores_sum_to_one_over_the_catalogue(personal: ServedModel) -> None:
    lines = personal.recommend(ask("u1", 500))
    scores = [line.score or 0.0 for line in lines]
    assert len(lines) == 120
    assert sum(scores) == pytest.approx(1.0, abs=1e-6)
    assert scores == sorted(scores, reverse=True)


def test_fact_a_filter_shortens_the_list_and_leaves_scores_alone(personal: ServedModel) -> None:
    everything = {line.item_id: line.score for line in personal.recommend(ask("u1", 500))}
    drama = personal.recommend(ask("u1", 500), filters=Only(lambda item: genre(item) == "drama"))
    assert {genre(line.item_id) for line in drama} == {"drama"}
    assert all(line.score == everything[line.item_id] for line in drama)


def test_a_filter_that_lets_nothing_through_is_an_empty_answer(personal: ServedModel) -> None:
    assert personal.recommend(ask("u1"), filters=Only(lambda _item: False)) == []


def test_fact_unknown_users_get_popular_items(personal: ServedModel) -> None:
    counts = dict(interactions().group_by("ITEM_ID").agg(pl.col("USER_ID").n_unique()).iter_rows())
    listed = [counts[line.item_id] for line in personal.recommend(ask("nobody"))]
    assert listed == sorted(counts.values(), reverse=True)[:10]


def test_events_of_a_moment_ago_change_the_next_answer(personal: ServedModel) -> None:
    westerns = [item for item in (f"i{number}" for number in range(120)) if genre(item) == "western"][:8]
    recent = pl.DataFrame({"USER_ID": "new", "ITEM_ID": westerns, "TIMESTAMP": [int(NOW) + n for n in range(8)]})
    before, after = personal.recommend(ask("new")), personal.recommend(ask("new"), recent)
    assert sum(genre(line.item_id) == "western" for line in before) < 8
    assert sum(genre(line.item_id) == "western" for line in after) >= 8
    assert not {line.item_id for line in after} & set(westerns)


def test_events_of_unknown_items_are_ignored(personal: ServedModel) -> None:
    recent = pl.DataFrame({"USER_ID": ["u1"], "ITEM_ID": ["never seen"], "TIMESTAMP": [int(NOW)]})
    assert personal.recommend(ask("u1"), recent) == personal.recommend(ask("u1"))


def test_items_a_user_has_come_last_because_users_here_never_come_back(personal: ServedModel) -> None:
    mine = set(interactions().filter(pl.col("USER_ID") == "u1")["ITEM_ID"].to_list())
    assert not {line.item_id for line in personal.recommend(ask("u1", 25))} & mine
    assert {line.item_id for line in personal.recommend(ask("u1", 500))[-len(mine) :]} == mine


def test_where_users_come_back_items_they_have_are_recommended(tmp_path: Path) -> None:
    again = interactions().with_columns(pl.col("TIMESTAMP") + 20_000_000)
    fit(tmp_path, "aws-user-personalization", snapshot(pl.concat([interactions(), again])))
    mine = set(again.filter(pl.col("USER_ID") == "u1")["ITEM_ID"].to_list())
    assert {line.item_id for line in load_model(tmp_path / "films/one").recommend(ask("u1", 25))} & mine


@pytest.mark.parametrize(("recipe", "field"), [("aws-user-personalization", "userId"), ("aws-sims", "itemId")])
def test_a_missing_id_is_named(tmp_path: Path, recipe: str, field: str) -> None:
    fit(tmp_path, recipe, snapshot(interactions()))
    with pytest.raises(EngineError, match=field):
        load_model(tmp_path / "films/one").recommend(Query(now=NOW))


def test_fact_unknown_items_get_popular_ones(tmp_path: Path) -> None:
    fit(tmp_path, "aws-similar-items", snapshot(interactions()))
    listed = load_model(tmp_path / "films/one").recommend(Query(now=NOW, item_id="never seen", num_results=5))
    counts = dict(interactions().group_by("ITEM_ID").agg(pl.col("USER_ID").n_unique()).iter_rows())
    assert [counts[line.item_id] for line in listed] == sorted(counts.values(), reverse=True)[:5]
    assert all(line.score is None for line in listed)


def test_metadata_is_given_on_demand(personal: ServedModel) -> None:
    query = Query(now=NOW, user_id="u1", num_results=3, metadata_columns=["GENRES"], campaign_config=NO_EXPLORATION)
    assert all(line.metadata == {"GENRES": genre(line.item_id)} for line in personal.recommend(query))


def test_promotions_take_their_share_at_random_places(personal: ServedModel) -> None:
    promotion = Promotion("horror-week", 40, FilterUse("unused here"))
    query = Query(now=NOW, user_id="u1", num_results=10, promotions=[promotion], campaign_config=NO_EXPLORATION)
    lines = personal.recommend(query, promotions={"horror-week": Only(lambda item: genre(item) == "horror")})
    promoted = [line for line in lines if line.promotion_name == "horror-week"]
    assert len(lines) == len({line.item_id for line in lines}) == 10
    assert len(promoted) == 4
    assert {genre(line.item_id) for line in promoted} == {"horror"}
    scores = [line.score or 0 for line in promoted]
    assert scores == sorted(scores, reverse=True)  # fact: sorted among themselves
    assert personal.recommend(query, promotions={"horror-week": Only(lambda item: genre(item) == "horror")}) == lines


def newcomers() -> pl.DataFrame:
    """Return the catalogue with ten items that nobody has met, created eleven days before the interactions end."""
    created = [START] * 120 + [START + 9_000_000] * 10
    return items(130, {"CREATION_TIMESTAMP": created})


def test_exploration_gives_its_share_of_places_to_new_items(tmp_path: Path) -> None:
    fit(tmp_path, "aws-user-personalization", snapshot(interactions(), items=newcomers()))
    model = load_model(tmp_path / "films/one")
    new = {f"i{number}" for number in range(120, 130)}

    def explored(weight: str, cut_off: str = "30") -> float:
        config = {"itemExplorationConfig": {"explorationWeight": weight, "explorationItemAgeCutOff": cut_off}}
        asked = [Query(now=NOW, user_id=f"u{n}", num_results=10, campaign_config=config) for n in range(40)]
        return sum(line.item_id in new for query in asked for line in model.recommend(query)) / 400

    without = explored("0")  # some are listed for what they are like
    assert explored("0.5", cut_off="3") == without
    assert without < explored("0.3") < explored("0.8")
    assert explored("0.3") == pytest.approx(without + 0.3, abs=0.03)


def test_exploration_is_the_same_for_the_same_question(tmp_path: Path) -> None:
    fit(tmp_path, "aws-user-personalization", snapshot(interactions(), items=newcomers()))
    query = Query(now=NOW, user_id="u1", num_results=20)
    first, second = (load_model(tmp_path / "films/one").recommend(query) for _ in range(2))
    assert first == second
    assert any(line.reason for line in first)


def test_cold_items_are_listed_beside_those_they_are_like(tmp_path: Path) -> None:
    fit(tmp_path, "aws-user-personalization", snapshot(interactions(), items=items(130)))
    model = load_model(tmp_path / "films/one")
    cold = {f"i{number}" for number in range(120, 130)}
    for user in ("u0", "u1", "u2"):
        listed = [line.item_id for line in model.recommend(ask(user, 500)) if line.item_id in cold]
        assert genre(listed[0]) == taste(user)


def test_fact_ranking_scores_sum_to_one_over_the_list_and_unknown_items_come_last(ranking: ServedModel) -> None:
    wanted = ["i3", "never seen", "i125", "i1", "i2"]  # i125 is in the catalogue, but nobody met it
    lines = ranking.recommend(Query(now=NOW, user_id="u1", item_list=wanted))
    assert [line.item_id for line in lines[3:]] == ["never seen", "i125"]
    assert [line.score for line in lines[3:]] == [None, None]
    assert sum(line.score or 0 for line in lines) == pytest.approx(1.0)


def test_ranking_puts_taste_first(ranking: ServedModel) -> None:
    first = 0
    for number in range(60):
        wanted = [f"i{12 + place}" for place in range(6)]  # one item of each genre
        lines = ranking.recommend(Query(now=NOW, user_id=f"u{number}", item_list=wanted))
        first += genre(lines[0].item_id) == taste(f"u{number}")
    assert first > 30  # chance is 10


def test_exploration_of_the_second_version_is_a_tenth(tmp_path: Path) -> None:
    """Choice: AWS does not say how much the recipes explore that are not asked to."""
    fit(tmp_path, "aws-user-personalization-v2", snapshot(interactions(), items=newcomers()))
    model = load_model(tmp_path / "films/one")
    asked = [Query(now=NOW, user_id=f"u{number}", num_results=20) for number in range(50)]
    explored = [line for query in asked for line in model.recommend(query) if line.reason == ["Exploration"]]
    assert len(explored) / 1000 == pytest.approx(0.1, abs=0.05)


@pytest.mark.parametrize(
    "columns",
    [{"excludedDatasetColumns": {"ITEMS": ["GENRES"]}}, {"includedDatasetColumns": {"ITEMS": ["CREATION_TIMESTAMP"]}}],
)
def test_columns_left_out_say_nothing_about_cold_items(
    tmp_path: Path, columns: dict[str, dict[str, list[str]]]
) -> None:
    solution = {"solutionConfig": {"trainingDataConfig": columns}}
    fit(tmp_path, "aws-user-personalization", snapshot(interactions(), items=items(130)), solution)
    lines = load_model(tmp_path / "films/one").recommend(ask("u1", 500))
    cold = [line for line in lines if int(line.item_id[1:]) >= 120]
    assert len({line.score for line in cold}) == 1  # nothing tells them apart


def described() -> pl.DataFrame:
    """Return the users, each from the city of the taste, and one nobody has seen from each city."""
    ids = [f"u{number}" for number in range(240)] + [f"new{number}" for number in range(6)]
    cities = [taste(user.replace("new", "u")) for user in ids]
    return pl.DataFrame({"USER_ID": ids, "CITY": cities})


def test_users_without_history_get_what_users_like_them_like(tmp_path: Path) -> None:
    data = snapshot(interactions(), users=described())
    fit(tmp_path, "aws-user-personalization", data)
    model = load_model(tmp_path / "films/one")
    for number in range(6):
        listed = model.recommend(ask(f"new{number}"))
        assert all(genre(line.item_id) == taste(f"u{number}") for line in listed)
    assert sum(line.score or 0 for line in model.recommend(ask("new1", 500))) == pytest.approx(1.0, abs=1e-6)
    assert {genre(line.item_id) for line in model.recommend(ask("nobody"))} != {taste("u1")}


def test_user_columns_left_out_say_nothing(tmp_path: Path) -> None:
    columns = {"solutionConfig": {"trainingDataConfig": {"excludedDatasetColumns": {"USERS": ["CITY"]}}}}
    fit(tmp_path, "aws-user-personalization", snapshot(interactions(), users=described()), columns)
    model = load_model(tmp_path / "films/one")
    assert model.recommend(ask("new1")) == model.recommend(ask("nobody"))
