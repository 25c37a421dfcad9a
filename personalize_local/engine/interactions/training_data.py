"""Read what is trained on from a snapshot: the events that count, and the catalogue of items they are about."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from personalize_local.engine.api import EngineError
from personalize_local.engine.datasets.snapshot import Snapshot
from personalize_local.engine.interactions.histories import Floats, Histories, Ints, Longs, arrange, encode, find
from personalize_local.engine.interactions.training_options import EventRule, TrainingOptions

_LEAST_INTERACTIONS = 1000
_LEAST_USERS = 25
_LEAST_SHARE_OF_USERS = 0.01


@dataclass(frozen=True)
class Catalogue:
    """The items there are: first those with interactions, sorted by id, then the others, sorted by id."""

    ids: pl.Series
    warm: int  # how many have interactions
    created: Longs  # seconds since 1970
    metadata: pl.DataFrame | None  # the Items dataset in the order of the ids; nulls where an item is missing there

    def __len__(self) -> int:
        return len(self.ids)

    def find(self, wanted: pl.Series | Sequence[str]) -> Ints:
        """Return the positions of ids, -1 for unknown ones.

        Returns int32 of the length of `wanted`.
        """
        warm, cold = find(self.ids[: self.warm], wanted), find(self.ids[self.warm :], wanted)
        return np.where(cold >= 0, cold + self.warm, warm).astype(np.int32)


@dataclass(frozen=True)
class TrainingData:
    """Histories of all users that count, over the catalogue; and the snapshot, while there is one."""

    histories: Histories
    user_ids: pl.Series
    catalogue: Catalogue
    snapshot: Snapshot | None = None  # what they were read from; a saved model has none


def load_training_data(snapshot: Snapshot, options: TrainingOptions) -> TrainingData:
    """Read the events that count and the items, or fail with the service's words when there is too little."""
    data = collect_training_data(snapshot, read_events(snapshot, options.events))
    check_minimums(data.histories.lengths, options.events)
    return data


def collect_training_data(snapshot: Snapshot, events: pl.DataFrame) -> TrainingData:
    """Arrange events by user, and items into a catalogue, however few there are."""
    item_ids, items = encode(events["ITEM_ID"])
    user_ids, users = encode(events["USER_ID"])
    times = events["TIMESTAMP"].to_numpy()
    weights = events["weight"].to_numpy()
    histories = arrange(users, items, times, weights, len(user_ids))
    return TrainingData(histories, user_ids, _catalogue(snapshot, item_ids, items, times), snapshot)


def load_histories(snapshot: Snapshot, rules: Sequence[EventRule], catalogue: Catalogue) -> tuple[pl.Series, Histories]:
    """Read the histories of today for a model trained earlier; events on items it does not know are left out."""
    events = read_events(snapshot, rules)
    user_ids, users = encode(events["USER_ID"])
    return user_ids, _known_only(events, users, len(user_ids), catalogue)


def histories_of_one(events: pl.DataFrame, rules: Sequence[EventRule], catalogue: Catalogue) -> Histories:
    """Return one user's streamed events that count, as histories of a single user."""
    counted = counting(events.lazy(), events.columns, rules).collect()
    return _known_only(counted, np.zeros(len(counted), dtype=np.int32), 1, catalogue)


def _known_only(events: pl.DataFrame, users: Ints, n_users: int, catalogue: Catalogue) -> Histories:
    item_ids, coded = encode(events["ITEM_ID"])
    items = catalogue.find(item_ids)[coded] if len(coded) else coded
    known = items >= 0
    times, weights = events["TIMESTAMP"].to_numpy(), events["weight"].to_numpy()
    return arrange(users[known], items[known], times[known], weights[known], n_users)


def read_events(snapshot: Snapshot, rules: Sequence[EventRule]) -> pl.DataFrame:
    """Return USER_ID, ITEM_ID, TIMESTAMP and weight of the interactions that count."""
    frame = snapshot.interactions()
    return counting(frame, frame.collect_schema().names(), rules).collect()


def counting(events: pl.LazyFrame, columns: Sequence[str], rules: Sequence[EventRule]) -> pl.LazyFrame:
    """Keep the events some rule counts, with the weight the rule gives them."""
    weight = pl.lit(1.0)
    if rules:
        weight = pl.coalesce(
            [pl.when(_matches(rule, columns)).then(pl.lit(rule.weight)) for rule in rules] + [pl.lit(None, pl.Float64)]
        )
    known = pl.col("ITEM_ID").is_not_null() & (pl.col("ITEM_ID") != "") & pl.col("USER_ID").is_not_null()
    return (
        events.filter(known)
        .select("USER_ID", "ITEM_ID", pl.col("TIMESTAMP").cast(pl.Int64), weight.cast(pl.Float32).alias("weight"))
        .filter(pl.col("weight").is_not_null())
    )


