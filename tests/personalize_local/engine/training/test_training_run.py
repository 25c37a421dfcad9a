"""Training the item recipes on planted tastes: the model finds them, and says honestly how well."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from personalize_local.engine.api import EngineError, Query, TrainingSpec
from personalize_local.engine.linear_models import cooccurrence
from personalize_local.engine.recipes import user_personalization
from personalize_local.engine.recipes.recipe import ITEM_METRICS, TREND_METRICS
from personalize_local.engine.recipes.recipe_table import RECIPES
from personalize_local.engine.training.saved_model import load_model
from personalize_local.engine.training.training_run import train
from tests.personalize_local.engine.planted import NOW, START, fit, genre, interactions, items, snapshot, taste

USERS = [f"u{number}" for number in range(60)]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def share_of_taste(directory: Path) -> float:
    model = load_model(directory)
    listed = [(user, model.recommend(Query(now=NOW, user_id=user, num_results=5))) for user in USERS]
    return sum(genre(line.item_id) == taste(user) for user, lines in listed for line in lines) / (5 * len(USERS))


@pytest.mark.parametrize("recipe", ["aws-user-personalization", "aws-user-personalization-v2", "aws-hrnn"])
def test_recommendations_follow_taste(models: Path, recipe: str) -> None:
    result = fit(models, recipe, snapshot(interactions()), version=f"{recipe}/one")
    assert share_of_taste(models / recipe / "one") > 0.5  # a sixth of the catalogue is of any one taste
    assert tuple(sorted(result.metrics)) == ITEM_METRICS


@pytest.mark.parametrize("recipe", ["aws-sims", "aws-similar-items", "aws-ecomm-frequently-bought-together"])
def test_related_items_share_their_genre(models: Path, recipe: str) -> None:
    events = interactions().with_columns(EVENT_TYPE=pl.lit("Purchase"))
    result = fit(models, recipe, snapshot(events), version=f"{recipe}/one")
    model = load_model(models / recipe / "one")
    listed = {item: model.recommend(Query(now=NOW, item_id=item, num_results=5)) for item in ("i1", "i2", "i3")}
    assert sum(genre(line.item_id) == genre(item) for item, lines in listed.items() for line in lines) > 10
    assert all(line.item_id != item for item, lines in listed.items() for line in lines)
    assert tuple(sorted(result.metrics)) == ITEM_METRICS


@pytest.mark.parametrize("recipe", ["aws-user-personalization", "aws-sims", "aws-similar-items"])
def test_catalogues_too_large_for_dense_matrices_are_trained_as_well(
    models: Path, recipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "normalized_discounted_cumulative_gain_at_25"
    dense = fit(models, recipe, snapshot(interactions()), version=f"dense/{recipe}").metrics[key]
    monkeypatch.setattr(cooccurrence, "DENSE_LIMIT", 50)
    sparse = fit(models, recipe, snapshot(interactions()), version=f"sparse/{recipe}").metrics[key]
    assert sparse > 0.7 * dense  # the same counts; only EASE has a stand-in


def test_many_users_get_factors(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_personalization, "_MANY_USERS", 100)
    monkeypatch.setattr(user_personalization, "_GOOD_ENOUGH", 0.0)
    fit(models, "aws-user-personalization", snapshot(interactions(), items=items(130)), version="many/one")
    assert json.loads((models / "many/one/model.json").read_text())["settings"]["rank"] > 0
    assert share_of_taste(models / "many" / "one") > 0.4


def test_metrics_beat_popularity(models: Path) -> None:
    key = "normalized_discounted_cumulative_gain_at_25"
    popular = fit(models, "aws-popularity-count", snapshot(interactions()), version="popular/one").metrics[key]
    personal = fit(models, "aws-user-personalization", snapshot(interactions()), version="personal/one").metrics[key]
    assert personal > 1.5 * popular


def test_popularity_lists_what_most_users_took(models: Path) -> None:
    events = interactions()
    fit(models, "aws-popularity-count", snapshot(events), version="count/one")
    model = load_model(models / "count/one")
    counts = dict(events.group_by("ITEM_ID").agg(pl.col("USER_ID").n_unique()).iter_rows())
    listed = [counts[line.item_id] for line in model.recommend(Query(now=NOW, num_results=10))]
    assert listed == sorted(counts.values(), reverse=True)[:10]


def test_a_training_is_the_same_every_time(models: Path) -> None:
    first = fit(models, "aws-user-personalization", snapshot(interactions()), version="same/one")
    shuffled = interactions().sample(fraction=1.0, shuffle=True, seed=1)
    second = fit(models, "aws-user-personalization", snapshot(shuffled), version="same/two")
    assert first.metrics == second.metrics


def test_trending_reports_its_own_metric(models: Path) -> None:
    result = fit(models, "aws-trending-now", snapshot(interactions()), version="trend/one")
    assert tuple(sorted(result.metrics)) == tuple(sorted(TREND_METRICS))


@pytest.mark.parametrize(
    ("events", "solution", "reason"),
    [
        (interactions().head(999), {}, "Dataset has fewer than 1000 interactions"),
        (
            interactions().with_columns(EVENT_TYPE=pl.lit("View")),
            {"eventType": "Buy"},
            "Dataset has fewer than 1000 interactions after filtering by event type: Buy",
        ),
        (
            interactions().with_columns(USER_ID=pl.lit("u1")),
            {},
            "Create failed. Dataset has fewer than 25 users with at least 2 interactions each.",
        ),
    ],
)
def test_fact_too_little_data_fails_in_the_services_words(
    models: Path, events: pl.DataFrame, solution: dict[str, Any], reason: str
) -> None:
    with pytest.raises(EngineError) as failure:
        fit(models, "aws-user-personalization", snapshot(events), solution, version="failed/one")
    assert str(failure.value) == reason


@pytest.mark.parametrize(
    "recipe",
    ["aws-vod-more-like-x", "aws-vod-top-picks", "aws-item-attribute-affinity", "aws-semantic-similarity"],
)
def test_fact_some_recipes_need_items(models: Path, recipe: str) -> None:
    with pytest.raises(EngineError, match=f"{recipe} needs an Items dataset"):
        fit(models, recipe, snapshot(interactions()), version="failed/three")


@pytest.mark.parametrize("recipe", [recipe for recipe in RECIPES if recipe.startswith(("aws-ecomm", "aws-vod"))])
def test_domain_recipes_are_trained_and_answer(models: Path, recipe: str) -> None:
    kind = RECIPES[recipe].event_type or "Click"
    result = fit(
        models, recipe, snapshot(interactions().with_columns(EVENT_TYPE=pl.lit(kind)), items=items()), version=recipe
    )
    lines = load_model(models / recipe).recommend(Query(now=NOW, user_id="u1", item_id="i1", num_results=7))
    assert len(lines) == 7
    assert set(result.metrics) == set(RECIPES[recipe].metrics)


def test_fact_less_than_one_percent_of_returning_users_is_too_few(models: Path) -> None:
    single = pl.DataFrame({"USER_ID": [f"v{number}" for number in range(30_000)], "ITEM_ID": "i1"})
    single = single.with_columns(TIMESTAMP=pl.lit(1, pl.Int64))
    events = pl.concat([interactions(n_users=200), single])
    with pytest.raises(EngineError, match="fewer than 1% of users"):
        fit(models, "aws-popularity-count", snapshot(events), version="failed/two")


def test_event_values_below_the_threshold_do_not_count(models: Path) -> None:
    high = interactions().with_columns(EVENT_TYPE=pl.lit("Rate"), EVENT_VALUE=pl.lit(5.0))
    low = pl.DataFrame({"USER_ID": [f"u{n}" for n in range(240)], "ITEM_ID": "bad"})
    low = low.with_columns(TIMESTAMP=pl.lit(START, pl.Int64), EVENT_TYPE=pl.lit("Rate"), EVENT_VALUE=pl.lit(1.0))
    solution = {"eventType": "Rate", "solutionConfig": {"eventValueThreshold": "3"}}
    fit(models, "aws-popularity-count", snapshot(pl.concat([high, low])), solution, version="threshold/one")
    listed = load_model(models / "threshold/one").recommend(Query(now=NOW, num_results=500))
    assert "bad" not in {line.item_id for line in listed}


def test_event_weights_decide_what_counts(models: Path) -> None:
    """Choice: event types that eventsConfig does not name are not trained on."""
    named = interactions().with_columns(EVENT_TYPE=pl.lit("Watch"))
    other = pl.DataFrame({"USER_ID": ["u1"] * 50, "ITEM_ID": "unnamed", "TIMESTAMP": range(50)})
    other = other.with_columns(EVENT_TYPE=pl.lit("Hover"))
    config = {"eventsConfig": {"eventParametersList": [{"eventType": "Watch", "weight": 0.5}]}}
    result = fit(
        models, "aws-user-personalization-v2", snapshot(pl.concat([named, other])), {"solutionConfig": config}, "w/one"
    )
    assert "normalized_discounted_cumulative_gain_with_event_weights_at_10" in result.metrics
    listed = load_model(models / "w/one").recommend(Query(now=NOW, user_id="u3", num_results=500))
    assert "unnamed" not in {line.item_id for line in listed}


def test_an_objective_raises_what_recommendations_earn(models: Path) -> None:
    prices = {"PRICE": [float(number % 17) for number in range(120)]}
    data = snapshot(interactions(), items=items(columns=prices))
    earned = {}
    for sensitivity in ("OFF", "HIGH"):
        objective = {"optimizationObjective": {"itemAttribute": "PRICE", "objectiveSensitivity": sensitivity}}
        result = fit(models, "aws-user-personalization", data, {"solutionConfig": objective}, f"prices/{sensitivity}")
        assert 0 < result.metrics["average_rewards_at_k"] <= 1
        model = load_model(models / "prices" / sensitivity)
        listed = [model.recommend(Query(now=NOW, user_id=user, num_results=10)) for user in USERS]
        earned[sensitivity] = sum(int(line.item_id[1:]) % 17 for lines in listed for line in lines)
    assert earned["HIGH"] > 1.1 * earned["OFF"]


@pytest.mark.parametrize("recipe", ["aws-user-personalization", "aws-sims"])
def test_tuning_reports_what_it_searched(models: Path, recipe: str) -> None:
    result = fit(models, recipe, snapshot(interactions()), {"performHPO": True}, f"tuned-{recipe}/one")
    names = {
        "aws-user-personalization": {"hidden_dimension", "bptt", "recency_mask"},
        "aws-sims": {"popularity_discount_factor", "min_cointeraction_count"},
    }
    assert result.tuned_hyperparameters is not None
    assert set(result.tuned_hyperparameters) == names[recipe]
    saved = json.loads((models / f"tuned-{recipe}" / "one" / "model.json").read_text())["values"]
    assert saved.items() >= dict(result.tuned_hyperparameters).items()


def test_tuning_stays_within_the_ranges_of_the_solution(models: Path) -> None:
    ranges = {
        "continuousHyperParameterRanges": [{"name": "popularity_discount_factor", "minValue": 0.6, "maxValue": 0.7}]
    }
    config = {
        "hpoConfig": {"algorithmHyperParameterRanges": ranges, "hpoResourceConfig": {"maxNumberOfTrainingJobs": "3"}}
    }
    result = fit(models, "aws-sims", snapshot(interactions()), {"performHPO": True, "solutionConfig": config}, "r/one")
    assert result.tuned_hyperparameters is not None
    assert 0.6 <= float(result.tuned_hyperparameters["popularity_discount_factor"]) <= 0.7


def test_automl_names_the_best_recipe(models: Path) -> None:
    result = fit(models, "aws-hrnn", snapshot(interactions()), {"performAutoML": True}, "automl/one")
    assert result.best_recipe in {"aws-hrnn", "aws-hrnn-metadata", "aws-hrnn-coldstart"}


def test_an_update_keeps_what_the_full_training_chose(models: Path) -> None:
    data = snapshot(interactions())
    fit(models, "aws-user-personalization", data, {"performHPO": True}, "updated/full")
    spec = TrainingSpec("updated/next", "aws-user-personalization", [], {"trainingMode": "UPDATE"}, NOW, "updated/full")
    train(spec, snapshot(pl.concat([interactions(), interactions(seed=4)]).unique()), models / "updated/next.partial")
    full = json.loads((models / "updated/full/model.json").read_text())
    updated = json.loads((models / "updated/next.partial/model.json").read_text())
    assert (updated["values"], updated["settings"]) == (full["values"], full["settings"])


def test_hyperparameters_out_of_range_are_named(models: Path) -> None:
    config = {"solutionConfig": {"algorithmHyperParameters": {"hidden_dimension": "7"}}}
    with pytest.raises(EngineError, match=r"hidden_dimension: '7' is not a number from 32 to 256"):
        fit(models, "aws-user-personalization", snapshot(interactions()), config, "bad/one")
