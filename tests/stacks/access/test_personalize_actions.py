"""Two stages never meet: no name that one may touch in Amazon Personalize is one that another may."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings, load
from config.wildcards import intersect
from lambdas.personalize.resources import RESOURCES
from stacks.access.personalize_actions import arn_paths, personalize_actions
from stacks.permissions import StageResources
from tests.config.test_settings import STAGES

# The service invents their ids. It makes none without leave for the dataset group, which does bear the name.
NAMELESS = {"event-tracker/*"}


def personalize_paths(assembly: Path, settings: Settings) -> set[str]:
    """Return what follows the account in every resource that a policy of the stage allows in Personalize."""
    name = f"{settings.name}-{settings.stage}-workflow.template.json"
    template = json.loads((assembly / name).read_text(encoding="utf-8"))
    policies = [one for one in template["Resources"].values() if one["Type"].startswith("AWS::IAM::")]
    return set(_paths(policies))


def _paths(value: Any) -> list[str]:
    if isinstance(value, dict) and "Fn::Join" in value:
        text = "".join(part if isinstance(part, str) else "-" for part in value["Fn::Join"][1])
        return [text.partition(":personalize:-:-:")[2]] if ":personalize:-:-:" in text else []
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [path for part in parts for path in _paths(part)]


@pytest.fixture(scope="module")
def paths(synthesise: Callable[..., Path]) -> dict[str, set[str]]:
    """Return the patterns of the stages that ship, and of one that adopted names."""
    stages = [load(stage) for stage in STAGES]
    adopting = {"stage": "old", "personalize_prefix": "old-", "adopted_names": ("movies", "shop*", "film*")}
    stages.append(load("dev").model_copy(update=adopting))
    return {settings.stage: personalize_paths(synthesise(settings), settings) for settings in stages}


def test_no_two_stages_may_touch_the_same_resource(paths: dict[str, set[str]]) -> None:
    for one, other in itertools.combinations(paths, 2):
        shared = {
            (mine, theirs)
            for mine, theirs in itertools.product(paths[one], paths[other])
            if intersect(mine, theirs) and {mine, theirs} - NAMELESS
        }
        assert not shared, (one, other)


def test_a_stage_may_touch_its_names_of_every_type(paths: dict[str, set[str]]) -> None:
    for stage, patterns in {"dev": ("dev-*",), "old": ("old-*", "movies", "shop*", "film*")}.items():
        assert paths[stage] == set(arn_paths(tuple(RESOURCES), patterns))


def test_a_create_needs_leave_for_the_parent_too() -> None:
    assert personalize_actions("CreateFilter").resource == StageResources(("dataset_group", "filter"))
