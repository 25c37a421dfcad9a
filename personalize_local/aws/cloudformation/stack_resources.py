"""Define what a resource of a stack is to CloudFormation: in which context it is made, and what it answers."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException

from personalize_local.aws.stepfunctions.interpreter import shared_client

Properties = Mapping[str, Any]


@dataclass(frozen=True)
class ResourceContext:
    """What CloudFormation tells about a resource to make: name, account, region, and what it was before an update."""

    name: str
    account: str
    region: str
    existing: Any = None

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource here."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def client(self, service: str) -> Any:
        """Return a client of this cloud's service."""
        return shared_client(service, self.region)


class StackResource:
    """A resource as CloudFormation sees it: what `Ref` gives, and what `Fn::GetAtt` gives."""

    def __init__(self, ref: str, **attributes: str) -> None:
        self._ref = ref
        self._attributes = attributes

    @property
    def physical_resource_id(self) -> str:
        """Return what `Ref` gives."""
        return self._ref

    def is_created(self) -> bool:
        """Tell moto that there is nothing to wait for."""
        return True

    def delete(self, _account: str, _region: str) -> None:
        """Do nothing: it goes with another resource, or never was anything."""

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """Return what `Fn::GetAtt` gives."""
        if attribute_name not in self._attributes:
            raise UnformattedGetAttTemplateException
        return self._attributes[attribute_name]


class RemovableResource(StackResource):
    """A resource that ends when it is taken out of its stack."""

    def __init__(self, ref: str, take_out: Callable[[], object], **attributes: str) -> None:
        super().__init__(ref, **attributes)
        self._take_out = take_out

    def delete(self, _account: str, _region: str) -> None:
        """Delete it, unless it is gone already: a schedule may delete itself after its last time."""
        with contextlib.suppress(ClientError):
            self._take_out()
