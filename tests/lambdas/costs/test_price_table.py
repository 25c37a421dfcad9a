"""The price table that ships, and tables of somebody's own."""

from pathlib import Path

import pytest

from lambdas.costs.price_table import DEFAULT_PRICES, Price, PriceTier, UnreadablePricesError, load_prices


def price(*tiers: tuple[float, float] | float, included: float = 0) -> Price:
    made = tuple(
        PriceTier(price=one[0], up_to=one[1]) if isinstance(one, tuple) else PriceTier(price=one) for one in tiers
    )
    return Price(per=1000, unit="requests", verified=True, tiers=made, included=included)


def test_each_part_of_a_quantity_costs_what_its_tier_says() -> None:
    tiered = price((0.2, 10_000), (0.1, 30_000), 0.05)
    assert tiered.of(5_000) == pytest.approx(1)
    assert tiered.of(10_000) == pytest.approx(2)
    assert tiered.of(20_000) == pytest.approx(3)
    assert tiered.of(50_000) == pytest.approx(2 + 2 + 1)


def test_what_is_included_costs_nothing() -> None:
    assert price(1, included=4_000).of(3_000) == 0
    assert price(1, included=4_000).of(5_000) == pytest.approx(1)


def test_a_price_that_nobody_knows_gives_no_amount() -> None:
    assert price().of(5) is None
    assert str(price()) == "an unknown price per 1,000 requests"


def test_tiers_that_fall_or_end_are_refused() -> None:
    with pytest.raises(ValueError, match="must rise"):
        price((0.2, 30), (0.1, 20), 1)
    with pytest.raises(ValueError, match="must rise"):
        price((0.2, 30))


def test_a_tps_hour_costs_what_aws_once_quoted_it_at() -> None:
    """AWS repriced campaigns from 0.20, 0.10 and 0.05 USD per TPS-hour to requests without changing the sums."""
    requests = load_prices()["requests"]
    assert requests.of(3_600) == pytest.approx(0.2, abs=0.001)
    assert requests.of(20_000 * 3_600) == pytest.approx(20_000 * 0.2, rel=0.001)
    assert requests.of(200_000 * 3_600) == pytest.approx(20_000 * 0.2 + 180_000 * 0.1, rel=0.001)


def test_the_table_that_ships_is_dated_and_says_where_it_is_from() -> None:
    table = load_prices()
    assert str(table.date) in str(table)
    assert table.source in str(table)
    assert [name for name, one in table.prices.items() if not one.verified and not one.tiers] == ["segments", "themes"]


def test_somebody_elses_table_is_read_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(DEFAULT_PRICES.read_text().replace("us-east-1", "eu-west-1"))
    assert load_prices(own).region == "eu-west-1"
    for text in ("", "date = [", DEFAULT_PRICES.read_text().replace("[prices.training]", "[prices.trainings]")):
        own.write_text(text)
        with pytest.raises(UnreadablePricesError, match=r"own\.toml is no price table"):
            load_prices(own)
    with pytest.raises(UnreadablePricesError, match=r"nowhere\.toml"):
        load_prices(tmp_path / "nowhere.toml")
