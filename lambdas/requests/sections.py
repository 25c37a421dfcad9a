"""Define the two sorts of sections of a request: those whose keys are ours, and those that hand on the service's."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

Training = Literal["WHEN_NEEDED", "ALWAYS", "NEVER"]
TrainingMode = Literal["FULL", "UPDATE"]
Name = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-zA-Z0-9][a-zA-Z0-9\-_]*$")]


class StrictSection(BaseModel):
    """A part of the request in which every key is ours."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _name_the_allowed_keys(cls, value: Any) -> Any:
        known = {field.alias or name for name, field in cls.model_fields.items()}
        if isinstance(value, Mapping) and (unknown := sorted(set(value) - known)):
            raise ValueError(f"unknown key {', '.join(map(repr, unknown))}; allowed: {', '.join(sorted(known))}")
        return value


class PassThroughSection(BaseModel):
    """A part of the request whose other keys are the service's own parameters."""

    model_config = ConfigDict(frozen=True, extra="allow", alias_generator=to_camel, validate_by_name=True)

    @property
    def parameters(self) -> dict[str, Any]:
        """The keys that are not ours, as they were written."""
        return dict(self.model_extra or {})

    @classmethod
    def own_keys(cls) -> list[str]:
        """Return our keys, as they are written in a request."""
        return [field.alias or name for name, field in cls.model_fields.items()]
