"""Recommend in an application: find what to call by the names of the request, and remember it for a while.

    client = RecommendationClient("personalize-prod", "movies")
    client.recommend("for-you", "user1", filter_name="unseen")

An event *Application Parameter Change* says that something moved: call `forget` when it comes, or wait for the cache.
"""

import time
from collections.abc import Callable
from typing import Any

import boto3


class RecommendationClient:
    """What one dataset group of a stage offers to applications."""

    def __init__(
        self, stage: str, group: str, cache_seconds: float = 300, client: Callable[..., Any] = boto3.client
    ) -> None:
        self._path = f"/personalize/{stage}/{group}/"
        self._cache_seconds, self._read_at = cache_seconds, float("-inf")
        self._found: dict[str, str] = {}
        self._ssm, self._runtime = client("ssm"), client("personalize-runtime")

    def recommend(self, campaign: str, user_id: str, *, filter_name: str | None = None) -> list[str]:
        """Return the ids of items for a user, the best first."""
        filtered = {"filterArn": self.find("filter", filter_name)} if filter_name else {}
        answer = self._runtime.get_recommendations(
            campaignArn=self.find("campaign", campaign), userId=user_id, **filtered
        )
        return [item["itemId"] for item in answer["itemList"]]

    def find(self, kind: str, name: str) -> str:
        """Return what to call: of kind campaign, filter, recommender, event-tracker or tracking-id. Raises KeyError."""
        if time.monotonic() - self._read_at > self._cache_seconds:
            pages = self._ssm.get_paginator("get_parameters_by_path").paginate(Path=self._path, Recursive=True)
            self._found = {one["Name"]: one["Value"] for page in pages for one in page["Parameters"]}
            self._read_at = time.monotonic()
        return self._found[f"{self._path}{kind}/{name}"]

    def forget(self) -> None:
        """Read the parameters again at the next call."""
        self._read_at = float("-inf")
