"""A run over budget ends before it costs anything, with the figures, an event and the plan it was refused for."""

import json
from typing import Any

from personalize_local.cloud import Cloud
from tests.e2e.resource_zoo import INTERACTIONS, interactions

GROUP = "thrifty"


def request(**budget: Any) -> dict[str, Any]:
    campaigns = [{"name": "thrifty", "minProvisionedTPS": 2}]
    return {
        "datasetGroup": GROUP,
        "datasets": {"interactions": {"schema": json.loads(INTERACTIONS)}},
        "solutions": [{"name": "thrifty", "recipeArn": "aws-sims", "campaigns": campaigns}],
        "budget": budget,
    }


def test_a_run_over_budget_is_refused_with_the_figures_and_creates_nothing(cloud: Cloud) -> None:
    key = f"uploads/{GROUP}/interactions/monday.csv"
    cloud.client("s3").put_object(Bucket=cloud.deployment.bucket, Key=key, Body=interactions().encode())
    cloud.quiesce()
    run = cloud.run("pipeline", request(maxProvisionedTps=1, trainingHoursPerMonth=0.5, monthlyCost=100))
    assert (run.status, run.error) == ("FAILED", "OverBudgetError")
    told = str(run.cause)
    assert "$.budget.maxProvisionedTps: is 1: 0 campaign(s) and recommender(s) have 0 TPS already" in told
    assert "$.budget.trainingHoursPerMonth: is 0.5: 0 training(s) took 0.0 hours" in told
    assert "$.budget.monthlyCost: is 100.00: what serves costs 0.00 a month" in told
    groups = cloud.client("personalize").list_dataset_groups()["datasetGroups"]
    assert GROUP not in {group["name"] for group in groups}

    enough = request(maxProvisionedTps=2, trainingHoursPerMonth=5, monthlyCost=300)
    first = cloud.run("pipeline", enough)
    assert first.status == "SUCCEEDED", first.cause
    # A training by hand is held against the same hours, where they are spent.
    used_up = {"request": request(trainingHoursPerMonth=0.01), "solution": "thrifty", "train": "ALWAYS"}
    by_hand = cloud.run("train_solution", used_up)
    assert (by_hand.status, by_hand.error) == ("FAILED", "OverBudgetError")
    assert "1 training(s) took" in str(by_hand.cause)
    larger = request(maxProvisionedTps=2)
    larger["solutions"][0]["campaigns"][0]["minProvisionedTPS"] = 3
    deployed = cloud.run("update_campaign", {"request": larger, "solution": "thrifty"})
    assert (deployed.status, deployed.error) == ("FAILED", "OverBudgetError")
    assert "have 2 TPS already, and this run would add 1" in str(deployed.cause)
