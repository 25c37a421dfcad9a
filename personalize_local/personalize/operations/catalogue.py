"""Describe recipes, algorithms and feature transformations, which are the same in every account and region."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, Final

from personalize_local.engine.recipes.recipe import Hyperparameter, Recipe
from personalize_local.engine.recipes.recipe_table import RECIPES
from personalize_local.personalize.protocol.paging import page
from personalize_local.personalize.protocol.service_errors import ServiceError, invalid_input, not_found
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.arns import owned_by_service, parse_arn
from personalize_local.personalize.resources.records import Members

_PUBLISHED: Final = datetime(2019, 6, 10, tzinfo=UTC).timestamp()  # general availability of the service
_DATES: Final = {"creationDateTime": _PUBLISHED, "lastUpdatedDateTime": _PUBLISHED}


def recipe_of(account: Account, arn: str) -> Recipe:
    """Return the row of a recipe named in a request."""
    name = _name(account, arn, "recipe")
    if name not in RECIPES:
        raise ServiceError(account.switches.unknown_recipe, not_found(arn).message)
    return RECIPES[name]


def _name(account: Account, arn: str, path: str) -> str:
    parsed = parse_arn(arn)
    if parsed is None or parsed.service != "personalize" or parsed.path[0] != path:
        raise invalid_input(f"Invalid {path} ARN: {arn}")
    name = "/".join(parsed.path[1:])
    return name if arn == owned_by_service(account.partition, path, name) else ""


def describe_recipe(account: Account, request: Members) -> Members:
    """Answer DescribeRecipe."""
    return {"recipe": _recipe(account, recipe_of(account, request["recipeArn"]))}


def _recipe(account: Account, recipe: Recipe) -> Members:
    return {
        "name": recipe.name,
        "recipeArn": owned_by_service(account.partition, "recipe", recipe.name),
        "algorithmArn": owned_by_service(account.partition, "algorithm", algorithm_of(recipe)),
        "featureTransformationArn": owned_by_service(
            account.partition, "feature-transformation", transformation_of(recipe)
        ),
        "status": "ACTIVE",
        "description": recipe.description,
        "recipeType": recipe.recipe_type,
        "domain": recipe.domain,
        **_DATES,
    }


def list_recipes(account: Account, request: Members) -> Members:
    """Answer ListRecipes: those of the domain, or all."""
    domain = request.get("domain")
    recipes = [recipe for recipe in RECIPES.values() if domain in {None, recipe.domain}]
    return page(
        "List recipes",
        request,
        "recipes",
        enumerate(recipes),
        partial(_recipe, account),
        newest_first=account.lists_newest_first,
    )


def algorithm_of(recipe: Recipe) -> str:
    """Return the name of a recipe's algorithm."""
    return recipe.algorithm or recipe.name


def transformation_of(recipe: Recipe) -> str:
    """Return the name of a recipe's feature transformation; where AWS tells none, the algorithm's."""
    return recipe.feature_transformation or algorithm_of(recipe)


def describe_algorithm(account: Account, request: Members) -> Members:
    """Answer DescribeAlgorithm."""
    name = _name(account, request["algorithmArn"], "algorithm")
    recipe = next((each for each in RECIPES.values() if algorithm_of(each) == name), None)
    if recipe is None:
        raise not_found(request["algorithmArn"])
    parameters = [each for each in recipe.hyperparameters if each.kind == "algorithm"]
    algorithm = {
        "name": name,
        "algorithmArn": owned_by_service(account.partition, "algorithm", name),
        "defaultHyperParameters": {each.name: each.default for each in parameters},
        "defaultHyperParameterRanges": ranges(recipe.name),
        "defaultResourceConfig": {"maxNumberOfTrainingJobs": "40", "maxParallelTrainingJobs": "10"},
        "trainingInputMode": "File",
        **_DATES,
    }
    return {"algorithm": algorithm}


@cache
def ranges(name: str) -> Mapping[str, list[Members]]:
    """Return the default ranges of a recipe's hyperparameters, as DescribeAlgorithm groups them."""
    grouped: dict[str, list[Members]] = {}
    for parameter in RECIPES[name].hyperparameters:
        if parameter.kind == "algorithm" and (parameter.choices or parameter.low is not None):
            group, members = _range(parameter)
            grouped.setdefault(group, []).append(members)
    return grouped


def _range(parameter: Hyperparameter) -> tuple[str, Members]:
    described: dict[str, Any] = {"name": parameter.name, "isTunable": parameter.tunable}
    if parameter.choices:
        return "categoricalHyperParameterRanges", described | {"values": list(parameter.choices)}
    if "." in parameter.default:
        return "continuousHyperParameterRanges", described | {"minValue": parameter.low, "maxValue": parameter.high}
    low, high = int(parameter.low or 0), int(parameter.high or 0)
    return "integerHyperParameterRanges", described | {"minValue": low, "maxValue": high}


def describe_feature_transformation(account: Account, request: Members) -> Members:
    """Answer DescribeFeatureTransformation."""
    arn = request["featureTransformationArn"]
    name = _name(account, arn, "feature-transformation")
    recipe = next((each for each in RECIPES.values() if transformation_of(each) == name), None)
    if recipe is None:
        raise not_found(arn)
    parameters = [each for each in recipe.hyperparameters if each.kind == "feature"]
    described = {
        "name": name,
        "featureTransformationArn": arn,
        "defaultParameters": {each.name: each.default for each in parameters},
        "status": "ACTIVE",
        **_DATES,
    }
    return {"featureTransformation": described}
