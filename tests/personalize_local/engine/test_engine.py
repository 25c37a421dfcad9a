"""The engine as its users see it: futures, worker processes, and models that learn from what was imported."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from personalize_local.engine.api import BatchSpec, EngineError, FilterUse, Promotion, Query, TrainingSpec
from personalize_local.engine.engine import Engine
from tests.personalize_local.engine.examples import INTERACTIONS_HEADER, STRING_OR_NULL, avro, field, ref, write

EVENTS, USERS, ITEMS = ref("INTERACTIONS"), ref("USERS"), ref("ITEMS")
NOW = 1_600_100_000.0
SPEC = TrainingSpec("films/1", "aws-user-personalization", [EVENTS, ITEMS], {}, NOW)


def tastes() -> list[str]:
    """Return events of 100 users, of whom each likes ten of fifty items."""
    return [
        f"u{user},i{user % 5 * 10 + (user // 5 + step) % 10},watch,{1_600_000_000 + 100 * step + user},"
        for user in range(100)
        for step in range(0, 24, 2)
    ]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Give an engine with a trained model; tests only add rows of users of their own."""
    folder = tmp_path_factory.mktemp("engine")
    with closing(Engine(folder / "data")) as running:
        _fill(running, folder)
        yield running


def _fill(running: Engine, folder: Path) -> None:
    running.import_files(EVENTS, [write(folder / "events.csv", INTERACTIONS_HEADER, tastes())], "FULL").result(60)
    items = [f"i{n},{'even' if n % 2 == 0 else 'odd'},{n}.5,Title {n},,true" for n in range(50)]
    file = write(folder / "items.csv", "ITEM_ID,GENRES,PRICE,TITLE,DESCRIPTION,AVAILABLE", items)
    running.import_files(ITEMS, [file], "FULL").result(60)
    running.train(SPEC).result(60)


def listed(engine: Engine, **query: object) -> list[str]:
    answer = engine.recommend("films/1", Query(NOW, **query))  # type: ignore[arg-type] # a test's shorthand
    return [line.item_id for line in answer]


def test_a_trained_model_knows_the_imported_tastes(engine: Engine) -> None:
    top = listed(engine, user_id="u3", num_results=5)
    assert sum(30 <= int(item[1:]) < 40 for item in top) >= 3


def test_an_event_changes_the_next_answer(engine: Engine) -> None:
    before = listed(engine, user_id="fresh", num_results=10)
    rows = [
        {"USER_ID": "fresh", "ITEM_ID": f"i{n}", "EVENT_TYPE": "watch", "TIMESTAMP": int(NOW) + n} for n in (40, 42, 44)
    ]
    engine.put_rows(EVENTS, rows)
    after = listed(engine, user_id="fresh", num_results=10)
    liked = [sum(40 <= int(item[1:]) < 50 for item in items) for items in (before, after)]
    assert liked[1] > liked[0]


def test_filters_see_imported_and_streamed_rows_at_once(engine: Engine) -> None:
    unseen = FilterUse('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")')
    assert {"i0", "i2", "i4", "i6", "i8"}.isdisjoint(listed(engine, user_id="u0", num_results=50, filter=unseen))
    everything = set(listed(engine, user_id="u0", num_results=50, filter=unseen))
    streamed = {"USER_ID": "u0", "ITEM_ID": "i17", "EVENT_TYPE": "Watch", "TIMESTAMP": int(NOW)}
    engine.put_rows(EVENTS, [streamed])
    assert everything - set(listed(engine, user_id="u0", num_results=50, filter=unseen)) == {"i17"}


def test_filters_see_new_metadata_at_once(engine: Engine) -> None:
    renamed = FilterUse("INCLUDE ItemID WHERE Items.GENRES IN ($G)", {"G": '"brand new"'})
    assert listed(engine, user_id="u1", filter=renamed) == []
    engine.put_rows(ITEMS, [{"ITEM_ID": "i11", "GENRES": "odd|brand new"}])
    assert listed(engine, user_id="u1", filter=renamed) == ["i11"]


