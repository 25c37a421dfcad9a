"""Name a switch for each behaviour of the service that is unknown or doubtful, with its default."""

from dataclasses import dataclass
from typing import Any, Literal, get_args, get_type_hints

Refusal = Literal["ResourceInUseException", "InvalidInputException"]


@dataclass
class Switches:
    """Every choice of ours that a user may turn; a field's name is the switch's name everywhere."""

    parent_not_active: Refusal = "ResourceInUseException"
    deletion_of_what_is_needed: Refusal = "ResourceInUseException"
    named_version_arn: Literal["ends in the name", "ends in an id"] = "ends in the name"
    following_campaign_shows: Literal["the version", "$LATEST"] = "the version"
    second_event_tracker: Literal["ResourceAlreadyExistsException", "LimitExceededException"] = (
        "ResourceAlreadyExistsException"
    )
    second_metric_attribution: Literal["ResourceAlreadyExistsException", "LimitExceededException"] = (
        "LimitExceededException"
    )
    constraint_violation: Literal["InvalidInputException", "ValidationException"] = "InvalidInputException"
    schema_check: Literal["JSON objects", "strict", "none"] = "JSON objects"
    unknown_member: Literal["ignore", "refuse"] = "ignore"
    unknown_list_parent: Literal["empty", "refuse"] = "empty"
    list_order: Literal["newest first", "oldest first"] = "newest first"
    batch_status_words: Literal["observed", "documented"] = "observed"
    batch_num_results_maximum: int = 500
    quotas: bool = True
    automatic_training: bool = True
    missing_training_data: Refusal = "InvalidInputException"
    training_during_import: Literal["allow", "refuse"] = "allow"
    update_needs_new_data: bool = True
    unknown_recipe: Literal["InvalidInputException", "ResourceNotFoundException"] = "ResourceNotFoundException"
    theme_regions: Literal["documented", "all"] = "documented"
    access_policies: Literal["where they exist", "always", "never"] = "where they exist"

    def set(self, name: str, text: str) -> None:
        """Turn a switch by its name, given the value as text (as from a command line)."""
        hints = get_type_hints(Switches)
        if name not in hints:
            raise ValueError(f"no switch {name!r}; there are {', '.join(sorted(hints))}")
        setattr(self, name, _read(hints[name], text, name))


def _read(hint: Any, text: str, name: str) -> bool | int | str:
    if hint is int:
        return int(text)
    allowed = ("true", "false") if hint is bool else get_args(hint)
    if (text.lower() if hint is bool else text) not in allowed:
        raise ValueError(f"{name} is one of {', '.join(allowed)}, not {text!r}")
    return text.lower() == "true" if hint is bool else text
