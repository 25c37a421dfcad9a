"""Keep AWS's managed policies in IAM, so that they can be attached: moto has them, and leaves them out."""

import copy
import functools
import json
from typing import Final

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend

from personalize_local.aws.corrections import Correction

_REGION: Final = "global"


@functools.cache
def _as_published(account_id: str) -> tuple[AWSManagedPolicy, ...]:
    published = json.loads(aws_managed_policies_data)
    return tuple(AWSManagedPolicy.from_data(name, account_id, _REGION, data) for name, data in published.items())


def _init_aws_policies(backend: IAMBackend) -> list[AWSManagedPolicy]:
    """Return AWS's policies; each IAM has its own, because they count where they are attached."""
    return [copy.copy(policy) for policy in _as_published(backend.account_id)]


CORRECTIONS = (
    Correction(
        IAMBackend,
        "_init_aws_policies",
        _init_aws_policies,
        "without its setting there is no policy of AWS to attach; with it every start reads four megabytes of JSON",
    ),
)
