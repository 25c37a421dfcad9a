"""Derive from the resource table which of a stage's resources an action of Amazon Personalize is about.

The Service Authorization Reference is the specification; tests/contract/test_personalize_actions.py compares. A Create
needs leave for what it makes and for what that belongs to; List operations know no resource.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from lambdas.personalize.resources import RESOURCES, ResourceType
from stacks.permissions import Permission, PolicyResource, StageResources, allow

_ROWS: Final = {row.pascal: row for row in RESOURCES.values()}
_OF_TAGGABLE: Final = ("ListTagsForResource", "TagResource")
_OTHERS: Final = {"GetSolutionMetrics": ("solution", "solution_version")}
# IAM knows versions as their solution, and nobody documents which of the two ARNs it looks at.
_SOLUTION: Final = ("solution", "solution_version")
_VERBS: Final = ("Create", "Delete", "Describe", "Start", "Stop", "Update")


def personalize_actions(*operations: str) -> Permission:
    """Return leave to call the operations on the stage's resources of all types that they are about.

    It is one statement: on a type that an operation is not about, leave for it means nothing, and a policy has a limit.
    """
    nouns = {noun for operation in operations for noun in _nouns(operation)}
    return allow(
        StageResources(tuple(noun for noun in RESOURCES if noun in nouns)),
        *(f"personalize:{one}" for one in operations),
    )


def personalize_lists(*plurals: str) -> Permission:
    """Return leave to list. IAM knows no resource for these: with any other than "*" they are denied."""
    return allow(PolicyResource.NO_RESOURCE, *(f"personalize:List{plural}" for plural in plurals))


def arn_paths(nouns: Sequence[str], name_patterns: Sequence[str]) -> list[str]:
    """Return what follows the account in the ARNs of those types that bear one of the names: patterns of IAM."""
    paths = {RESOURCES[noun].arn_shape.format(name=name) for noun in nouns for name in name_patterns}
    # What begins like a pattern that ends in * is in it: its * stands for slashes too.
    return sorted(path for path in paths if not any(path != one and path.startswith(one) for one in _open(paths)))


def _open(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(path for path in paths if path.endswith("*") and not path.endswith("/*"))


def _nouns(operation: str) -> tuple[str, ...]:
    if operation in _OF_TAGGABLE:
        return tuple(row.noun for row in RESOURCES.values() if row.taggable)
    if operation in _OTHERS:
        return _OTHERS[operation]
    verb = next(verb for verb in _VERBS if operation.startswith(verb))
    row: ResourceType = _ROWS[operation.removeprefix(verb)]
    nouns = (row.noun, row.parent) if verb == "Create" and row.parent else (row.noun,)
    return (*nouns, *_SOLUTION) if set(nouns) & set(_SOLUTION) else nouns
