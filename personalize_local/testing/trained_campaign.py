"""Make a campaign that recommends, by the calls a program of one's own would make."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

Interaction = tuple[str, str, int]

BUCKET: Final = "personalize-local-examples"
ROLE: Final = "arn:aws:iam::123456789012:role/personalize-local-example"  # not in IAM: it may do all
_USERS, _ITEMS, _TASTES, _EVENTS_EACH = 60, 40, 4, 25
_SOME_TIME: Final = 1_700_000_000
_SCHEMA: Final = json.dumps(
    {
        "type": "record",
        "name": "Interactions",
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [
            {"name": "USER_ID", "type": "string"},
            {"name": "ITEM_ID", "type": "string"},
            {"name": "TIMESTAMP", "type": "long"},
        ],
        "version": "1.0",
    }
)


@dataclass(frozen=True)
class TrainedCampaign:
    """An ACTIVE campaign, by the ARNs of what it was made from."""

    campaign_arn: str
    solution_version_arn: str
    solution_arn: str
    dataset_arn: str
    dataset_group_arn: str
    schema_arn: str


def example_interactions() -> list[Interaction]:
    """Return 1,500 interactions of 60 users with 40 items; user `u<n>` likes the items `i<m>` with m ≡ n modulo 4."""
    rows = []
    for user in range(_USERS):
        for event in range(_EVENTS_EACH):
            liked = (user + _TASTES * ((user + event * 3) % (_ITEMS // _TASTES))) % _ITEMS
            item = liked if event % 5 else (user * 7 + event) % _ITEMS  # one event in five is anything
            rows.append((f"u{user}", f"i{item}", _SOME_TIME + 60 * (user + _USERS * event)))
    return rows


def train_campaign(
    client: Callable[[str], Any],
    settle: Callable[[], None],
    *,
    recipe: str,
    interactions: Sequence[Interaction] | None,
    name: str,
) -> TrainedCampaign:
    """Create everything in order, and let each step be finished. Raises RuntimeError with the service's reason."""
    personalize, s3 = client("personalize"), client("s3")
    rows = example_interactions() if interactions is None else interactions
    s3.create_bucket(Bucket=BUCKET)
    lines = ["USER_ID,ITEM_ID,TIMESTAMP", *(",".join(map(str, row)) for row in rows), ""]
    s3.put_object(Bucket=BUCKET, Key=f"{name}.csv", Body="\n".join(lines).encode())

    def made(noun: str, **request: Any) -> str:
        key = "".join(part.capitalize() for part in noun.split("_"))
        key = key[0].lower() + key[1:]
        arn: str = getattr(personalize, f"create_{noun}")(**request)[f"{key}Arn"]
        settle()
        described = getattr(personalize, f"describe_{noun}")(**{f"{key}Arn": arn})[key]
        if described.get("status", "ACTIVE") != "ACTIVE":
            raise RuntimeError(f"{arn} is {described['status']}: {described.get('failureReason')}")
        return arn

    schema = made("schema", name=name, schema=_SCHEMA)
    group = made("dataset_group", name=name)
    dataset = made("dataset", name=name, schemaArn=schema, datasetGroupArn=group, datasetType="INTERACTIONS")
    source = {"dataLocation": f"s3://{BUCKET}/{name}.csv"}
    made("dataset_import_job", jobName=name, datasetArn=dataset, dataSource=source, roleArn=ROLE)
    recipe_arn = recipe if recipe.startswith("arn:") else f"arn:aws:personalize:::recipe/{recipe}"
    solution = made("solution", name=name, datasetGroupArn=group, recipeArn=recipe_arn, performAutoTraining=False)
    version = made("solution_version", solutionArn=solution)
    campaign = made("campaign", name=name, solutionVersionArn=version)
    return TrainedCampaign(campaign, version, solution, dataset, group, schema)
