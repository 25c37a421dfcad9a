"""Schedules of a request: what is refused before anything runs, and what EventBridge Scheduler would be told."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.requests.plan import Planner
from lambdas.requests.plan_check import request_problems
from lambdas.requests.request import InvalidRequestError
from lambdas.requests.request_reading import load_request, parse_request
from lambdas.requests.schedules.planned_schedules import (
    check_scheduled,
    check_source,
    names_begin_with,
    planned_schedules,
)
from lambdas.requests.whole_plan import plan_pipeline
from tests.lambdas.requests.test_plan import ACCOUNT, EXAMPLE, Service

SOLUTION = EXAMPLE["solutions"][0]["name"]
TEMPLATE = EXAMPLE["solutions"][0]["batchInferenceJobs"][0]["template"]
NIGHTLY = {"name": "nightly", "scheduleExpression": "cron(0 3 * * ? *)", "action": "TRAIN"}
GROUP_NAME = st.from_regex(r"\A[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}\Z")


def request(*schedules: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {**copy.deepcopy(EXAMPLE), **parts, "schedules": list(schedules)}


def planner(document: Any) -> Planner:
    return Planner(parse_request(document), "run", ACCOUNT)


def refusals(document: Any) -> list[str]:
    try:
        made = planner(document)
    except InvalidRequestError as error:
        return [f"{problem.path}: {problem.text}" for problem in error.problems]
    return [f"{problem.path}: {problem.text}" for problem in request_problems(made, Service())]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scheduleExpression": "cron(0 3 * * * *)"}, "exactly one is '?'"),
        ({"scheduleExpression": "cron(0 24 * * ? *)"}, "'24' is no value for hours (0 to 23)"),
        ({"scheduleExpression": "at(2030-01-01T00:00:00)"}, "is neither rate("),
        ({"scheduleExpressionTimezone": "Europe/Bonn"}, "'Europe/Bonn' is no time zone"),
        ({"scheduleExpressionTimezone": "../etc/passwd"}, "is no time zone"),
        ({"template": "home"}, "template means nothing to TRAIN"),
        ({"action": "BATCH"}, "BATCH needs template"),
        ({"action": "STOP"}, "STOP needs recommender"),
        ({"action": "BATCH", "template": "none"}, "the request has no template 'none'; it has: "),
        ({"solution": "none"}, f"the request has no solution 'none'; it has: {SOLUTION}"),
        ({"action": "START", "recommender": "none"}, "the request has no recommender 'none'; it has: none"),
        ({"timezone": "UTC"}, "unknown key 'timezone'"),
    ],
)
def test_what_could_do_nothing_is_refused_before_anything_runs(change: dict[str, Any], said: str) -> None:
    found = refusals(request({**NIGHTLY, **change}))
    assert len(found) == 1
    assert found[0].startswith("$.schedules[0]")
    assert said in found[0]


def test_two_trainings_are_not_due_at_the_same_moment() -> None:
    (found,) = refusals(request(NIGHTLY, {**NIGHTLY, "name": "again", "solution": SOLUTION}))
    assert found.startswith("$.schedules[1]: is due whenever 'nightly' is")
    assert not refusals(request(NIGHTLY, {**NIGHTLY, "name": "again", "scheduleExpressionTimezone": "Asia/Tokyo"}))


def test_each_action_starts_the_machine_that_does_it() -> None:
    schedules = [
        {**NIGHTLY, "name": "sweep", "action": "IMPORT"},
        {**NIGHTLY, "solution": SOLUTION, "trainingMode": "FULL", "train": "ALWAYS"},
        {**NIGHTLY, "name": "mails", "action": "BATCH", "template": TEMPLATE},
    ]
    planned = planned_schedules(planner(request(*schedules)))
    assert [(one["machine"], one["input"]) for one in planned] == [
        ("import_data", {"datasetGroup": "movies", "schedule": "sweep"}),
        (
            "pipeline",
            {
                "datasetGroup": "movies",
                "schedule": "nightly",
                "solution": SOLUTION,
                "trainingMode": "FULL",
                "train": "ALWAYS",
            },
        ),
        ("run_batch_inference", {"datasetGroup": "movies", "schedule": "mails", "template": TEMPLATE}),
    ]


def test_a_recommender_with_a_timetable_is_left_as_it_is_by_runs() -> None:
    recommenders = [{"name": name, "recipeArn": "aws-popularity-count"} for name in ("top", "plain")]
    stop = {"name": "evening", "scheduleExpression": "cron(0 20 * * ? *)", "action": "STOP", "recommender": "top"}
    made = planner(request(stop, recommenders=recommenders))
    active = {extra.spec["name"]: extra.spec["active"] for extra in made.extras()}
    assert (active["top"], active["plain"]) == (None, True)
    (planned,) = planned_schedules(made)
    assert planned["machine"] == "ensure_resource"
    assert planned["input"] == {"type": "recommender", "request": {"name": "top"}, "active": False}
    recommenders[0]["active"] = False  # type: ignore[assignment]
    assert "$.recommenders[0].active: schedules start and stop" in refusals(request(stop, recommenders=recommenders))[0]


@given(GROUP_NAME, GROUP_NAME, GROUP_NAME, GROUP_NAME)
def test_schedules_of_two_groups_never_meet(group: str, other: str, name: str, another: str) -> None:
    def planned(group: str, *names: str) -> list[str]:
        schedules = [{**NIGHTLY, "action": "IMPORT", "name": name} for name in dict.fromkeys(names)]
        return [one["name"] for one in planned_schedules(planner(request(*schedules, datasetGroup=group)))]

    names = planned(group, name, another)
    assert len(set(names)) == len({name, another})
    assert all(len(one) <= 64 and one.startswith(names_begin_with(group)) for one in names)
    if group != other:
        assert not [one for one in names if one.startswith(names_begin_with(other))]


def test_what_schedules_start_reads_the_bucket() -> None:
    wanted = parse_request(request(NIGHTLY))
    check_source(wanted, {"requests/movies.json": "{}"}.get)
    check_source(parse_request(EXAMPLE), lambda _: None)
    with pytest.raises(InvalidRequestError, match=r"reads requests/movies\.json, which the bucket does not have"):
        check_source(wanted, lambda _: None)


class Group(Service):
    """A service that has the group, or not."""

    def __init__(self, described: dict[str, Any] | None) -> None:
        super().__init__()
        self._described = described

    def describe(self, row: Any, arn: str) -> dict[str, Any] | None:
        assert row.noun == "dataset_group"
        assert arn.endswith(":dataset-group/movies")
        return self._described


def test_a_schedule_does_not_bring_back_what_was_deleted() -> None:
    made = planner(request(NIGHTLY))
    check_scheduled(made, Group({"status": "ACTIVE"}), "nightly")
    with pytest.raises(InvalidRequestError, match="there is no dataset group arn:"):
        check_scheduled(made, Group(None), "nightly")
    with pytest.raises(InvalidRequestError, match="has no schedule 'weekly' any more"):
        check_scheduled(made, Group({"status": "ACTIVE"}), "weekly")


def test_a_run_may_be_about_one_solution_and_train_it_in_another_mode() -> None:
    two = [{**EXAMPLE["solutions"][0], "trainingMode": "UPDATE", "fullEveryDays": 7}, {"name": "other"}]
    two[1]["recipeArn"] = "aws-popularity-count"
    texts = {"requests/movies.json": parse_request(request(solutions=two)).model_dump_json(by_alias=True)}
    given_input = {"datasetGroup": "movies", "solution": SOLUTION, "trainingMode": "FULL", "train": "ALWAYS"}
    loaded = load_request(given_input, texts.get)
    assert loaded.train == "ALWAYS"
    assert [(one.training_mode, one.full_every_days) for one in loaded.solutions] == [("FULL", None), ("FULL", None)]
    plan = plan_pipeline(Planner(loaded, "run", ACCOUNT), SOLUTION)
    assert [one["name"] for one in plan["solutions"]] == [SOLUTION]
    with pytest.raises(InvalidRequestError, match="no solution 'third'"):
        plan_pipeline(Planner(loaded, "run", ACCOUNT), "third")
    with pytest.raises(InvalidRequestError, match=r"\$.trainingMode: 'BOTH' is not one of FULL, UPDATE"):
        load_request({**given_input, "trainingMode": "BOTH"}, texts.get)
