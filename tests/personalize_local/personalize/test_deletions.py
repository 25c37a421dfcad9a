"""What depends on a resource keeps it from being deleted; what is gone is not found."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.personalize_local.personalize.world import PREFIX, World


def refused(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return str(error["Code"].removesuffix("Exception"))


def test_deletions_are_refused_while_something_depends_on_them(world: World) -> None:
    group, version = world.make_trained()
    world.make_campaign(version)
    p = world.personalize
    dataset = f"{PREFIX}dataset/movies/INTERACTIONS"
    schema = world.describe("dataset", dataset)["schemaArn"]
    assert refused(p.delete_schema, schemaArn=schema) == "ResourceInUse"
    assert refused(p.delete_dataset_group, datasetGroupArn=group) == "ResourceInUse"
    assert refused(p.delete_solution, solutionArn=version.rpartition("/")[0]) == "ResourceInUse"
    p.create_solution_version(solutionArn=version.rpartition("/")[0])
    assert refused(p.delete_dataset, datasetArn=dataset) == "ResourceInUse"


def test_a_group_can_be_taken_down_in_the_samples_order(world: World) -> None:
    """Fact: the order of AWS's own clean-up code in retail-demo-store."""
    group, version = world.make_trained()
    campaign = world.make_campaign(version)
    p = world.personalize
    schema = world.describe("dataset", f"{PREFIX}dataset/movies/INTERACTIONS")["schemaArn"]
    for delete, request in (
        (p.delete_campaign, {"campaignArn": campaign}),
        (p.delete_solution, {"solutionArn": version.rpartition("/")[0]}),
        (p.delete_dataset, {"datasetArn": f"{PREFIX}dataset/movies/INTERACTIONS"}),
        (p.delete_schema, {"schemaArn": schema}),
        (p.delete_dataset_group, {"datasetGroupArn": group}),
    ):
        delete(**request)
        world.finish()
        assert refused(delete, **request) == "ResourceNotFound"
    assert refused(p.describe_solution_version, solutionVersionArn=version) == "ResourceNotFound"
    assert world.engine.dropped[1:] == [  # the first is the dataset's own beginning
        "movies-taste/" + version.rpartition("/")[2],
        "movies/INTERACTIONS",
    ]
    world.make_group("movies")


def test_a_group_being_deleted_cannot_be_deleted_again(world: World) -> None:
    """Fact: retail-demo-store issue 527."""
    group = world.make_group()
    world.personalize.delete_dataset_group(datasetGroupArn=group)
    assert refused(world.personalize.delete_dataset_group, datasetGroupArn=group) == "ResourceInUse"


def test_a_dataset_made_anew_never_sees_rows_of_a_forgotten_one(world: World) -> None:
    world.make_dataset(world.make_group())
    assert world.engine.dropped == ["movies/INTERACTIONS"]


def test_what_nobody_knows_is_a_switch(world: World) -> None:
    _, version = world.make_trained()
    solution = version.rpartition("/")[0]
    config = {"syncWithLatestSolutionVersion": True}
    campaign = world.make_campaign(f"{solution}/$LATEST", campaignConfig=config)
    assert world.describe("campaign", campaign)["solutionVersionArn"] == version
    world.service.switches.following_campaign_shows = "$LATEST"
    assert world.describe("campaign", campaign)["solutionVersionArn"] == f"{solution}/$LATEST"
    world.service.switches.deletion_of_what_is_needed = "InvalidInputException"
    assert refused(world.personalize.delete_solution, solutionArn=solution) == "InvalidInput"
    world.service.switches.named_version_arn = "ends in an id"
    named = world.make_version(solution, name="may")
    assert len(named.rpartition("/")[2]) == 8
    assert world.describe("solution_version", named)["name"] == "may"
    answer = refused(world.personalize.create_solution_version, solutionArn=solution, name="may")
    assert answer == "ResourceAlreadyExists"