def test_filters_see_columns_of_a_schema_that_came_after_the_training(engine: Engine) -> None:
    wider = ref("ITEMS", schema=avro("Items", *json.loads(ITEMS.schema)["fields"], field("SEASON", STRING_OR_NULL)))
    engine.put_rows(wider, [{"ITEM_ID": "i12", "GENRES": "even", "PRICE": 12.5, "SEASON": "winter"}])
    winter = FilterUse('INCLUDE ItemID WHERE Items.SEASON IN ("winter")')
    assert listed(engine, user_id="u1", filter=winter) == ["i12"]


def test_filters_see_datasets_that_came_after_the_training(engine: Engine) -> None:
    for_children = FilterUse("INCLUDE ItemID WHERE Items.PRICE < 3 IF CurrentUser.AGE < 10")
    assert len(listed(engine, user_id="u1", num_results=50, filter=for_children)) == 50
    engine.put_rows(USERS, [{"USER_ID": "u1", "AGE": 7}])
    assert sorted(listed(engine, user_id="u1", filter=for_children)) == ["i0", "i1", "i2"]
    engine.drop_dataset(USERS)


def test_promotions_use_their_own_filter(engine: Engine) -> None:
    dear = FilterUse("INCLUDE ItemID WHERE Items.PRICE > $P", {"P": "45"})
    query = Query(NOW, user_id="u1", num_results=8, promotions=(Promotion("dear", 50, dear),))
    promoted = [line for line in engine.recommend("films/1", query) if line.promotion_name == "dear"]
    assert len(promoted) == 4
    assert all(int(line.item_id[1:]) >= 45 for line in promoted)


