"""Correct moto one attribute at a time, each with its reason, each reversible.

A correction replaces one attribute of one of moto's modules, classes or objects. Nothing else of moto is touched, so
this list is the whole difference between plain moto and the local cloud's AWS. Every correction has a test that puts
moto's original back and expects the old, wrong outcome: on the day moto copes by itself that test fails, and names
the row to delete.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Correction:
    """One change to moto: `owner.attribute` becomes `ours`; `because` says what is wrong with moto's."""

    owner: Any
    attribute: str
    ours: Any
    because: str
    original: Any = field(init=False)

    def __post_init__(self) -> None:
        # vars(), not getattr(): a static method must stay one, and an attribute moto moved must be missed loudly.
        self.original = vars(self.owner)[self.attribute]

    @property
    def name(self) -> str:
        """What a test calls this correction: `Class.attribute`, or `package.module.attribute`."""
        names = getattr(self.owner, "__name__", None) or f"{self.owner.service_name}_backends"
        return ".".join([*names.split(".")[-2:], self.attribute])

    def apply(self) -> None:
        """Put our attribute in the place of moto's."""
        setattr(self.owner, self.attribute, self.ours)

    def undo(self) -> None:
        """Put moto's attribute back."""
        setattr(self.owner, self.attribute, self.original)


APPLIED: dict[str, Correction] = {}


def apply(*corrections: Correction) -> None:
    """Apply and register the corrections; two of the same name are a mistake of ours."""
    for correction in corrections:
        if correction.name in APPLIED:
            raise ValueError(f"{correction.name} is corrected twice")
        APPLIED[correction.name] = correction
        correction.apply()


@contextmanager
def corrected(*corrections: Correction) -> Iterator[None]:
    """Run a block with corrections applied, and take back those that were not applied before."""
    missing = [each for each in corrections if each.name not in APPLIED]
    apply(*missing)
    try:
        yield
    finally:
        for each in missing:
            each.undo()
            del APPLIED[each.name]


@contextmanager
def moto_as_shipped(name: str) -> Iterator[Correction]:
    """Run a block with one correction taken back: how a test shows that the correction is still needed."""
    correction = APPLIED[name]
    correction.undo()
    try:
        yield correction
    finally:
        correction.apply()