def _matches(rule: EventRule, columns: Sequence[str]) -> pl.Expr:
    test = pl.lit(value=True)
    if rule.event_type is not None and rule.event_type != "*":
        test = pl.col("EVENT_TYPE") == rule.event_type if "EVENT_TYPE" in columns else pl.lit(value=False)
    if rule.least_value is not None and "EVENT_VALUE" in columns:
        test &= pl.col("EVENT_VALUE") >= rule.least_value
    return test


def check_minimums(lengths: Longs, rules: Sequence[EventRule]) -> None:
    """Fail as the service does when there are too few events or too few users with two of them.

    `lengths` is int64 of shape (users,): events of each user.

    Raises EngineError with the service's words for each minimum.
    """
    types = ", ".join(rule.event_type for rule in rules if rule.event_type)
    if lengths.sum() < _LEAST_INTERACTIONS:
        after = f" after filtering by event type: {types}" if types else ""
        raise EngineError(f"Dataset has fewer than {_LEAST_INTERACTIONS} interactions{after}")
    returning = np.count_nonzero(lengths >= 2)  # noqa: PLR2004 - "at least 2", the words of the service
    if returning < _LEAST_USERS:
        raise EngineError(
            f"Create failed. Dataset has fewer than {_LEAST_USERS} users with at least 2 interactions each."
        )
    if returning < _LEAST_SHARE_OF_USERS * len(lengths):
        raise EngineError("Create failed. Dataset has fewer than 1% of users with at least 2 interactions each.")


def _catalogue(snapshot: Snapshot, warm_ids: pl.Series, items: Ints, times: Longs) -> Catalogue:
    first = np.full(len(warm_ids), np.iinfo(np.int64).max)
    np.minimum.at(first, items, times)
    frame = snapshot.items()
    if frame is None:
        return Catalogue(warm_ids, len(warm_ids), first, None)
    rows = frame.collect()
    cold = rows.filter(~pl.col("ITEM_ID").is_in(warm_ids.implode()))["ITEM_ID"].unique().sort()
    ids = pl.concat([warm_ids, cold]) if len(cold) else warm_ids
    metadata = pl.DataFrame({"ITEM_ID": ids}).join(rows, on="ITEM_ID", how="left", maintain_order="left")
    # The guide's rule for missing dates: the oldest interaction, without any the latest of all.
    inferred = pl.Series(np.concatenate([first, np.full(len(cold), times.max(initial=0))]))
    created = inferred
    if "CREATION_TIMESTAMP" in metadata.columns:
        created = metadata["CREATION_TIMESTAMP"].cast(pl.Int64).fill_null(inferred)
    return Catalogue(ids, len(warm_ids), created.to_numpy(), metadata)


def popularity(histories: Histories, n_items: int) -> Floats:
    """Return the number of distinct users per item.

    Returns float32 of shape (n_items,).
    """
    pairs = histories.unique(n_items)
    return np.bincount(pairs.indices, minlength=n_items).astype(np.float32)


def trainable(histories: Histories, options: TrainingOptions) -> npt.NDArray[np.bool_]:
    """Return which users' histories are neither too short nor too long by the recipe's percentiles.

    Returns bool of shape (users,).
    """
    lengths = histories.lengths
    if "min_user_history_length_percentile" not in options.values or len(lengths) == 0:
        return np.ones(len(lengths), dtype=np.bool_)
    low, high = np.quantile(
        lengths,
        [options.number("min_user_history_length_percentile"), options.number("max_user_history_length_percentile")],
        method="higher",
    )
    return np.asarray((lengths >= low) & (lengths <= high))


def item_rewards(data: TrainingData, options: TrainingOptions) -> Floats | None:
    """Return the numeric column the solution optimises for, 0 where an item has none.

    Returns float32 of shape (items,).
    """
    metadata = data.catalogue.metadata
    if options.reward_column is None or metadata is None or options.reward_column not in metadata.columns:
        return None
    return metadata[options.reward_column].cast(float, strict=False).fill_null(0.0).to_numpy().astype(np.float32)
