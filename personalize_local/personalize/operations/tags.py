"""Set and list tags: given at creation or later, shown by ListTagsForResource and nowhere else."""

from typing import Final

from personalize_local.personalize.protocol.service_errors import ServiceError, invalid_input, not_found
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.arns import parse_arn
from personalize_local.personalize.resources.records import Members, Record
from personalize_local.personalize.resources.resource_types import TYPES

TAGS_AT_MOST: Final = 50
_TAG_KEYS_AT_MOST: Final = 50


def check_new(tags: list[dict[str, str]] | None, present: dict[str, str] | None = None) -> None:
    """Raise for reserved keys, keys given twice, and more tags than a resource may have."""
    keys = [tag["tagKey"] for tag in tags or ()]
    if any(key.lower().startswith("aws:") for key in keys):
        raise invalid_input("Tag keys starting with aws: are reserved.")
    if len(keys) != len(set(keys)):
        raise invalid_input("A tag key was given more than once.")
    if len(set(keys) | set(present or ())) > TAGS_AT_MOST:
        raise ServiceError("TooManyTagsException", f"A resource can have at most {TAGS_AT_MOST} tags.")


def list_tags_for_resource(account: Account, request: Members) -> Members:
    """Answer ListTagsForResource."""
    tags = _taggable(account, request["resourceArn"]).tags
    return {"tags": [{"tagKey": key, "tagValue": value} for key, value in tags.items()]}


def tag_resource(account: Account, request: Members) -> None:
    """Answer TagResource; a key that is there gets the new value."""
    record = _taggable(account, request["resourceArn"])
    check_new(request["tags"], record.tags)
    record.tags |= {tag["tagKey"]: tag["tagValue"] for tag in request["tags"]}


def untag_resource(account: Account, request: Members) -> None:
    """Answer UntagResource; keys that are not there are no error."""
    record = _taggable(account, request["resourceArn"])
    if len(request["tagKeys"]) > _TAG_KEYS_AT_MOST:
        raise ServiceError("TooManyTagKeysException", f"At most {_TAG_KEYS_AT_MOST} tag keys can be removed at once.")
    for key in request["tagKeys"]:
        record.tags.pop(key, None)


def _taggable(account: Account, arn: str) -> Record:
    parsed = parse_arn(arn)
    path = parsed.path if parsed and parsed.service == "personalize" else ("",)
    nouns = [row.noun for row in TYPES.values() if row.path == path[0] and row.taggable]
    if not nouns:
        raise invalid_input(f"{arn} is not the ARN of a resource that can be tagged.")
    for noun in nouns:
        record = account.get(noun, arn)
        if record is not None:
            return record
    raise not_found(arn)
