"""The mirror of the wait loop, run on the local cloud against the emulated service."""

from typing import Any

from personalize_local.cloud import Cloud, Run

LOOK = ["Find", "Decide"]


def run(cloud: Cloud, machine: str, noun: str, **request: Any) -> Run:
    return cloud.run(machine, {"type": noun, "request": request})


def test_deletes_and_waits_until_it_is_gone(cloud: Cloud) -> None:
    run(cloud, "ensure_resource", "dataset_group", name="movies")
    removed = run(cloud, "remove_resource", "dataset_group", name="movies")
    assert removed.status == "SUCCEEDED"
    assert list(removed.states[:4]) == [*LOOK, "Delete", "Wait"]
    assert removed.states[-1] == "Gone"
    assert cloud.client("personalize").list_dataset_groups()["datasetGroups"] == []


def test_what_is_not_there_is_gone_already(cloud: Cloud) -> None:
    assert list(run(cloud, "remove_resource", "campaign", name="never").states) == [*LOOK, "Gone"]
