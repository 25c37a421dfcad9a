"""Add our resource types to CloudFormation, and refuse those that nobody knows.

moto skips a type it does not know with a line in the log, and makes one that it cannot update disappear. Here both are
errors that name the resource; our own deployment finds them before anything is made.
"""

import base64
import functools
import hashlib
import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import moto.cloudformation.models
import moto.cloudformation.responses
import yaml
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import CloudFormationBackend
from moto.cloudformation.parsing import ResourceMap
from moto.cloudformation.utils import yaml_tag_constructor
from moto.core.common_models import CloudFormationModel

from personalize_local.aws.cloudformation.deployed_types import ADDED_TYPES, MOTO_TYPES, SUPPORTED, AddedType
from personalize_local.aws.cloudformation.stack_resources import ResourceContext
from personalize_local.aws.corrections import Correction


class UnsupportedResourceError(Exception):
    """The template asks for something the local cloud does not have."""


def check_supported(stack: str, template: Mapping[str, Any]) -> None:
    """Raise an error naming every resource of a type the local cloud does not have."""
    unknown = {
        logical_id: resource["Type"]
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] not in SUPPORTED
    }
    if unknown:
        named = ", ".join(f"{logical_id} ({kind})" for logical_id, kind in sorted(unknown.items()))
        raise UnsupportedResourceError(f"the local cloud cannot make these resources of stack {stack}: {named}")


def _model(kind: str, added: AddedType) -> Any:
    def create(name: str, described: Any, account: str, region: str, **_: Any) -> Any:
        made = added.make(described.get("Properties", {}), ResourceContext(name, account, region))
        made.given_name = name
        return made

    def update(original_resource: Any, cloudformation_json: Any, account_id: str, region_name: str, **_: Any) -> Any:
        properties = cloudformation_json["Properties"]
        name = original_resource.given_name
        if properties.get(added.name_property, name) != name:
            raise ValidationError(message=f"The local cloud does not rename {name} ({kind})")
        made = added.make(properties, ResourceContext(name, account_id, region_name, original_resource))
        made.given_name = name
        return made

    motos = {model.cloudformation_type(): model for model in CloudFormationModel.__subclasses__()}

    def delete(name: str, described: Any, account: str, region: str) -> None:
        motos[kind].delete_from_cloudformation_json(name, described, account, region)

    members = {
        "__module__": __name__,
        "cloudformation_type": staticmethod(lambda: kind),
        "cloudformation_name_type": staticmethod(lambda: added.name_property),
        "has_cfn_attr": classmethod(lambda _cls, _name: True),  # a wrong one fails when it is looked up
        "create_from_cloudformation_json": staticmethod(create),
        "delete_from_cloudformation_json": staticmethod(delete),
        "update_from_cloudformation_json": staticmethod(update),
    }
    # Not a CloudFormationModel: moto takes all its subclasses for its own types.
    return type(kind.replace("::", ""), (), members)


@functools.cache
def models() -> dict[str, Any]:
    """Return the class of every supported type."""
    motos = {model.cloudformation_type(): model for model in CloudFormationModel.__subclasses__()}
    return {kind: motos[kind] for kind in MOTO_TYPES} | {
        kind: _model(kind, added) for kind, added in ADDED_TYPES.items()
    }


def resource_class_from_type(kind: str) -> Any:
    """Return the class of a supported type; anything else is an error, not a warning in the log."""
    if kind not in SUPPORTED:
        raise ValidationError(message=f"The local cloud cannot make resources of type {kind}")
    return models()[kind]


_create_as_moto = parsing.parse_and_create_resource


def parse_and_create_resource(logical_id: str, described: Any, *rest: Any, **named: Any) -> Any:
    """Create a resource; whatever goes wrong is an error of CloudFormation that names the resource."""
    try:
        return _create_as_moto(logical_id, described, *rest, **named)
    except ValidationError:
        raise
    except Exception as error:
        reason = f"there is no {error}" if isinstance(error, KeyError) else getattr(error, "message", error)
        message = f"{logical_id} ({described['Type']}) could not be created: {reason}"
        raise ValidationError(message=message) from error


_update_as_moto = parsing.parse_and_update_resource


