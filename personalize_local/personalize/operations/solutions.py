"""Create, update and delete solutions: a recipe with its settings over a dataset group, and their checks."""

import re
from collections.abc import Mapping
from typing import Final

from personalize_local.engine.recipes.recipe import Recipe
from personalize_local.engine.recipes.recipe_table import RECIPES
from personalize_local.personalize.operations.catalogue import ranges, recipe_of
from personalize_local.personalize.operations.dataset_groups import begin_deletion
from personalize_local.personalize.operations.datasets import of_group, schema_of
from personalize_local.personalize.operations.tags import check_new
from personalize_local.personalize.protocol.service_errors import in_use, invalid_input
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.arns import owned_by_service
from personalize_local.personalize.resources.records import Members, Record

_AUTOML_RECIPES: Final = tuple(sorted(recipe.name for recipe in RECIPES.values() if recipe.automl))
_SCHEDULE: Final = re.compile(r"rate\((\d+) days?\)")
_DEFAULT_SCHEDULE: Final = "rate(7 days)"


def create_solution(account: Account, request: Members) -> Members:
    """Answer CreateSolution; automatic training is on unless the request says otherwise, as on AWS since April 2024."""
    group = account.find("dataset_group", request["datasetGroupArn"])
    recipe = recipe_of(account, request["recipeArn"]) if "recipeArn" in request else None
    arn = account.arn("solution", request["name"])
    account.require_free("solution", arn)
    account.require_active(group)
    _check_choice(recipe, request)
    if recipe is not None:
        _check_recipe(account, group, recipe, request)
    check_schedule(request.get("solutionConfig", {}).get("autoTrainingConfig"))
    check_new(request.get("tags"))
    account.require_quota("solution", group.arn)
    account.add("solution", arn, _with_defaults(request))
    return {"solutionArn": arn}


def _with_defaults(request: Members) -> Members:
    automatic = request.get("performAutoTraining", True)
    config = request.get("solutionConfig", {})
    if automatic and "autoTrainingConfig" not in config:
        config = {**config, "autoTrainingConfig": {"schedulingExpression": _DEFAULT_SCHEDULE}}
    return {
        "performHPO": False,
        "performAutoML": False,
        "performIncrementalUpdate": False,
        **request,
        "performAutoTraining": automatic,
        "solutionConfig": config or None,
    }


def _check_choice(recipe: Recipe | None, request: Members) -> None:
    if bool(request.get("performAutoML")) == (recipe is not None):
        raise invalid_input("Give either a recipeArn or performAutoML, and not both.")
    if request.get("performAutoML") and request.get("performHPO"):
        raise invalid_input("performAutoML and performHPO exclude each other.")
    recipes = request.get("solutionConfig", {}).get("autoMLConfig", {}).get("recipeList", ())
    names = [arn.rpartition("/")[2] for arn in recipes]
    if any(name not in _AUTOML_RECIPES for name in names):
        raise invalid_input(f"AutoML chooses among {', '.join(_AUTOML_RECIPES)}.")


def _check_recipe(account: Account, group: Record, recipe: Recipe, request: Members) -> None:
    config: Members = request.get("solutionConfig", {})
    if recipe.domain is not None:
        raise invalid_input(f"{recipe.name} is for recommenders; a solution needs a custom recipe.")
    unsupported = [
        name
        for name, setting, supported in (
            ("performHPO", request.get("performHPO"), recipe.hpo),
            ("performIncrementalUpdate", request.get("performIncrementalUpdate"), recipe.incremental_update),
            ("eventsConfig", config.get("eventsConfig"), recipe.events_config),
            ("optimizationObjective", config.get("optimizationObjective"), recipe.objective),
        )
        if setting and not supported
    ]
    if unsupported:
        raise invalid_input(f"{recipe.name} does not support {', '.join(unsupported)}.")
    _check_events(request, config)
    _check_objective(account, group, config.get("optimizationObjective"))
    _check_hyperparameters(recipe, config)


def _check_events(request: Members, config: Members) -> None:
    if config.get("eventsConfig") and (request.get("eventType") or config.get("eventValueThreshold")):
        raise invalid_input("eventsConfig cannot be combined with eventType or eventValueThreshold.")
    threshold = config.get("eventValueThreshold")
    if threshold is None:
        return
    if not request.get("eventType"):
        raise invalid_input("eventValueThreshold needs an eventType.")
    number(threshold, "eventValueThreshold")


def number(text: str, name: str) -> float:
    """Return the number written in a string member."""
    try:
        return float(text)
    except ValueError as error:
        raise invalid_input(f"Invalid value for {name}: {text} is not a number.") from error


def _check_objective(account: Account, group: Record, objective: Mapping[str, str] | None) -> None:
    if not objective or "itemAttribute" not in objective:
        return
    column = objective["itemAttribute"]
    items = of_group(account, group.arn).get("ITEMS")
    field = schema_of(account, items).field(column) if items else None
    if field is None or not field.numeric or field.nullable:
        raise invalid_input(f"The objective {column} must be a numeric column of the Items dataset without nulls.")


