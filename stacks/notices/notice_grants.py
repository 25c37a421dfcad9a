"""Grant the handlers that tell people what stands in their rows."""

from collections.abc import Mapping
from typing import Final

from stacks.permissions import Grant, PolicyResource, Variable, allow

NOTICE_GRANTS: Final[Mapping[str, Grant]] = {
    "tell_outcome": Grant(
        (allow(PolicyResource.NOTICES, "sns:Publish"), allow(PolicyResource.LEDGER, "dynamodb:UpdateItem")),
        environment=(Variable.NOTICES_TOPIC_ARN, Variable.LEDGER_TABLE_NAME, Variable.OWNER),
    ),
}
