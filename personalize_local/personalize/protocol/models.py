"""The moto backend: one account and region, for the control plane, the runtime and the events API alike."""

from typing import Any, Final

from moto.core.base_backend import BackendDict, BaseBackend

from personalize_local.personalize.controls.faults import FAULTS
from personalize_local.personalize.protocol.dispatch import CONTROL_PLANE, DATA_PLANE
from personalize_local.personalize.protocol.paging import check_token
from personalize_local.personalize.protocol.validation import check
from personalize_local.personalize.protocol.wire import Target
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.reconcile import settled
from personalize_local.personalize.resources.records import Members

_READING: Final = ("Describe", "Get", "List")


class PersonalizeBackend(BaseBackend):
    """What moto keeps per account and region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.account = Account(account_id, region_name)

    def answer(self, target: Target, request: dict[str, Any]) -> Members | None:
        """Answer one call, or raise a ServiceError."""
        FAULTS.check_throttle()
        check_token(request)
        check(target.operation.input_shape, request, target.errors)
        asked = {name: value for name, value in request.items() if value is not None}
        if target.name in DATA_PLANE:
            return DATA_PLANE[target.name](self.account, asked)
        with settled(self.account):
            self.account.changes += not target.name.startswith(_READING)
            return CONTROL_PLANE[target.name](self.account, asked)


personalize_backends = BackendDict(PersonalizeBackend, "personalize")
