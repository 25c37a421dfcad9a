"""A Personalize that answers nothing: fakes override what their test expects to be asked."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from lambdas.personalize.gateway import Personalize
from lambdas.personalize.resources import ResourceType
from lambdas.personalize.stage_names import ANY_NAMES


class NotExpectedError(AssertionError):
    """The test did not expect this call of the service."""


class FakePersonalize:
    """Satisfies the gateway's Protocol, which mypy checks below; every call fails the test."""

    arn_prefix = "arn:aws:personalize:eu-west-1:123456789012"
    names = ANY_NAMES
    errors: Any = None

    def describe(self, row: ResourceType, arn: str) -> dict[str, Any] | None:
        raise NotExpectedError(f"describe {row.noun} {arn}")

    def find(self, row: ResourceType, request: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
        raise NotExpectedError(f"find {row.noun} {request} {now}")

    def create(self, row: ResourceType, request: Mapping[str, Any]) -> str:
        raise NotExpectedError(f"create {row.noun} {request}")

    def update(self, row: ResourceType, arn: str, changes: Mapping[str, Any]) -> None:
        raise NotExpectedError(f"update {row.noun} {arn} {changes}")

    def delete(self, row: ResourceType, arn: str) -> None:
        raise NotExpectedError(f"delete {row.noun} {arn}")

    def start(self, row: ResourceType, arn: str) -> None:
        raise NotExpectedError(f"start {row.noun} {arn}")

    def stop(self, row: ResourceType, arn: str) -> None:
        raise NotExpectedError(f"stop {row.noun} {arn}")

    def tags(self, arn: str) -> list[dict[str, str]]:
        raise NotExpectedError(f"tags of {arn}")

    def tag(self, arn: str, tags: Sequence[Mapping[str, str]]) -> None:
        raise NotExpectedError(f"tag {arn} {tags}")

    def summaries(self, row: ResourceType, parent_arn: str | None = None) -> Iterator[dict[str, Any]]:
        raise NotExpectedError(f"list {row.noun} of {parent_arn}")

    def metrics(self, solution_version_arn: str) -> dict[str, float]:
        raise NotExpectedError(f"metrics of {solution_version_arn}")

    def recipe_arns(self) -> list[str]:
        raise NotExpectedError("recipes")

    def input_shape(self, operation: str) -> Any:
        raise NotExpectedError(f"the input of {operation}")

    def durations(self, row: ResourceType, request: Mapping[str, Any]) -> Sequence[float]:
        raise NotExpectedError(f"durations of {row.noun} {request}")


_SATISFIES: Personalize = FakePersonalize()
