"""Keep an account and region as a moto backend, for the control plane, the runtime and the events API alike."""

from collections.abc import Iterator

from moto.core.base_backend import BackendDict, BaseBackend

from personalize_local.aws.http.regions import known_regions
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.service import current_service


class PersonalizeBackend(BaseBackend):
    """What moto keeps per account and region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.account = Account(current_service(), account_id, region_name)


# In every region of AWS, although the service is not in all of them: a program's default region may be anywhere.
personalize_backends = BackendDict(PersonalizeBackend, "personalize", additional_regions=sorted(known_regions()))


def accounts() -> Iterator[Account]:
    """Yield every account and region that was ever used."""
    for regions in list(personalize_backends.values()):
        yield from [backend.account for backend in list(regions.values())]
