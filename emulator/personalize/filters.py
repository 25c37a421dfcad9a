"""Filters: an expression over the group's datasets, checked when it is made."""

from emulator.engine.api import EngineError
from emulator.engine.filters import check_filter, parse_filter
from emulator.engine.schema_rules import RULES
from emulator.personalize.account import Account
from emulator.personalize.dataset_groups import begin_deletion
from emulator.personalize.datasets import of_group, schema_of
from emulator.personalize.errors import in_use, invalid_input
from emulator.personalize.quotas import QUOTAS
from emulator.personalize.records import Members
from emulator.personalize.tags import check_new
from emulator.personalize.work import Making


def create_filter(account: Account, request: Members) -> Members:
    """Answer CreateFilter."""
    group = account.find("dataset_group", request["datasetGroupArn"])
    arn = account.arn("filter", request["name"])
    account.require_free("filter", arn)
    if not group.is_active(account.now()):  # CreateFilter declares no ResourceInUseException
        raise invalid_input(f"{group.arn} is not ACTIVE.")
    expression = request["filterExpression"]
    _check(account, group.arn, expression)
    check_new(request.get("tags"))
    QUOTAS.check(account, "filter", group.arn)
    slow = "create filter with CurrentItem" if "currentitem." in expression.lower() else None
    account.add("filter", arn, dict(request), making=Making(lasting_as=slow))
    return {"filterArn": arn}


def _check(account: Account, group_arn: str, expression: str) -> None:
    present = of_group(account, group_arn)
    schemas = {kind: schema_of(account, present[kind]) for kind in RULES if kind in present}
    try:
        check_filter(parse_filter(expression), schemas)
    except EngineError as error:
        raise invalid_input(f"Could not create filter. {error}") from error


def delete_filter(account: Account, request: Members) -> None:
    """Answer DeleteFilter: refused while a batch job uses it."""
    chosen = account.find("filter", request["filterArn"])
    now = account.now()
    for noun in ("batch_inference_job", "batch_segment_job"):
        for job in account.all(noun, filterArn=chosen.arn):
            if not job.stage(now).over:
                raise in_use(f"{chosen.arn} cannot be deleted: {job.arn} uses it.")
    begin_deletion(account, chosen)
