"""Semantic-Similarity on planted texts."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from personalize_local.engine.api import EngineError, Query
from personalize_local.engine.datasets.schema import parse_schema
from personalize_local.engine.recipes.recipe import SEMANTIC_METRICS
from personalize_local.engine.training.saved_model import load_model
from tests.personalize_local.engine.planted import NOW, START, FrameSnapshot, fit, genre, interactions

WORDS = {
    "drama": "tears courtroom betrayal family justice",
    "comedy": "laughter wedding clumsy neighbours cake",
    "horror": "haunted cellar scream blood moon",
    "western": "sheriff desert duel saloon horses",
    "musical": "songs stage dance orchestra dream",
    "documentary": "archive interviews climate ocean science",
}


def catalogue() -> pl.DataFrame:
    generator = np.random.default_rng(1)
    ids = [f"i{number}" for number in range(120)]
    texts = [" ".join(generator.choice(WORDS[genre(item)].split(), 3, replace=False)) for item in ids]
    created = [START + 1000 * number for number in range(120)]
    return pl.DataFrame(
        {"ITEM_ID": ids, "TITLE": [f"Title {item}" for item in ids], "PLOT": texts, "CREATION_TIMESTAMP": created}
    )


def data(*, textual: bool = True, events: pl.DataFrame | None = None) -> FrameSnapshot:
    fields = [
        {"name": "ITEM_ID", "type": "string"},
        {"name": "TITLE", "type": "string", "itemName": True},
        {"name": "PLOT", "type": ["null", "string"], **({"textual": True} if textual else {"categorical": True})},
        {"name": "CREATION_TIMESTAMP", "type": "long"},
    ]
    schema = parse_schema(json.dumps({"type": "record", "name": "Items", "fields": fields, "version": "1.0"}))
    frames = {"ITEMS": catalogue()} | ({} if events is None else {"INTERACTIONS": events})
    empty = pl.DataFrame(schema={"USER_ID": pl.String, "ITEM_ID": pl.String, "TIMESTAMP": pl.Int64})
    return FrameSnapshot(schemas={"ITEMS": schema}, frames={"INTERACTIONS": empty, **frames})  # type: ignore[dict-item]


def test_items_with_like_texts_are_listed_even_without_interactions(tmp_path: Path) -> None:
    result = fit(tmp_path, "aws-semantic-similarity", data())
    model = load_model(tmp_path / "films/one")
    listed = {item: model.recommend(Query(now=NOW, item_id=item, num_results=5)) for item in ("i0", "i7", "i14")}
    assert all(genre(line.item_id) == genre(item) for item, lines in listed.items() for line in lines)
    assert all(line.item_id != item for item, lines in listed.items() for line in lines)
    assert tuple(sorted(result.metrics)) == SEMANTIC_METRICS
    assert result.metrics["item_similarity"] > 0.2


def test_influence_bends_the_list_towards_the_new_and_the_popular(tmp_path: Path) -> None:
    fit(tmp_path, "aws-semantic-similarity", data(events=interactions()))
    model = load_model(tmp_path / "films/one")
    counts = dict(interactions().group_by("ITEM_ID").len().iter_rows())

    def listed(influence: dict[str, float]) -> list[str]:
        config = {"rankingInfluence": influence}
        lines = model.recommend(Query(now=NOW, item_id="i3", num_results=20, campaign_config=config))
        return [line.item_id for line in lines]

    def age(items: list[str]) -> float:
        return float(np.mean([int(item[1:]) for item in items]))

    plain = listed({})
    assert age(listed({"FRESHNESS": 1.0})) > age(plain)
    popular = listed({"POPULARITY": 1.0})
    assert sum(counts.get(item, 0) for item in popular) > sum(counts.get(item, 0) for item in plain)


def test_fact_a_textual_field_is_needed(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="an itemName field and a textual field"):
        fit(tmp_path, "aws-semantic-similarity", data(textual=False))
