"""Find a dataset group by what its request calls it."""

from lambdas.personalize.gateway import Personalize
from lambdas.personalize.resources import RESOURCES


def group_arn_of(personalize: Personalize, group: str) -> str:
    """Return the ARN of the dataset group that requests, keys and leases call `group`."""
    row = RESOURCES["dataset_group"]
    return str(row.arn(personalize.arn_prefix, {"name": personalize.names.group(group)}))
