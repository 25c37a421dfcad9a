"""GetRecommendations, GetPersonalizedRanking, GetActionRecommendations: what is on line, asked through the engine."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from personalize_local.engine.api import EngineError, FilterUse, Promotion, Query, Recommendation
from personalize_local.engine.recipes.recipe import Recipe
from personalize_local.personalize.operations.catalogue import recipe_of
from personalize_local.personalize.operations.datasets import of_group, schema_of
from personalize_local.personalize.operations.filters import check_use
from personalize_local.personalize.operations.solutions import recipe_arn
from personalize_local.personalize.protocol.service_errors import invalid_input, not_found
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.reconcile import reconciled
from personalize_local.personalize.resources.records import Members, Record

_RESULTS_AT_MOST: Final = 500
_ACTIONS_AT_MOST: Final = 100
_WITH_METADATA_AT_MOST: Final = 50
_DEFAULT_RESULTS: Final = 25
_DEFAULT_ACTIONS: Final = 5


@dataclass(frozen=True)
class Deployment:
    """What answers for a campaign or recommender at this moment."""

    model: str
    recipe: Recipe
    group_arn: str
    config: Members


def get_recommendations(account: Account, request: Members) -> Members:
    """Answer GetRecommendations."""
    with reconciled(account):
        deployed = _deployed(account, request)
        if deployed.recipe.recipe_type in {"PERSONALIZED_RANKING", "PERSONALIZED_ACTIONS"}:
            raise invalid_input(f"GetRecommendations cannot be used with a campaign of {deployed.recipe.name}.")
        _require(deployed.recipe, request)
        query = replace(
            _query(account, deployed, request),
            item_id=request.get("itemId"),
            num_results=_results(request, _DEFAULT_RESULTS, _RESULTS_AT_MOST),
            promotions=_promotions(account, deployed, request),
        )
    return _answer("itemList", _ask(account, deployed, query))


def get_personalized_ranking(account: Account, request: Members) -> Members:
    """Answer GetPersonalizedRanking."""
    with reconciled(account):
        deployed = _deployed(account, request)
        if deployed.recipe.recipe_type != "PERSONALIZED_RANKING":
            raise invalid_input(f"GetPersonalizedRanking cannot be used with a campaign of {deployed.recipe.name}.")
        most = _WITH_METADATA_AT_MOST if request.get("metadataColumns") else _RESULTS_AT_MOST
        if not 1 <= len(request["inputList"]) <= most:
            raise invalid_input(f"inputList must have 1 to {most} items.")
        query = replace(
            _query(account, deployed, request),
            item_list=tuple(request["inputList"]),
            num_results=len(request["inputList"]),
        )
    return _answer("personalizedRanking", _ask(account, deployed, query))


def get_action_recommendations(account: Account, request: Members) -> Members:
    """Answer GetActionRecommendations."""
    with reconciled(account):
        deployed = _deployed(account, request)
        if deployed.recipe.recipe_type != "PERSONALIZED_ACTIONS":
            raise invalid_input(f"GetActionRecommendations cannot be used with a campaign of {deployed.recipe.name}.")
        _require(deployed.recipe, request)
        number = _results(request, _DEFAULT_ACTIONS, _ACTIONS_AT_MOST)
        query = replace(_query(account, deployed, request), num_results=number)
    found = _ask(account, deployed, query)
    actions = [{"actionId": each.item_id, "score": each.score} for each in found]
    return {"actionList": actions, "recommendationId": _recommendation_id()}


def _deployed(account: Account, request: Members) -> Deployment:
    arns = {key: request[key] for key in ("campaignArn", "recommenderArn") if request.get(key)}
    if len(arns) != 1:
        raise invalid_input("Give either a campaignArn or a recommenderArn.")
    return _campaign(account, arns["campaignArn"]) if "campaignArn" in arns else _recommender(account, request)


def _campaign(account: Account, arn: str) -> Deployment:
    campaign = _on_line(account, account.find("campaign", arn))
    version = account.find("solution_version", campaign.members["solutionVersionArn"])
    recipe = recipe_of(account, version.notes.get("bestRecipeArn") or recipe_arn(account, version))
    return Deployment(version.notes["model"], recipe, version.group_arn, campaign.members.get("campaignConfig", {}))


def _recommender(account: Account, request: Members) -> Deployment:
    recommender = _on_line(account, account.find("recommender", request["recommenderArn"]))
    recipe = recipe_of(account, recommender.members["recipeArn"])
    return Deployment(
        recommender.notes["model"], recipe, recommender.group_arn, recommender.members["recommenderConfig"]
    )


def _on_line(account: Account, record: Record) -> Record:
    if not record.is_active(account.now()):
        raise not_found(record.arn)
    return record


def _require(recipe: Recipe, request: Members) -> None:
    missing = [name for name in recipe.inputs if not request.get(name)]
    if missing:
        raise invalid_input(f"{' and '.join(missing)} must be given for {recipe.name}.")


def _results(request: Members, default: int, most: int) -> int:
    asked = int(request.get("numResults", default))
    most = _WITH_METADATA_AT_MOST if request.get("metadataColumns") else most
    if not 0 <= asked <= most:
        raise invalid_input(f"numResults must lie between 0 and {most}; {asked} does not.")
    return asked


def _query(account: Account, deployed: Deployment, request: Members) -> Query:
    return Query(
        now=account.now(),
        user_id=request.get("userId"),
        context=request.get("context", {}),
        filter=_filter(account, deployed, request),
        metadata_columns=_metadata_columns(account, deployed, request),
        campaign_config=deployed.config,
    )


def _filter(account: Account, deployed: Deployment, request: Members) -> FilterUse | None:
    if not request.get("filterArn"):
        if request.get("filterValues"):
            raise invalid_input("filterValues need a filterArn.")
        return None
    chosen = _on_line(account, account.find("filter", request["filterArn"]))
    if chosen.group_arn != deployed.group_arn:
        raise invalid_input(f"{chosen.arn} belongs to another dataset group.")
    check_use(chosen, deployed.recipe)
    return FilterUse(chosen.members["filterExpression"], request.get("filterValues", {}))


def _promotions(account: Account, deployed: Deployment, request: Members) -> Sequence[Promotion]:
    return tuple(_promotion(account, deployed, each) for each in request.get("promotions", ()))


def _promotion(account: Account, deployed: Deployment, asked: Members) -> Promotion:
    chosen = _filter(account, deployed, asked)
    percent = asked.get("percentPromotedItems")
    if chosen is None or percent is None or not asked.get("name"):
        raise invalid_input("A promotion needs a name, percentPromotedItems and a filterArn.")
    return Promotion(asked["name"], percent, chosen)


def _metadata_columns(account: Account, deployed: Deployment, request: Members) -> Sequence[str]:
    asked: dict[str, list[str]] = request.get("metadataColumns", {})
    if not asked:
        return ()
    if not deployed.config.get("enableMetadataWithRecommendations"):
        raise invalid_input("Metadata must be enabled with enableMetadataWithRecommendations first.")
    items = of_group(account, deployed.group_arn).get("ITEMS")
    known = schema_of(account, items).columns if items else []
    unknown = [column for column in asked.get("ITEMS", ()) if column not in known]
    if unknown or set(asked) != {"ITEMS"}:
        raise invalid_input(f"Invalid metadata columns: {json.dumps(asked)}.")
    return tuple(asked["ITEMS"])


def _ask(account: Account, deployed: Deployment, query: Query) -> list[Recommendation]:
    try:
        return account.engine.recommend(deployed.model, query)
    except EngineError as error:
        raise invalid_input(str(error)) from error


def _answer(key: str, found: Sequence[Recommendation]) -> Members:
    return {key: [_item(each) for each in found], "recommendationId": _recommendation_id()}


def _item(found: Recommendation) -> dict[str, Any]:
    return {
        "itemId": found.item_id,
        "score": found.score,
        "promotionName": found.promotion_name,
        "metadata": found.metadata,
        "reason": list(found.reason) if found.reason else None,
    }


def _recommendation_id() -> str:
    return f"RID-{secrets.token_hex(16)}"
