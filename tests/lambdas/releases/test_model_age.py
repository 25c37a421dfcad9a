"""How old a model is: as old as the training that made it began."""

from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.personalize.gateway import PersonalizeGateway
from lambdas.releases.model_age import ServingModel, serving_models

NOW = datetime(2026, 5, 10, tzinfo=UTC)


class Versions(PersonalizeGateway):
    """Amazon Personalize with one version that was begun two days ago."""

    def __init__(self) -> None:
        super().__init__(None, "arn:aws:personalize:eu-west-1:123456789012")

    def describe(self, row: Any, arn: str) -> dict[str, Any] | None:
        assert row.noun == "solution_version"
        return {"creationDateTime": NOW - timedelta(days=2)} if arn == "there" else None


def test_a_model_is_as_old_as_its_training() -> None:
    campaigns = [{"name": "films", "solutionVersionArn": "there"}, {"name": "gone", "solutionVersionArn": "gone"}]
    assert serving_models(Versions(), campaigns, NOW) == [ServingModel("films", 48.0)]
