"""Find what serves a dataset group, and ask it for recommendations."""

from collections.abc import Mapping
from typing import Any

from control.commands.options import RefusedError
from control.connection import Connection
from lambdas.costs.group_costs import ServingResource, below, serving_resources


def recommend_from(
    connection: Connection, group: str, wanted: str | None, filter_name: str | None, asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the answer of GetRecommendations and who gave it. Raises RefusedError if it is unclear whom to ask."""
    serving = _serving(connection, group, wanted)
    arn_key = "campaignArn" if serving.noun == "campaign" else "recommenderArn"
    request = {arn_key: serving.arn, **asked}
    if filter_name:
        request["filterArn"] = _filter_arn(connection, group, filter_name)
    answer = connection.client("personalize-runtime").get_recommendations(**request)
    answer.pop("ResponseMetadata", None)
    return {"servedBy": serving.arn, **answer}


def _serving(connection: Connection, group: str, wanted: str | None) -> ServingResource:
    found = serving_resources(connection.personalize, connection.group_arn(group))
    names = {one.arn.rpartition("/")[2]: one for one in found}
    if wanted:
        matching = [one for name, one in names.items() if name == wanted or name.endswith(f"-{wanted}")]
        if len(matching) == 1:
            return matching[0]
        raise RefusedError(f"{group} has no campaign or recommender {wanted}; it has {', '.join(names) or 'none'}")
    if len(found) == 1:
        return found[0]
    if not found:
        raise RefusedError(
            f"nothing serves {group}: `status {group}` says why; `run {group}` makes what its request says"
        )
    raise RefusedError(f"several serve {group}: name one with --campaign ({', '.join(names)})")


def _filter_arn(connection: Connection, group: str, name: str) -> str:
    filters = {
        one["name"]: str(one["filterArn"])
        for one in below(connection.personalize, "filter", connection.group_arn(group))
    }
    if name not in filters:
        raise RefusedError(f"{group} has no filter {name}; it has {', '.join(filters) or 'none'}")
    return filters[name]
