"""Answer Describe and List for every type alike: the output shapes pick their members from the record's view."""

from functools import partial

from personalize_local.personalize.protocol.paging import page
from personalize_local.personalize.protocol.service_errors import ServiceError, invalid_input
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.records import Members, Record
from personalize_local.personalize.resources.resource_types import TYPES, ResourceLifecycle


def describe(account: Account, request: Members, noun: str) -> Members:
    """Answer a Describe operation."""
    row = TYPES[noun]
    return {row.camel: view(account, account.find(noun, request[row.arn_key]))}


def list_all(account: Account, request: Members, noun: str) -> Members:
    """Answer a List operation, narrowed to a parent when the request names one."""
    row = TYPES[noun]
    parent_arn = _parent_arn(account, row, request)
    key = row.parent_key
    numbered = (
        (each.number, each) for each in account.all(noun) if parent_arn is None or each.lookup(key) == parent_arn
    )
    return page(
        f"List {noun}",
        request,
        row.summaries_key,
        numbered,
        partial(view, account),
        newest_first=account.lists_newest_first,
    )


def _parent_arn(account: Account, row: ResourceLifecycle, request: Members) -> str | None:
    key = row.parent_key
    arn: str | None = request.get(key) if key else None
    if arn is None or row.parent is None:
        return None
    arn = _solution_of(arn) if row.parent == "solution" else arn
    try:
        account.find(row.parent, arn)
    except ServiceError as error:
        if error.code != "ResourceNotFoundException" or row.noun == "solution_version":
            raise
        if account.switches.unknown_list_parent == "refuse":  # these operations declare no ResourceNotFoundException
            raise invalid_input(error.message) from error
    return arn


def _solution_of(arn: str) -> str:
    """Return the solution's ARN where a version's is given: AWS has listed campaigns by one (executed notebooks)."""
    return "/".join(arn.split("/")[:2])


def view(account: Account, record: Record) -> Members:
    """Return what clients may see of a record now."""
    now = account.now()
    shown = record.view(now)
    if record.type.noun == "solution":
        versions = list(account.all("solution_version", solutionArn=record.arn))
        if versions:
            shown["latestSolutionVersion"] = versions[-1].view(now)
    if account.switches.following_campaign_shows == "$LATEST" and _follows(record):
        shown["solutionVersionArn"] = f"{record.notes['solutionArn']}/$LATEST"
    return shown


def _follows(record: Record) -> bool:
    config = record.members.get("campaignConfig", {})
    return record.type.noun == "campaign" and bool(config.get("syncWithLatestSolutionVersion"))