def parse_and_update_resource(logical_id: str, described: Any, *rest: Any, **named: Any) -> Any:
    """Update a resource, or say that its type cannot be updated."""
    update = resource_class_from_type(described["Type"]).update_from_cloudformation_json
    if hasattr(update, "__isabstractmethod__"):
        raise ValidationError(message=f"The local cloud does not update {logical_id} ({described['Type']})")
    return _update_as_moto(logical_id, described, *rest, **named)


_compare_as_moto = ResourceMap.build_resource_diff


def build_resource_diff(resources: Any, other_template: Any, parameters: Any = None) -> dict[str, Any]:
    """Tell what an update changes; metadata, such as the path the CDK's command line adds, changes nothing."""
    difference = _compare_as_moto(resources, other_template, parameters)
    old, new = resources._resource_json_map, other_template["Resources"]  # noqa: SLF001 - what moto compares
    difference["Modify"] = [
        name
        for name in difference["Modify"]
        if old[name] == new[name]  # a parameter changed, or
        or {**old[name], "Metadata": None} != {**new[name], "Metadata": None}
    ]
    return difference


_name_as_moto = parsing.generate_resource_name
SUFFIX_LENGTH = 12


def generate_resource_name(kind: str, stack: str, logical_id: str) -> str:
    """Name a resource as CloudFormation would, but the same way in every cloud, so that saved state is found again."""
    name = _name_as_moto(kind, stack, logical_id)
    digest = hashlib.sha256(f"{stack}/{logical_id}".encode()).digest()
    suffix = base64.b32encode(digest).decode()[:SUFFIX_LENGTH]
    return name[:-SUFFIX_LENGTH] + (suffix.lower() if name.islower() else suffix)


_resolve_as_moto = CloudFormationBackend._resolve_update_parameters  # noqa: SLF001 - the method being corrected


def resolve_update_parameters(backend: Any, instance: Any, incoming_params: list[dict[str, Any]]) -> dict[str, Any]:
    """Take over previous values; those of parameters that were left at their default are the default again."""
    known = [
        parameter
        for parameter in incoming_params
        if not parameter.get("UsePreviousValue") or parameter["ParameterKey"] in instance.parameters
    ]
    return dict(_resolve_as_moto(backend, instance, known))


def resource_name_property_from_type(kind: str) -> str | None:
    """Return the property that names a resource of this type, if there is one."""
    return models()[kind].cloudformation_name_type() or None


class TemplateLoader(yaml.SafeLoader):
    """Reads YAML with the short forms of CloudFormation's functions, and runs no Python that is written in it."""


TemplateLoader.add_multi_constructor("", yaml_tag_constructor)


def load_template(text: str, Loader: Any) -> Any:  # noqa: N803 - PyYAML's spelling
    """Read a template as JSON if it is JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return yaml.load(text, Loader)  # noqa: S506 - always the one above


def _known_already(*_: Any) -> None:
    """Teach no loader of the whole process what ours knows."""


_our_yaml = SimpleNamespace(add_multi_constructor=_known_already, load=load_template, Loader=TemplateLoader)

CORRECTIONS = (
    Correction(parsing, "resource_class_from_type", resource_class_from_type, "it skips unknown types in silence"),
    Correction(
        parsing, "resource_name_property_from_type", resource_name_property_from_type, "it does not know our types"
    ),
    Correction(
        parsing, "parse_and_create_resource", parse_and_create_resource, "errors come out raw, in the wrong protocol"
    ),
    Correction(parsing, "generate_resource_name", generate_resource_name, "a restarted app finds none of its state"),
    Correction(
        parsing, "parse_and_update_resource", parse_and_update_resource, "what it cannot update it makes disappear"
    ),
    Correction(ResourceMap, "build_resource_diff", build_resource_diff, "it updates resources for their metadata"),
    Correction(
        CloudFormationBackend,
        "_resolve_update_parameters",
        resolve_update_parameters,
        "the CDK's BootstrapVersion, left at its default, is a KeyError in every update",
    ),
    Correction(moto.cloudformation.models, "yaml", _our_yaml, "it reads JSON as YAML, at a second per 20 KB"),
    Correction(moto.cloudformation.responses, "yaml", _our_yaml, "it runs Python that a template has in it"),
)
