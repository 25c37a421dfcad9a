"""Read what Amazon Personalize bills for, and compute what a quantity costs."""

import math
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

DEFAULT_PRICES: Final = Path(__file__).with_name("prices.toml")


class UnreadablePricesError(ValueError):
    """A file is no price table."""


class PriceTier(BaseModel):
    """A price, and up to which quantity of a month it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    price: float = Field(ge=0)
    up_to: float = math.inf


class Price(BaseModel):
    """What so many of a unit cost. Without tiers it is known that it costs something, and not how much."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per: float = Field(gt=0)
    unit: str
    verified: bool
    tiers: tuple[PriceTier, ...]
    included: float = Field(default=0, ge=0, description="How many of the unit are paid with something else.")
    source: str | None = Field(default=None, description="In place of the table's.")
    note: str = ""

    @model_validator(mode="after")
    def _tiers_rise_to_the_end(self) -> "Price":
        ends = [tier.up_to for tier in self.tiers]
        if ends != sorted(set(ends)) or (ends and ends[-1] != math.inf):
            raise ValueError("the tiers' up_to must rise, and the last tier has none")
        return self

    def of(self, quantity: float) -> float | None:
        """Return what a quantity costs, each part of it at the price of its tier; None when nobody knows."""
        if not self.tiers:
            return None
        left, begin, total = max(0.0, quantity - self.included), 0.0, 0.0
        for tier in self.tiers:
            total += max(0.0, min(left, tier.up_to) - begin) * tier.price
            begin = tier.up_to
        return total / self.per

    def __str__(self) -> str:
        """Return the price as it is told beside an estimate."""
        first = f"${self.tiers[0].price:g}" if self.tiers else "an unknown price"
        return f"{first} per {self.per:,g} {self.unit}".replace(" per 1 ", " per ")


class PriceTable(BaseModel):
    """The prices of one region, when they were written down, and from where."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: date
    region: str
    currency: str
    source: str
    prices: Mapping[str, Price]

    @model_validator(mode="after")
    def _has_every_price(self) -> "PriceTable":
        if missing := sorted(PRICED - self.prices.keys()):
            raise ValueError(f"prices are missing: {', '.join(missing)}")
        return self

    def __getitem__(self, name: str) -> Price:
        """Return the price of that name."""
        return self.prices[name]

    def __str__(self) -> str:
        """Return where the prices are from."""
        return f"prices of {self.date} for {self.region}, {self.source}"


PRICED: Final = frozenset(
    {
        "batch",
        "data_ingestion",
        "recommender_requests",
        "recommender_users",
        "requests",
        "requests_v2",
        "segments",
        "state_transitions",
        "themes",
        "training",
        "training_v2",
    }
)


def load_prices(path: Path = DEFAULT_PRICES) -> PriceTable:
    """Return the price table of a file. Raises UnreadablePricesError."""
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return PriceTable.model_validate(document)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        text = f"{path} is no price table: {error}; lambdas/costs/prices.toml is one"
        raise UnreadablePricesError(text) from error
