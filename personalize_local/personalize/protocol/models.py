"""Answer calls as a moto backend: one account and region, for the control plane, the runtime and the events API."""

from typing import Any, Final

from moto.core.base_backend import BackendDict, BaseBackend

from personalize_local.personalize.protocol.dispatch import CONTROL_PLANE, DATA_PLANE
from personalize_local.personalize.protocol.paging import check_token
from personalize_local.personalize.protocol.validation import check
from personalize_local.personalize.protocol.wire import Target
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.reconcile import reconciled
from personalize_local.personalize.resources.records import Members
from personalize_local.personalize.resources.service import current_service

_READING: Final = ("Describe", "Get", "List")


class PersonalizeBackend(BaseBackend):
    """What moto keeps per account and region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._service = current_service()
        self.account = Account(self._service, account_id, region_name)

    def answer(self, target: Target, request: dict[str, Any]) -> Members | None:
        """Answer one call, or raise a ServiceError."""
        self._service.faults.check_throttle()
        check_token(request)
        check(target.operation.input_shape, request, self._service.switches, target.errors)
        present = {name: value for name, value in request.items() if value is not None}
        if target.name in DATA_PLANE:
            return DATA_PLANE[target.name](self.account, present)
        with reconciled(self.account):
            self.account.changes += not target.name.startswith(_READING)
            return CONTROL_PLANE[target.name](self.account, present)


personalize_backends = BackendDict(PersonalizeBackend, "personalize")
