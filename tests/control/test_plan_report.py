"""The lines of a plan: hours and money, and what nobody knows."""

from control.plan_report import NOTHING_TO_DO, plan_lines
from lambdas.costs.estimates import Estimate
from lambdas.costs.price_table import load_prices
from lambdas.previews.planned_change import PlannedChange

PRICES = load_prices()
LEFT = PlannedChange("leave", "dataset_group", "movies")


def lines(*changes: PlannedChange, region: str = "us-east-1") -> list[str]:
    return list(plan_lines(changes, PRICES, region=region))


def test_a_line_says_hours_and_money_and_doubt() -> None:
    told = lines(
        LEFT,
        PlannedChange("train", "solution_version", "taste", "FULL: new data", hours=1.5, estimate=Estimate(0.36)),
        PlannedChange("create", "recommender", "top", "it is not there", estimate=Estimate(0, 273.75, "", False)),
        PlannedChange("update", "campaign", "home", "minProvisionedTPS differs", estimate=Estimate(0, -146.12)),
        PlannedChange("import", "dataset_import_job", "users", "1 file(s) wait", estimate=Estimate(0.0004)),
        PlannedChange("create", "batch_inference_job", "mail", estimate=Estimate(None, 0, "$0.067 per 1,000", False)),
    )
    assert told[:5] == [
        "train    solution version taste: FULL: new data (about 1.5 hours, $0.36)",
        "create   recommender top: it is not there ($273.75 a month, unverified)",
        "update   campaign home: minProvisionedTPS differs (-$146.12 a month)",
        "import   dataset import job users: 1 file(s) wait (less than $0.01)",
        "create   batch inference job mail (at $0.067 per 1,000, unverified)",
    ]
    assert told[5].startswith("in total: about 1.5 hours of jobs, $0.36 once, $127.63 a month to keep it")
    assert told[5].endswith(", and 1 of unknown cost")
    assert told[6] == f"{PRICES}; some are unverified"


def test_another_region_is_named() -> None:
    assert "this is eu-west-1" in lines(PlannedChange("create", "filter", "f", hours=1), region="eu-west-1")[-1]


def test_what_costs_nothing_is_summed_up_without_money() -> None:
    assert lines(LEFT) == [NOTHING_TO_DO]
    assert lines(LEFT, PlannedChange("create", "filter", "seen")) == ["create   filter seen"]
