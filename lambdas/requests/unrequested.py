"""Find what a dataset group has that its request does not name: it stays, and is told."""

from collections.abc import Iterator, Mapping
from typing import Any

from lambdas.personalize.gateway import Personalize
from lambdas.personalize.lifecycle import Phase, phase_of
from lambdas.personalize.resources import RESOURCES, children
from lambdas.requests.plan import Planner


def unrequested(planner: Planner, personalize: Personalize) -> list[str]:
    """Return the resources of the group that are not in the request any more: ``["filter movies-seen"]``."""
    group = planner.import_data()["group"]["request"]
    return sorted(
        _unrequested(planner, personalize, str(RESOURCES["dataset_group"].arn(personalize.arn_prefix, group)))
    )


def _unrequested(planner: Planner, personalize: Personalize, group_arn: str) -> Iterator[str]:
    wanted = _wanted_arns(planner, personalize.arn_prefix)
    sole = {spec["type"] for spec in planner.import_data()["extras"] if RESOURCES[spec["type"]].sole}
    for row in children("dataset_group"):
        for summary in _summaries(personalize, row.noun, group_arn):
            if row.noun not in sole and summary[row.arn_key] not in wanted:
                yield f"{row.noun} {_name(row.noun, summary)}"
            if row.noun == "solution":
                for campaign in _summaries(personalize, "campaign", summary["solutionArn"]):
                    if campaign["campaignArn"] not in wanted:
                        yield f"campaign {campaign['name']}"


def _wanted_arns(planner: Planner, prefix: str) -> set[str]:
    data = planner.import_data()
    solutions = [planner.train_solution(solution) for solution in planner.request.solutions]
    specs = [*(one["dataset"] for one in data["datasets"]), *data["extras"], *(one["solution"] for one in solutions)]
    arns = {str(RESOURCES[spec["type"]].arn(prefix, spec["request"])) for spec in specs}
    return arns.union(*(one["campaignArns"] for one in solutions))


def _summaries(personalize: Personalize, noun: str, parent_arn: str) -> Iterator[Mapping[str, Any]]:
    """Yield what is there and not on its way out."""
    try:
        for summary in personalize.summaries(RESOURCES[noun], parent_arn):
            if phase_of(summary["status"]) is not Phase.CHANGING or summary["status"].startswith("CREATE"):
                yield summary
    except (personalize.errors.ResourceNotFoundException, personalize.errors.InvalidInputException):
        return  # the group is made by this very run; nobody documents which of the two a list answers


def _name(noun: str, summary: Mapping[str, Any]) -> str:
    return str(summary["datasetType"].lower() if noun == "dataset" else summary["name"])
