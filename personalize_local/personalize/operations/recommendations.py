"""Answer GetRecommendations, GetPersonalizedRanking and GetActionRecommendations with the model that is on line."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from personalize_local.engine.api import EngineError, FilterUse, Promotion, Query, Recommendation
from personalize_local.engine.recipes.recipe import Recipe
from personalize_local.engine.recipes.recipe_table import RECIPES
from personalize_local.personalize.operations.datasets import of_group, schema_of
from personalize_local.personalize.operations.filters import check_use
from personalize_local.personalize.operations.solutions import recipe_arn
from personalize_local.personalize.protocol.request_counts import count_request
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
class OnlineModel:
    """What answers for a campaign or recommender at this moment."""

    model: str
    recipe: Recipe
    group_arn: str
    config: Members


def get_recommendations(account: Account, request: Members) -> Members:
    """Answer GetRecommendations."""
    with reconciled(account):
        online = _online(account, request)
        if online.recipe.recipe_type in {"PERSONALIZED_RANKING", "PERSONALIZED_ACTIONS"}:
            raise invalid_input(f"GetRecommendations cannot be used with a campaign of {online.recipe.name}.")
        _require(online.recipe, request)
        query = replace(
            _query(account, online, request),
            item_id=request.get("itemId"),
            num_results=_results(request, _DEFAULT_RESULTS, _RESULTS_AT_MOST),
            promotions=_promotions(account, online, request),
        )
    return _answer("itemList", _recommended(account, "GetRecommendations", request, online, query))


def get_personalized_ranking(account: Account, request: Members) -> Members:
    """Answer GetPersonalizedRanking."""
    with reconciled(account):
        online = _online(account, request)
        if online.recipe.recipe_type != "PERSONALIZED_RANKING":
            raise invalid_input(f"GetPersonalizedRanking cannot be used with a campaign of {online.recipe.name}.")
        most = _WITH_METADATA_AT_MOST if request.get("metadataColumns") else _RESULTS_AT_MOST
        if not 1 <= len(request["inputList"]) <= most:
            raise invalid_input(f"inputList must have 1 to {most} items.")
        query = replace(
            _query(account, online, request),
            item_list=tuple(request["inputList"]),
            num_results=len(request["inputList"]),
        )
    return _answer("personalizedRanking", _recommended(account, "GetPersonalizedRanking", request, online, query))


def get_action_recommendations(account: Account, request: Members) -> Members:
    """Answer GetActionRecommendations."""
    with reconciled(account):
        online = _online(account, request)
        if online.recipe.recipe_type != "PERSONALIZED_ACTIONS":
            raise invalid_input(f"GetActionRecommendations cannot be used with a campaign of {online.recipe.name}.")
        _require(online.recipe, request)
        number = _results(request, _DEFAULT_ACTIONS, _ACTIONS_AT_MOST)
        query = replace(_query(account, online, request), num_results=number)
    recommended = _recommended(account, "GetActionRecommendations", request, online, query)
    actions = [{"actionId": each.item_id, "score": each.score} for each in recommended]
    return {"actionList": actions, "recommendationId": _recommendation_id()}


def _recommended(
    account: Account, operation: str, request: Members, online: OnlineModel, query: Query
) -> Sequence[Recommendation]:
    """Return what the model answers, and count the request: only those that succeed are counted."""
    answered = _recommend(account, online, query)
    key = "campaignArn" if request.get("campaignArn") else "recommenderArn"
    count_request(account, operation, {f"{key[0].upper()}{key[1:]}": request[key]})
    return answered


def _online(account: Account, request: Members) -> OnlineModel:
    arns = {key: request[key] for key in ("campaignArn", "recommenderArn") if request.get(key)}
    if len(arns) != 1:
        raise invalid_input("Give either a campaignArn or a recommenderArn.")
    return _campaign(account, arns["campaignArn"]) if "campaignArn" in arns else _recommender(account, request)


def _campaign(account: Account, arn: str) -> OnlineModel:
    campaign = _on_line(account, account.find("campaign", arn))
    version = account.find("solution_version", campaign.members["solutionVersionArn"])
    trained_with = (
        version.notes.get("bestRecipeArn") or version.members.get("recipeArn") or recipe_arn(account, version)
    )
    recipe = RECIPES[trained_with.rpartition("/")[2]]  # known since the version was created
    return OnlineModel(version.notes["model"], recipe, version.group_arn, campaign.members.get("campaignConfig", {}))


def _recommender(account: Account, request: Members) -> OnlineModel:
    recommender = _on_line(account, account.find("recommender", request["recommenderArn"]))
    recipe = RECIPES[recommender.members["recipeArn"].rpartition("/")[2]]
    return OnlineModel(
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
    wanted = int(request.get("numResults", default))
    most = _WITH_METADATA_AT_MOST if request.get("metadataColumns") else most
    if not 0 <= wanted <= most:
        raise invalid_input(f"numResults must lie between 0 and {most}; {wanted} does not.")
    return wanted


def _query(account: Account, online: OnlineModel, request: Members) -> Query:
    return Query(
        now=account.now(),
        user_id=request.get("userId"),
        context=request.get("context", {}),
        filter=_filter(account, online, request),
        metadata_columns=_metadata_columns(account, online, request),
        campaign_config=online.config,
    )


def _filter(account: Account, online: OnlineModel, request: Members) -> FilterUse | None:
    if not request.get("filterArn"):
        if request.get("filterValues"):
            raise invalid_input("filterValues need a filterArn.")
        return None
    chosen = _on_line(account, account.find("filter", request["filterArn"]))
    if chosen.group_arn != online.group_arn:
        raise invalid_input(f"{chosen.arn} belongs to another dataset group.")
    check_use(chosen, online.recipe)
    return FilterUse(chosen.members["filterExpression"], request.get("filterValues", {}))


def _promotions(account: Account, online: OnlineModel, request: Members) -> Sequence[Promotion]:
    return tuple(_promotion(account, online, each) for each in request.get("promotions", ()))


def _promotion(account: Account, online: OnlineModel, promotion: Members) -> Promotion:
    chosen = _filter(account, online, promotion)
    percent = promotion.get("percentPromotedItems")
    if chosen is None or percent is None or not promotion.get("name"):
        raise invalid_input("A promotion needs a name, percentPromotedItems and a filterArn.")
    return Promotion(promotion["name"], percent, chosen)


def _metadata_columns(account: Account, online: OnlineModel, request: Members) -> Sequence[str]:
    columns: dict[str, list[str]] = request.get("metadataColumns", {})
    if not columns:
        return ()
    if not online.config.get("enableMetadataWithRecommendations"):
        raise invalid_input("Metadata must be enabled with enableMetadataWithRecommendations first.")
    items = of_group(account, online.group_arn).get("ITEMS")
    known = schema_of(account, items).columns if items else []
    unknown = [column for column in columns.get("ITEMS", ()) if column not in known]
    if unknown or set(columns) != {"ITEMS"}:
        raise invalid_input(f"Invalid metadata columns: {json.dumps(columns)}.")
    return tuple(columns["ITEMS"])


def _recommend(account: Account, online: OnlineModel, query: Query) -> list[Recommendation]:
    try:
        return account.engine.recommend(online.model, query)
    except EngineError as error:
        raise invalid_input(str(error)) from error


def _answer(key: str, recommended: Sequence[Recommendation]) -> Members:
    return {key: [_item(each) for each in recommended], "recommendationId": _recommendation_id()}


def _item(recommended: Recommendation) -> dict[str, Any]:
    return {
        "itemId": recommended.item_id,
        "score": recommended.score,
        "promotionName": recommended.promotion_name,
        "metadata": recommended.metadata,
        "reason": list(recommended.reason) if recommended.reason else None,
    }


def _recommendation_id() -> str:
    return f"RID-{secrets.token_hex(16)}"
