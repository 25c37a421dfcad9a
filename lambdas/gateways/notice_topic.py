"""Publish to the stage's topic of notices."""

from collections.abc import Mapping
from typing import Any


class NoticeTopic:
    """The stage's topic in SNS, through a client of boto3."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn

    def publish(self, subject: str, message: str, attributes: Mapping[str, str]) -> None:
        """Publish a message that has a text for each protocol; subscriptions may be filtered by its attributes."""
        self._client.publish(
            TopicArn=self._arn,
            Subject=subject,
            Message=message,
            MessageStructure="json",
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )
