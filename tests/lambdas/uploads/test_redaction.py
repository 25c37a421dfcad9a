"""What a file holds stays in the file: no report, reason, ledger row, execution or log line quotes it, if so asked."""

import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas.file_checks.batch_input import UploadRejected, check_batch_input
from lambdas.requests.group_policies import upload_policy
from lambdas.requests.request import UploadPolicy
from tests.lambdas.gateways.memory_objects import MemoryObjects
from tests.lambdas.uploads.world import World, csv

HEADER = "USER_ID,ITEM_ID,TIMESTAMP"
GOOD = "ann,item1,1700000000"
# In each a cell, or what would be one if the file were right, goes where the braces are; all are bad.
BAD_LINES = (
    "ann,item1,{}",
    "{},,1700000000",
    '"{},item1,1700000000',
    'a"{},item1,1700000000',
    "ann,item1,1700000000,{}",
    "{}",
    "ann,{}\x00,1700000000",
    "ann,item1,1700000000{}",
    "ann,item1,-{}",
)
BAD_HEADERS = (
    "{},ITEM_ID,TIMESTAMP",
    "USER_ID,ITEM_ID,TIMESTAMP,{0},{0}",
    '"{}",ITEM_ID,TIMESTAMP',
    "{};b;c",
    "{}\x00,b",
)
BAD_BATCHES = (
    '{{"userId": {{"{}": 1}}}}',
    "{}",
    '["{}"]',
    '{{"{}": "x"}}',
    '{{"userId": "{}"',
    '{{"userId": "a", "itemList": "{}"}}',
)
SECRETS = st.one_of(
    st.integers(0, 10**20).map(lambda number: f"739184620517{number}"),
    st.from_regex(r"hush[a-z0-9]{8,20}", fullmatch=True),
    st.from_regex(r"hush[a-z0-9]{8,20}[äöü€]", fullmatch=True),
)
ENCODINGS = st.sampled_from(("utf-8", "utf-16", "latin-1"))


def told(world: World) -> Iterator[str]:
    """Yield everything that is written down or told about files, but not the files."""
    for key in list(world.objects.keys("")):
        if not key.startswith(("uploads/", "staging/")):
            yield world.objects.text(key) or ""
    yield json.dumps(list(world.table.items.values()), default=str, ensure_ascii=False)
    for execution in world.executions.values():
        yield execution.state.model_dump_json()
        yield f"{execution.error} {execution.cause} {execution.input}"


def imported(content: bytes, policy: UploadPolicy) -> World:
    world = World(filled=True, policy=policy)
    world.drop("uploads/movies/items/good.csv", csv("ann", rows=3))
    world.drop("uploads/movies/items/bad.csv", content)
    world.run()
    world.sweep()
    world.run()
    return world


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    secret=SECRETS,
    lines=st.lists(st.sampled_from((GOOD, *BAD_LINES)), min_size=1, max_size=5),
    header=st.sampled_from((HEADER, HEADER, *BAD_HEADERS)),
    encoding=ENCODINGS,
    drops=st.booleans(),
)
def test_a_secret_cell_of_a_bad_file_is_told_nowhere(
    caplog: pytest.LogCaptureFixture, secret: str, lines: list[str], header: str, encoding: str, drops: bool
) -> None:
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    text = "\n".join([header, *lines, ""]).replace("{}", secret).replace("{0}", secret)
    policy = UploadPolicy.model_validate({"quoteCells": False, "badRows": "DROP" if drops else "REJECT"})
    world = imported(text.encode(encoding, errors="replace"), policy)
    for one in (*told(world), caplog.text):
        assert secret[:12] not in one
        assert json.dumps(secret)[1:13] not in one


@settings(max_examples=100, deadline=None)
@given(secret=SECRETS, shape=st.sampled_from(BAD_BATCHES), encoding=ENCODINGS)
def test_a_secret_of_a_bad_batch_input_is_told_nowhere(secret: str, shape: str, encoding: str) -> None:
    objects = MemoryObjects()
    key = "uploads/movies/batch/daily/members.json"
    World(filled=True)  # for its clock
    objects.upload(key, f"{shape.format(secret)}\n".encode(encoding, errors="replace"), World(filled=True).now)
    with pytest.raises(UploadRejected) as caught:
        check_batch_input(objects, f"s3://{objects.bucket}/{key}", quotes=False)
    reports = [objects.text(one) or "" for one in objects.keys("rejected/")]
    assert len(reports) == 2
    for one in (str(caught.value), *reports):
        assert secret[:12] not in one
        assert json.dumps(secret)[1:13] not in one


@pytest.mark.parametrize("line", [line for line in BAD_LINES if line != "{},,1700000000"])  # whose secret is not bad
def test_unless_asked_reports_quote_what_is_bad(line: str) -> None:
    """What the property above would not notice: that nothing is ever quoted, or that nothing is bad."""
    content = f"{HEADER}\n{line.format('-5hush')}\n".encode()
    assert "hush" in "".join(told(imported(content, UploadPolicy())))


def test_a_stage_that_redacts_does_so_whatever_a_request_says() -> None:
    objects = MemoryObjects()
    request = {"datasetGroup": "movies", "datasets": {"items": {"columns": {"ITEM_ID": "string"}}}}
    objects.write("requests/movies.json", json.dumps({**request, "uploads": {"quoteCells": True}}).encode(), "any")
    assert upload_policy(objects, "movies").quote_cells
    assert not upload_policy(objects, "movies", redacts=True).quote_cells
    assert not upload_policy(objects, "others", redacts=True).quote_cells
