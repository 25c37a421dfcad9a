"""Create and delete filters: an expression over the group's datasets, checked when it is made."""

from typing import Final

from personalize_local.engine.api import EngineError
from personalize_local.engine.datasets.schema_rules import RULES
from personalize_local.engine.filters.filter_parser import Filter, check_filter, parse_filter
from personalize_local.engine.recipes.recipe import Recipe
from personalize_local.personalize.operations.dataset_groups import begin_deletion
from personalize_local.personalize.operations.datasets import of_group, schema_of
from personalize_local.personalize.operations.tags import check_new
from personalize_local.personalize.protocol.service_errors import invalid_input, limit_exceeded
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.job_runner import CreationOptions
from personalize_local.personalize.resources.records import Members, Record

_TARGETS: Final = {"USER_SEGMENTATION": "USER", "PERSONALIZED_ACTIONS": "ACTION"}
FIELDS_PER_FILTER: Final = 10
FIELDS_PER_GROUP: Final = 20


def create_filter(account: Account, request: Members) -> Members:
    """Answer CreateFilter."""
    group = account.find("dataset_group", request["datasetGroupArn"])
    arn = account.arn("filter", request["name"])
    account.require_free("filter", arn)
    if not group.is_active(account.now()):  # CreateFilter declares no ResourceInUseException
        raise invalid_input(f"{group.arn} is not ACTIVE.")
    expression = request["filterExpression"]
    parsed = _parsed(account, group.arn, expression)
    check_new(request.get("tags"))
    account.require_quota("filter", group.arn)
    _check_fields(account, group.arn, parsed)
    slow = "create filter with CurrentItem" if "currentitem." in expression.lower() else None
    account.add("filter", arn, dict(request), options=CreationOptions(duration=slow))
    return {"filterArn": arn}


def _parsed(account: Account, group_arn: str, expression: str) -> Filter:
    present = of_group(account, group_arn)
    schemas = {kind: schema_of(account, present[kind]) for kind in RULES if kind in present}
    try:
        parsed = parse_filter(expression)
        _check_quota(account, len(_fields(parsed)), FIELDS_PER_FILTER, "A filter")  # before the parser's own limit
        check_filter(parsed, schemas)
    except EngineError as error:
        raise invalid_input(f"Could not create filter. {error}") from error
    return parsed


def _check_fields(account: Account, group_arn: str, parsed: Filter) -> None:
    """Raise when all filters of the group together use more distinct fields than allowed."""
    others = account.all("filter", datasetGroupArn=group_arn)
    every = _fields(parsed).union(*(_fields(parse_filter(each.members["filterExpression"])) for each in others))
    _check_quota(account, len(every), FIELDS_PER_GROUP, "All filters of a dataset group")


def _check_quota(account: Account, count: int, limit: int, who: str) -> None:
    if account.switches.quotas and count > limit:
        raise limit_exceeded(f"{who} can use at most {limit} distinct fields.")


def _fields(parsed: Filter) -> set[str]:
    tests = (test for rule in parsed.rules for test in (*rule.tests, *rule.when))
    return {f"{test.dataset}.{test.field.upper()}" for test in tests}


def check_use(chosen: Record, recipe: Recipe) -> None:
    """Raise unless the filter picks what the recipe recommends: items, users or actions."""
    target = _TARGETS.get(recipe.recipe_type, "ITEM")
    rules = parse_filter(chosen.members["filterExpression"]).rules
    if any(rule.target != target for rule in rules):
        raise invalid_input(f"{chosen.arn} cannot be used with {recipe.name}: it does not filter {target.lower()}s.")
    if not recipe.interaction_filters and any(rule.dataset == "INTERACTIONS" for rule in rules):
        raise invalid_input(f"{chosen.arn} cannot be used with {recipe.name}: it filters by interactions.")


def delete_filter(account: Account, request: Members) -> None:
    """Answer DeleteFilter: refused while a batch job uses it."""
    chosen = account.find("filter", request["filterArn"])
    now = account.now()
    for noun in ("batch_inference_job", "batch_segment_job"):
        for job in account.all(noun, filterArn=chosen.arn):
            if not job.point(now).over:
                raise account.still_needed(chosen.arn, job.arn)
    begin_deletion(account, chosen)
