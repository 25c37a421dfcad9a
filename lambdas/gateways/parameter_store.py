"""Read and write parameters of Systems Manager's Parameter Store."""

from collections.abc import Iterator
from typing import Any, Protocol


class Parameters(Protocol):
    """Texts under names that are paths."""

    def get(self, name: str) -> str | None:
        """Return a parameter's value, or None when there is none."""

    def below(self, path: str) -> Iterator[tuple[str, str]]:
        """Yield name and value of every parameter below a path, however deep."""

    def put(self, name: str, value: str) -> None:
        """Write a parameter, whether there was one or not."""

    def delete(self, name: str) -> None:
        """Delete a parameter; one that is gone already is none the less gone."""


class ParameterStore:
    """The parameters, through a client of boto3."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def get(self, name: str) -> str | None:
        """Return a parameter's value, or None when there is none."""
        try:
            return str(self._client.get_parameter(Name=name)["Parameter"]["Value"])
        except self._client.exceptions.ParameterNotFound:
            return None

    def below(self, path: str) -> Iterator[tuple[str, str]]:
        """Yield name and value of every parameter below a path, however deep."""
        for page in self._client.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True):
            for parameter in page["Parameters"]:
                yield parameter["Name"], parameter["Value"]

    def put(self, name: str, value: str) -> None:
        """Write a parameter, whether there was one or not."""
        self._client.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    def delete(self, name: str) -> None:
        """Delete a parameter; one that is gone already is none the less gone."""
        # Of several names it answers which there were not; a single one would be an error.
        self._client.delete_parameters(Names=[name])