def _check_hyperparameters(recipe: Recipe, config: Members) -> None:
    known = {parameter.name: parameter for parameter in recipe.hyperparameters}
    for kind, member in (("algorithm", "algorithmHyperParameters"), ("feature", "featureTransformationParameters")):
        for name, text in config.get(member, {}).items():
            parameter = known.get(name)
            if parameter is None or parameter.kind != kind:
                raise invalid_input(f"{recipe.name} has no hyperparameter {name} in {member}.")
            if parameter.choices and text not in parameter.choices:
                raise invalid_input(f"{name} must be one of {', '.join(parameter.choices)}, not {text}.")
            if parameter.low is not None and parameter.high is not None:
                _check_between(name, number(text, name), parameter.low, parameter.high)
    for group in config.get("hpoConfig", {}).get("algorithmHyperParameterRanges", {}).items():
        _check_ranges(recipe, *group)


def _check_between(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise invalid_input(f"{name} must lie between {low:g} and {high:g}; {value:g} does not.")


def _check_ranges(recipe: Recipe, group: str, requested: list[Members]) -> None:
    allowed = {each["name"]: each for each in ranges(recipe.name).get(group, ())}
    for one in requested:
        name = one.get("name", "")
        default = allowed.get(name)
        if default is None or not default["isTunable"]:
            raise invalid_input(f"{recipe.name} has no tunable hyperparameter {name} in {group}.")
        if "values" in default and not set(one.get("values", ())) <= set(default["values"]):
            raise invalid_input(f"The values of {name} must be among {', '.join(default['values'])}.")
        for bound in {"minValue", "maxValue"} & set(one):
            _check_between(name, one[bound], default["minValue"], default["maxValue"])


def check_schedule(config: Mapping[str, str] | None) -> None:
    """Raise unless automatic training is to happen every 1 to 30 days."""
    expression = (config or {}).get("schedulingExpression", _DEFAULT_SCHEDULE)
    match = _SCHEDULE.fullmatch(expression)
    if match is None or not 1 <= int(match[1]) <= 30:  # noqa: PLR2004 - the documented bounds, in days
        raise invalid_input(f"Invalid schedulingExpression {expression}: use rate(1 day) to rate(30 days).")


def schedule_days(solution: Record) -> int:
    """Return the number of days between automatic trainings."""
    config = solution.members.get("solutionConfig", {}).get("autoTrainingConfig", {})
    match = _SCHEDULE.fullmatch(config.get("schedulingExpression", _DEFAULT_SCHEDULE))
    return int(match[1]) if match else 7


def update_solution(account: Account, request: Members) -> Members:
    """Answer UpdateSolution: only automatic training, incremental updates and event weights can change."""
    solution = account.find("solution", request["solutionArn"])
    account.require_active(solution)
    if solution.is_updating(account.now()):
        raise in_use(f"{solution.arn} is being updated already.")
    if set(request) == {"solutionArn"}:
        raise invalid_input("Nothing to update.")
    update: Members = request.get("solutionUpdateConfig", {})
    recipe = recipe_of(account, recipe_arn(account, solution))
    if update.get("eventsConfig") and not recipe.events_config:
        raise invalid_input(f"{recipe.name} does not support eventsConfig.")
    if request.get("performIncrementalUpdate") and not recipe.incremental_update:
        raise invalid_input(f"{recipe.name} does not support performIncrementalUpdate.")
    check_schedule(update.get("autoTrainingConfig"))
    shown = {key: value for key, value in request.items() if key != "solutionArn"}
    account.begin_update(solution, shown, _effect(solution, shown))
    return {"solutionArn": solution.arn}


def _effect(solution: Record, shown: Members) -> Members:
    changed = {key: value for key, value in shown.items() if key != "solutionUpdateConfig"}
    config = {**solution.members.get("solutionConfig", {}), **shown.get("solutionUpdateConfig", {})}
    return changed | ({"solutionConfig": config} if config else {})


def recipe_arn(account: Account, solution: Record) -> str:
    """Return the recipe of a solution; under AutoML the family's first."""
    return str(solution.members.get("recipeArn") or owned_by_service(account.partition, "recipe", _AUTOML_RECIPES[0]))


def delete_solution(account: Account, request: Members) -> None:
    """Answer DeleteSolution: refused while a campaign serves it or a version is being made; versions go with it."""
    solution = account.find("solution", request["solutionArn"])
    now = account.now()
    for campaign in account.all("campaign"):
        if campaign.notes["solutionArn"] == solution.arn:
            raise account.still_needed(solution.arn, campaign.arn)
    versions = list(account.all("solution_version", solutionArn=solution.arn))
    busy = next((version for version in versions if not version.point(now).over), None)
    if busy is not None:
        raise account.still_needed(solution.arn, busy.arn)
    engine, models = account.engine, [version.notes["model"] for version in versions]

    def drop_models() -> None:
        for model in models:
            engine.drop_model(model)

    begin_deletion(account, solution, drop_models)
