"""A plan as a document: complete for programs, bounded for a state machine."""

import json

from lambdas.costs.estimates import CostEstimator
from lambdas.costs.price_table import load_prices
from lambdas.previews.plan_document import bounded_plan, plan_document
from lambdas.previews.planned_change import PlannedChange

SEE = "are not shown here; `python -m control plan` tells all"
PRICES = load_prices()
CAMPAIGN = CostEstimator(PRICES).serving("campaign", {"minProvisionedTPS": 1}, None)
BATCH = CostEstimator(PRICES).batch("batch_inference_job", {}, None)


def changes(count: int, reason: str = "it is not there") -> list[PlannedChange]:
    made = [
        PlannedChange("create", "campaign", f"home-{n}", reason, hours=0.25, estimate=CAMPAIGN) for n in range(count)
    ]
    return [PlannedChange("leave", "dataset_group", "movies"), *made]


def test_a_document_tells_the_hours_and_the_money_of_each_change_and_of_all() -> None:
    document = plan_document([*changes(2), PlannedChange("create", "batch_inference_job", "b", estimate=BATCH)], PRICES)
    assert document["changes"][0] == {
        "verb": "leave",
        "type": "dataset_group",
        "name": "movies",
        "reason": "",
        "hours": 0,
    }
    assert [one.get("monthly") for one in document["changes"]] == [None, 146.12, 146.12, 0]
    assert document["changes"][3]["once"] is None
    assert document["total"] == {"hours": 0.5, "once": 0, "monthly": 292.23, "unknown": 1, "verified": False}
    assert document["prices"]["date"] == str(PRICES.date)


def test_a_small_plan_is_told_whole_without_what_stays() -> None:
    plan = bounded_plan(changes(3), PRICES, 12_000)
    assert ([one["name"] for one in plan["changes"]], plan["left"], plan["note"]) == (
        ["home-0", "home-1", "home-2"],
        1,
        "",
    )


def test_a_plan_never_passes_its_bound_and_counts_what_it_leaves_out() -> None:
    for count, reason in ((400, "it is not there"), (400, "ü" * 5_000), (40, "日本" * 200), (7, '"\\' * 900)):
        for most in (2_000, 12_000):
            plan = bounded_plan(changes(count, reason), PRICES, most)
            assert len(json.dumps(plan)) <= most
            left_out = count - len(plan["changes"])
            assert plan["note"] == (f"{left_out} more changes {SEE}" if left_out else "")
            assert plan["total"]["hours"] == count * 0.25


def test_a_plan_that_changes_nothing_is_empty() -> None:
    plan = bounded_plan([PlannedChange("leave", "dataset_group", "movies")], PRICES, 12_000)
    assert (plan["changes"], plan["left"], plan["total"]["monthly"]) == ([], 1, 0)
