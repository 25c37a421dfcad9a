"""Make managed policies from the properties of a template, so that they go with their stack."""

import json
from typing import Any, Final

from personalize_local.aws.cloudformation.stack_resources import Properties, RemovableResource, ResourceContext

_ATTACHED: Final = (("Groups", "group", "GroupName"), ("Roles", "role", "RoleName"), ("Users", "user", "UserName"))


def managed_policy(properties: Properties, context: ResourceContext) -> RemovableResource:
    """Make a policy and attach it, or replace one that is there: moto would neither change nor remove it."""
    iam, name = context.client("iam"), properties.get("ManagedPolicyName", context.name)
    if context.existing is not None:
        _take_out(iam, context.existing.physical_resource_id)
    texts = {key: properties[key] for key in ("Description", "Path", "Tags") if key in properties}
    made = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(properties["PolicyDocument"]), **texts)
    arn = str(made["Policy"]["Arn"])
    for key, kind, parameter in _ATTACHED:
        for attached in properties.get(key, ()):
            getattr(iam, f"attach_{kind}_policy")(PolicyArn=arn, **{parameter: attached})
    return RemovableResource(arn, lambda: _take_out(iam, arn), PolicyArn=arn)


def _take_out(iam: Any, arn: str) -> None:
    attached = iam.list_entities_for_policy(PolicyArn=arn)
    for key, kind, parameter in _ATTACHED:
        for one in attached[f"Policy{key}"]:
            getattr(iam, f"detach_{kind}_policy")(PolicyArn=arn, **{parameter: one[parameter]})
    iam.delete_policy(PolicyArn=arn)
