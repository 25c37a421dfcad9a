"""Update the resources of a stack in the order of their dependencies, as CloudFormation does; what goes, goes last."""

import re
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.parsing import ResourceMap

from personalize_local.aws.corrections import Correction


def update_resources(resources: Any, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
    """Make, change and remove what the new template says."""
    actions = resources.build_resource_diff(template, parameters)
    removed = {name: resources._resource_json_map[name] for name in actions["Remove"]}  # noqa: SLF001 - what moto keeps
    _take_over(resources, template, parameters)
    for name in in_order(template["Resources"]):
        if name in actions["Add"]:
            _ = resources[name]  # looking it up makes it
        elif name in actions["Modify"]:
            where = {"account_id": resources._account_id, "region_name": resources._region_name}  # noqa: SLF001 - same
            described = template["Resources"][name]
            resources._parsed_resources[name] = parsing.parse_and_update_resource(  # noqa: SLF001 - same
                name, described, resources, **where
            )
    for name, described in removed.items():
        gone = resources._parsed_resources.pop(name, None)  # noqa: SLF001 - same
        if gone is not None and described.get("DeletionPolicy") != "Retain":
            resources._delete_resource(gone, described)  # noqa: SLF001 - same


def _take_over(resources: Any, template: dict[str, Any], parameters: dict[str, Any] | None) -> None:
    resources._template = template  # noqa: SLF001 - what moto keeps
    if parameters:
        resources.input_parameters = parameters
    resources.load_mapping()
    resources.load_parameters()
    resources.load_conditions()
    resources._resource_json_map = template["Resources"]  # noqa: SLF001 - same


def in_order(resources: Mapping[str, Any]) -> Iterator[str]:
    """Yield the logical ids of resources, each after those that it refers to or names in `DependsOn`."""
    graph = {
        name: [other for other in _mentioned(described) if other in resources] for name, described in resources.items()
    }
    yield from TopologicalSorter(graph).static_order()


def _mentioned(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for member in value:
            yield from _mentioned(member)
    elif isinstance(value, Mapping):
        for name, member in value.items():
            if name in {"Ref", "DependsOn"}:
                yield from [member] if isinstance(member, str) else member
            elif name == "Fn::GetAtt":
                yield member.partition(".")[0] if isinstance(member, str) else member[0]
            elif name == "Fn::Sub":
                text = member if isinstance(member, str) else member[0]
                yield from re.findall(r"\$\{([A-Za-z0-9]+)", text)
            else:
                yield from _mentioned(member)


CORRECTIONS = (
    Correction(
        ResourceMap, "update", update_resources, "it adds before it modifies: a version would have the old code"
    ),
)
