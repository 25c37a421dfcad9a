"""Batch jobs: the documented lines, errors inside them, and the same answers as one question at a time."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from personalize_local.engine.api import BatchSpec, EngineError, FilterUse, Query
from personalize_local.engine.training.saved_model import load_model
from personalize_local.engine.worker_jobs import run_batch_of
from tests.personalize_local.engine.planted import NOW, FrameSnapshot, fit, genre, interactions, items, snapshot, taste

DATA = snapshot(interactions(), items=items(), users=pl.DataFrame({"USER_ID": ["u1"], "AGE": [30]}))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for recipe in ("user-personalization", "personalized-ranking", "similar-items", "item-affinity"):
        fit(folder, f"aws-{recipe}", DATA, version=f"films/{recipe}")
    fit(folder, "aws-item-attribute-affinity", DATA, version="films/attributes")
    return folder / "films"


def run(folder: Path, lines: str | bytes, live: FrameSnapshot = DATA, **spec: Any) -> list[dict[str, Any]]:
    target = folder.parent.parent / "out"
    source = folder.parent.parent / "input.json"
    source.write_bytes(lines if isinstance(lines, bytes) else lines.encode())
    report = run_batch_of(BatchSpec("films/x", [source], target, NOW, **spec), folder, live)
    assert report.outputs == [target / "input.json.out"]
    written = [json.loads(line) for line in report.outputs[0].read_text().splitlines()]
    assert report.records == len(written)
    assert report.errors == sum(line["error"] is not None for line in written)
    return written


def test_fact_a_line_has_input_output_and_error(models: Path) -> None:
    (line,) = run(models / "user-personalization", '{"userId":"u1"}', num_results=3)
    assert list(line) == ["input", "output", "error"]
    assert line["input"] == {"userId": "u1"}
    assert list(line["output"]) == ["recommendedItems", "scores"]
    assert (len(line["output"]["recommendedItems"]), len(line["output"]["scores"])) == (3, 3)
    assert line["error"] is None


def test_answers_are_those_of_one_question_at_a_time(models: Path) -> None:
    users = [f"u{number}" for number in range(50)] + ["nobody"]
    lines = run(models / "user-personalization", "\n".join(f'{{"userId": "{user}"}}' for user in users))
    model = load_model(models / "user-personalization")
    for user, line in zip(users, lines, strict=True):
        alone = model.recommend(Query(now=NOW, user_id=user))
        assert line["output"]["recommendedItems"] == [each.item_id for each in alone]
        assert line["output"]["scores"] == pytest.approx([each.score for each in alone], rel=1e-3)


def test_more_results_than_items_list_them_all(models: Path) -> None:
    known, unknown = run(models / "user-personalization", '{"userId":"u1"}\n{"userId":"x"}', num_results=500)
    for line in (known, unknown):
        assert len(set(line["output"]["recommendedItems"])) == len(line["output"]["recommendedItems"]) == 120
        assert sum(line["output"]["scores"]) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"userId": 7}', "userId must be a string"),
        (b'{"itemId": "i1"}', "Required fields for the provided recipe are userId"),  # fact: the service's words
        (b'{"userId": ""}', "Required fields for the provided recipe are userId"),
        (b'{"userId": "u1"', "not a JSON object"),
        (b'[{"userId": "u1"}]', "not a JSON object"),
        (b'{"userId": "\xff"}', "not a JSON object"),
        (b'{"userId": "u1", "filterValues": {"a": 1}}', "filterValues must be an object of strings"),
    ],
)
def test_a_bad_line_says_why_and_harms_no_other(models: Path, text: bytes, words: str) -> None:
    before, bad, after = run(models / "user-personalization", b'{"userId":"u1"}\n' + text + b'\n\n{"userId":"u2"}\n')
    assert bad["output"] == {"recommendedItems": []}
    assert bad["error"].startswith("User error: ")
    assert words in bad["error"]
    assert before["error"] is after["error"] is None


def test_quotes_and_unicode_survive(models: Path) -> None:
    line = '{"userId": "caf\\u00e9 \\"x\\" 漢"}'
    (answer,) = run(models / "user-personalization", "\ufeff" + line)
    assert answer["input"] == json.loads(line)
    assert answer["error"] is None


def test_histories_are_those_of_now(models: Path) -> None:
    comedies = [f"i{number}" for number in range(120) if genre(f"i{number}") == "comedy"][:10]
    fresh = pl.DataFrame(
        {"USER_ID": "fresh", "ITEM_ID": comedies, "TIMESTAMP": list(range(1_710_000_000, 1_710_000_010))}
    )
    live = snapshot(pl.concat([interactions(), fresh]), items=items())
    (line,) = run(models / "user-personalization", '{"userId":"fresh"}', live, num_results=8)
    assert sum(genre(item) == "comedy" for item in line["output"]["recommendedItems"]) >= 6


@pytest.mark.parametrize(
    ("recipe", "rest"), [("aws-user-personalization", ""), ("aws-personalized-ranking", ',"itemList":["i0","i1","i2"]')]
)
def test_users_without_history_are_answered_alike_alone_and_in_batches(tmp_path: Path, recipe: str, rest: str) -> None:
    users = pl.DataFrame(
        {"USER_ID": [f"u{n}" for n in range(240)] + ["new"], "CITY": [taste(f"u{n}") for n in range(241)]}
    )
    data = snapshot(interactions(), users=users)
    fit(tmp_path, recipe, data)
    (line,) = run(tmp_path / "films/one", f'{{"userId":"new"{rest}}}', data, num_results=3)
    query = Query(now=NOW, user_id="new", item_list=["i0", "i1", "i2"], num_results=3)
    alone = load_model(tmp_path / "films/one").recommend(query)
    assert line["output"]["recommendedItems"] == [each.item_id for each in alone]
    assert genre(alone[0].item_id) == "drama"  # the taste of user 240's city


def test_similar_items_have_no_scores(models: Path) -> None:
    known, unknown = run(models / "similar-items", '{"itemId":"i1"}\n{"itemId":"never seen"}', num_results=4)
    assert list(known["output"]) == ["recommendedItems"]
    assert len(unknown["output"]["recommendedItems"]) == 4


def test_ranking_returns_the_whole_list(models: Path) -> None:
    lines = '{"userId":"u1","itemList":["i1","never seen","i2"]}\n{"userId":"u1"}\n{"userId":"u1","itemList":[1]}'
    ranked, lacking, wrong = run(models / "personalized-ranking", lines)
    assert sorted(ranked["output"]["recommendedItems"]) == ["i1", "i2", "never seen"]
    assert sum(ranked["output"]["scores"]) == pytest.approx(1.0)
    assert "userId, itemList" in lacking["error"]
    assert "itemList must be a list of strings" in wrong["error"]


def test_filters_take_values_from_the_line(models: Path) -> None:
    use = FilterUse("INCLUDE ItemID WHERE Items.GENRES IN ($GENRE)")
    data = with_schemas()
    lines = '{"userId":"u1","filterValues":{"GENRE":"\\"drama\\""}}\n{"userId":"u1"}'
    drama, lacking = run(models / "user-personalization", lines, data, filter=use, num_results=4)
    assert {genre(item) for item in drama["output"]["recommendedItems"]} == {"drama"}
    assert "GENRE" in lacking["error"]


def test_filters_look_at_each_users_events(models: Path) -> None:
    use = FilterUse('INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")')
    (line,) = run(models / "user-personalization", '{"userId":"u5"}', with_schemas(), filter=use, num_results=500)
    mine = interactions().filter(pl.col("USER_ID") == "u5")["ITEM_ID"]
    assert set(line["output"]["recommendedItems"]) == set(mine)


def with_schemas() -> FrameSnapshot:
    from personalize_local.engine.datasets.schema import parse_schema  # noqa: PLC0415 - only these two tests need it

    def schema(name: str, fields: list[tuple[str, str]]) -> str:
        columns = [{"name": column, "type": kind} for column, kind in fields]
        return json.dumps({"type": "record", "name": name, "fields": columns, "version": "1.0"})

    events = [("USER_ID", "string"), ("ITEM_ID", "string"), ("EVENT_TYPE", "string"), ("TIMESTAMP", "long")]
    return FrameSnapshot(
        schemas={
            "ITEMS": parse_schema(schema("Items", [("ITEM_ID", "string"), ("GENRES", "string")])),
            "INTERACTIONS": parse_schema(schema("Interactions", events)),
        },
        frames={"INTERACTIONS": interactions().with_columns(EVENT_TYPE=pl.lit("Watch")), "ITEMS": items()},
    )


def test_fact_segments_list_users(models: Path) -> None:
    (line,) = run(models / "item-affinity", '{"itemId":"i1"}', num_results=20)
    users = line["output"]["usersList"]
    assert len(users) == 20
    assert sum(taste(user) == genre("i1") for user in users) > 15


def test_fact_attribute_segments_take_equality_and_and(models: Path) -> None:
    lines = [
        {"itemAttributes": 'ITEMS.GENRES = "comedy"'},
        {"itemAttributes": 'ITEMS.genres = "comedy" AND ITEMS.GENRES = "drama"'},
        {"itemAttributes": "ITEMS.GENRES > 3"},
        {"itemAttributes": 'ITEMS.YEAR = "1999"'},
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    comedy, both, wrong, lacking = run(models / "attributes", text, num_results=20)
    assert sum(taste(user) == "comedy" for user in comedy["output"]["usersList"]) > 15
    assert len(both["output"]["usersList"]) == 20
    assert "only = and AND" in wrong["error"]
    assert "no column YEAR" in lacking["error"]


def test_segment_recipes_answer_no_real_time_question(models: Path) -> None:
    with pytest.raises(EngineError, match="batch segment jobs only"):
        load_model(models / "item-affinity").recommend(Query(now=NOW, user_id="u1"))


def test_fact_themes_name_the_list_and_judge_each_item(models: Path) -> None:
    (line,) = run(models / "similar-items", '{"itemId":"i1"}', num_results=5, theme_item_name="GENRES")
    assert line["output"]["theme"] == genre("i1").capitalize()
    assert len(line["output"]["itemsThemeRelevanceScores"]) == len(line["output"]["recommendedItems"]) == 5


def test_themes_need_the_column_and_the_recipe(models: Path) -> None:
    with pytest.raises(EngineError, match="no column TITLE"):
        run(models / "similar-items", '{"itemId":"i1"}', theme_item_name="TITLE")
    with pytest.raises(EngineError, match="Similar-Items"):
        run(models / "user-personalization", '{"userId":"u1"}', theme_item_name="GENRES")


def test_each_input_gets_its_own_output(models: Path, tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text('{"userId":"u1"}\n')
    spec = BatchSpec("x/y", [tmp_path / "a.json", tmp_path / "b.json"], tmp_path / "out", NOW)
    report = run_batch_of(spec, models / "user-personalization", DATA)
    assert [path.name for path in report.outputs] == ["a.json.out", "b.json.out"]
    assert report.records == 2