def test_batch_answers_every_line(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text('{"userId":"u1"}\n{"userId":"nobody"}\n{"user":1}\n')
    report = engine.batch(BatchSpec("films/1", [tmp_path / "in.json"], tmp_path / "out", NOW)).result(60)
    assert (report.records, report.errors) == (3, 1)
    assert [path.name for path in report.outputs] == ["in.json.out"]
    assert len((tmp_path / "out" / "in.json.out").read_text().splitlines()) == 3


def test_an_unknown_model_is_told(engine: Engine) -> None:
    with pytest.raises(EngineError, match="no model of solution version films/9"):
        engine.recommend("films/9", Query(NOW, user_id="u1"))


def test_a_dropped_model_is_gone(engine: Engine) -> None:
    spec = TrainingSpec("films/2", "aws-popularity-count", [EVENTS], {}, NOW)
    engine.train(spec).result(60)
    engine.drop_model("films/2")
    engine.drop_model("films/2")
    with pytest.raises(EngineError, match="no model"):
        engine.recommend("films/2", Query(NOW))


def test_a_training_that_is_stopped_leaves_nothing(engine: Engine) -> None:
    spec = TrainingSpec("films/3", "aws-user-personalization", [EVENTS], {}, NOW)
    training = engine.train(spec)
    engine.stop_training("films/3")
    with pytest.raises(EngineError, match="stopped"):
        training.result(60)
    assert not list((engine.directory / "models" / "films").glob("3*"))


def test_a_training_fails_with_the_services_words(engine: Engine, tmp_path: Path) -> None:
    lonely = ref("INTERACTIONS", group="lonely")
    rows = [f"u1,i{n},watch,{1_600_000_000 + n}," for n in range(1000)]
    engine.import_files(lonely, [write(tmp_path / "a.csv", INTERACTIONS_HEADER, rows)], "FULL").result(60)
    training = engine.train(TrainingSpec("lonely/1", "aws-user-personalization", [lonely], {}, NOW))
    with pytest.raises(EngineError, match="fewer than 25 users with at least 2 interactions"):
        training.result(60)


def test_a_failed_import_leaves_the_earlier_rows(engine: Engine, tmp_path: Path) -> None:
    people = ref("USERS", group="failing")
    engine.import_files(people, [write(tmp_path / "a.csv", "USER_ID,AGE,CITY", ["a,1,", "b,2,"])], "FULL").result(60)
    bad = write(tmp_path / "b.csv", "USER_ID,AGE,CITY", ["c,old,"])
    with pytest.raises(EngineError, match=r"not of type int. First: 'old' in b\.csv, line 2"):
        engine.import_files(people, [bad], "FULL").result(60)
    assert engine.rows(people) == 2
    assert not list((engine.directory / "scratch").iterdir())


def test_asking_with_an_older_schema_loses_no_column(engine: Engine, tmp_path: Path) -> None:
    narrow = ref("USERS", group="widened")
    wide = ref("USERS", "widened", avro("Users", *json.loads(USERS.schema)["fields"], field("X", ["int", "null"])))
    engine.put_rows(wide, [{"USER_ID": "a", "X": 5}])
    assert engine.rows(narrow) == 1
    (file,) = engine.export(wide, tmp_path, "ALL").result(60)
    assert file.read_text() == "USER_ID,AGE,CITY,X\na,,,5\n"


def test_imports_of_one_dataset_take_turns(engine: Engine, tmp_path: Path) -> None:
    people = ref("USERS", group="turns")
    files = [write(tmp_path / f"{n}.csv", "USER_ID,AGE,CITY", [f"u{n},{n},", f"v{n},,"]) for n in range(4)]
    engine.import_files(people, files[:1], "FULL").result(60)
    running = [engine.import_files(people, [file], "INCREMENTAL") for file in files[1:]]
    assert sorted(job.result(60).rows_total for job in running) == [4, 6, 8]


def test_deleted_users_are_gone_bulk_and_streamed(engine: Engine, tmp_path: Path) -> None:
    people, events = ref("USERS", group="gone"), ref("INTERACTIONS", group="gone")
    engine.import_files(people, [write(tmp_path / "u.csv", "USER_ID,AGE,CITY", ["u1,1,", "u2,2,"])], "FULL").result(60)
    engine.import_files(events, [write(tmp_path / "e.csv", INTERACTIONS_HEADER, tastes())], "FULL").result(60)
    engine.put_rows(events, [{"USER_ID": "u1", "ITEM_ID": "i1", "EVENT_TYPE": "buy", "TIMESTAMP": 5}])
    gone = write(tmp_path / "gone.csv", "USER_ID", ["u1", "stranger", "u1"])
    assert engine.delete_users([people, events], [gone]).result(60) == 1 + 12 + 1
    assert (engine.rows(people), engine.rows(events)) == (1, 1200 - 12)
    wrong = write(tmp_path / "wrong.csv", "USER_ID,AGE", ["u1,1"])
    with pytest.raises(EngineError, match="single column USER_ID"):
        engine.delete_users([people], [wrong]).result(60)


def test_exports_and_drops(engine: Engine, tmp_path: Path) -> None:
    people = ref("USERS", group="exported")
    engine.put_rows(people, [{"USER_ID": "a", "CITY": "Rome"}])
    (file,) = engine.export(people, tmp_path, "PUT").result(60)
    assert file.read_text() == "USER_ID,AGE,CITY\na,,Rome\n"
    engine.drop_dataset(people)
    engine.drop_dataset(people)
    assert engine.rows(people) == 0


def test_a_killed_worker_fails_its_training_and_nothing_else(engine: Engine) -> None:
    for process in engine._workers.processes:
        os.kill(process, signal.SIGSTOP)
    training = engine.train(TrainingSpec("films/4", "aws-user-personalization", [EVENTS], {}, NOW))
    time.sleep(0.1)  # the request is on its way to a worker that stands still
    for process in engine._workers.processes:
        os.kill(process, signal.SIGKILL)
    with pytest.raises(EngineError, match="the worker process for run_training was killed by signal 9"):
        training.result(60)
    assert listed(engine, user_id="u3")
    assert engine.train(TrainingSpec("films/5", "aws-popularity-count", [EVENTS], {}, NOW)).result(60).metrics


def test_importing_the_engine_is_cheap() -> None:
    probe = (
        "import sys, personalize_local.engine.engine; print({'polars', 'numpy', 'scipy'} & set(sys.modules) or 'none')"
    )
    found = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert found.stdout == "none\n"


def test_dropping_what_was_never_there_opens_nothing_and_warming_up_starts_a_worker(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    try:
        engine.drop_dataset(ref("ITEMS"))
        assert engine._opened is None
        for _ in range(5):
            engine.warm_up()
        for _ in range(3000):
            if engine._workers.processes and engine._opened:
                break
            time.sleep(0.01)
        assert len(engine._workers.processes) == 1
    finally:
        engine.close()
