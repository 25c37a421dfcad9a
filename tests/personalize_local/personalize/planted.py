"""The service over the real engine, and data in which half of the users like the one genre, half the other."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moto import mock_aws

from personalize_local import personalize
from personalize_local.clock import CLOCK
from tests.personalize_local.personalize.world import ROLE, World

TASTES = {"drama": range(30), "horror": range(30, 60)}


def interactions() -> str:
    chance = random.Random(7)
    lines = ["USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE"]
    for user in range(80):
        taste = TASTES["drama" if user % 2 else "horror"]
        liked = chance.sample(list(taste), 20)
        lines += [f"u{user},i{item},{1_700_000_000 + n * 3600},view,1.0" for n, item in enumerate(liked)]
    return "\n".join(lines) + "\n"


def items() -> str:
    lines = ["ITEM_ID,PRICE,CATEGORY_L1,GENRES,CREATION_TIMESTAMP,TITLE,DESCRIPTION"]
    lines += [
        f'i{item},{item}.0,film,{genre},1600000000,Film {item},"A {genre}, at length"'
        for genre, numbers in TASTES.items()
        for item in numbers
    ]
    return "\n".join(lines) + "\n"


@contextmanager
def running_for_real(directory: Path) -> Iterator[World]:
    """Run the service with real workers, on a fast clock."""
    CLOCK.set_speed(7200)
    service = personalize.start(directory)
    with mock_aws():
        made = World(service)
        made.s3.create_bucket(Bucket=made.bucket)
        yield made
    personalize.stop()
    CLOCK.set_speed(1)


def import_csv(world: World, dataset: str, name: str, body: str, **more: Any) -> dict[str, Any]:
    location = world.put_object(f"{name}.csv", body)
    arn = world.personalize.create_dataset_import_job(
        jobName=name, datasetArn=dataset, dataSource={"dataLocation": location}, roleArn=ROLE, **more
    )["datasetImportJobArn"]
    world.finish()
    return world.describe("dataset_import_job", arn)


def make_planted_group(world: World) -> str:
    """Return a group with the planted interactions and items."""
    arn = world.make_group()
    for kind, body in (("INTERACTIONS", interactions()), ("ITEMS", items())):
        job = import_csv(world, world.make_dataset(arn, kind), kind.lower(), body)
        assert job["status"] == "ACTIVE", job
    return arn
