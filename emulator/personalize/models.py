"""The moto backend: one account and region, for the control plane, the runtime and the events API alike."""

from typing import Any, Final

from moto.core.base_backend import BackendDict, BaseBackend

from emulator.personalize.account import Account
from emulator.personalize.faults import FAULTS
from emulator.personalize.operations import CONTROL_PLANE, DATA_PLANE
from emulator.personalize.paging import check_token
from emulator.personalize.records import Members
from emulator.personalize.upkeep import settled
from emulator.personalize.validation import check
from emulator.personalize.wire import Target

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
