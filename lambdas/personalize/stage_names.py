"""Name what a stage owns in Amazon Personalize, so that two stages of one account never meet.

A request says the same names in every stage. What it asks for gets the stage's prefix, unless its dataset group is one
that the stage adopted: such a group keeps the names that it has. Names that we make up ourselves (of jobs, versions,
schemas) always begin with the prefix. The policies of the handlers allow the same names, see `stacks.access`.
"""

import re
from dataclasses import dataclass
from typing import Final

from lambdas.names import digest, ending_in, legal

LONGEST_NAME: Final = 63
_ARN: Final = re.compile(r"(arn:[^:]+:personalize:[^:]*:[^:]*):([^/]+)/([^/]+)")
_INVENTED_IDS: Final = ("event-tracker",)  # such an ARN tells nothing about the stage


@dataclass(frozen=True)
class StageNames:
    """The names that one stage may use: all with its prefix, and the adopted ones, exact or with ``*`` at the end."""

    prefix: str = ""
    adopted: tuple[str, ...] = ()

    @classmethod
    def read(cls, patterns: str) -> "StageNames":
        """Return what `patterns` tells: the stage's own pattern first, then the adopted names, with commas between."""
        own, *adopted = patterns.split(",")
        return cls(own.removesuffix("*"), tuple(adopted))

    @property
    def patterns(self) -> tuple[str, ...]:
        """Every name that the stage may use, as patterns of IAM."""
        return (f"{self.prefix}*", *self.adopted)

    def __str__(self) -> str:
        return ",".join(self.patterns)

    def asked(self, name: str, group: str) -> str:
        """Return the service's name of what the request of `group` calls `name`."""
        return name if self.adopts(group) else f"{self.prefix}{name}"

    def requested(self, name: str, group: str) -> str:
        """Return what a request calls the `name` of the service; `group` is the service's too. Undoes `asked`."""
        return name if self.adopts(group) else name.removeprefix(self.prefix)

    def group(self, group: str) -> str:
        """Return the service's name of a dataset group."""
        return self.asked(group, group)

    def made(self, *parts: str) -> str:
        """Return a name of our own from its parts, shortened by a digest when they are too long."""
        name = f"{self.prefix}{legal('-'.join(parts))}"
        return name if len(name) <= LONGEST_NAME else ending_in(name, f"-{digest(name, 8)}", LONGEST_NAME)

    def adopts(self, name: str) -> bool:
        """Say whether a name is one that the stage adopted."""
        return any(_matches(pattern, name) for pattern in self.adopted)

    def covers(self, name: str) -> bool:
        """Say whether the stage may use a name of the service."""
        return name.startswith(self.prefix) or self.adopts(name)

    def covers_arn(self, arn: str, arn_prefix: str) -> bool:
        """Say whether an ARN is the stage's own, or AWS's like that of a recipe; `arn_prefix` says where the stage is.

        What is no ARN of Amazon Personalize is none of its business.
        """
        parts = _ARN.match(arn)
        if parts is None or parts[1].endswith("::"):
            return True
        return parts[1] == arn_prefix and (parts[2] in _INVENTED_IDS or self.covers(parts[3]))


ANY_NAMES: Final = StageNames()  # without a stage: names stand as they are, and none is foreign


def _matches(pattern: str, name: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
