"""Explore: give some places of a list to new items little is known about, drawn by how well they fit.

Chance is a hash of the model's seed, user and item: the same question gets the same answer, alone or in a batch.
"""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from personalize_local.engine.interactions.training_data import Catalogue

Lists = npt.NDArray[np.int32]
Keys = npt.NDArray[np.uint64]
Values = TypeVar("Values", Lists, npt.NDArray[np.float32])

_SECONDS_PER_DAY = 86_400.0
_AGE_CUT_OFF_DAYS = 30.0
_MOST_NEW_ITEMS = 200
_RULED_OUT = -500.0  # items filtered away, and those a user already has
_LEAST_SPREAD = 1.0  # of the logits drawn by, as a standard deviation: that of the draw's own noise is 1.3
_NO_SPREAD = 1e-3  # items that nothing tells apart stay so
_HOW_MANY, _WHERE = 1 << 40, 1 << 41  # salts, apart from every item's position


@dataclass(frozen=True)
class Exploration:
    """What share of the places to give away, and to which new items."""

    weight: float
    new_items: npt.NDArray[np.int64]

    def draw(self, logits: npt.NDArray[np.float32], keys: Keys, count: int) -> Lists:
        """Return for each row new items, drawn without replacement with the probabilities the model gives them.

        Where these hardly differ, they are sharpened: chance alone would decide. Items that are filtered away or that
        the user already has are never drawn; missing draws are -1.

        `logits` is float32 of shape (lists, items), `keys` uint64 of shape (lists,), the answer int32 of shape
        (lists, count).
        """
        chances = _told_apart(logits[:, self.new_items]) + _gumbel(keys, self.new_items)
        order = np.argsort(-chances, axis=1, kind="stable")[:, :count]
        drawn = self.new_items[order].astype(np.int32)
        drawn[~(np.take_along_axis(chances, order, axis=1) > _RULED_OUT)] = -1
        return drawn

    def plan(self, listed: Lists, drawn: Lists, keys: Keys) -> "Swap":
        """Return which places to give to which drawn items that are not listed already.

        `listed` and `drawn` are int32 of shape (lists, places), `keys` uint64 of shape (lists,).
        """
        filled = (listed >= 0).sum(axis=1)
        wanted = (self.weight * filled + _uniform(keys, np.array([_HOW_MANY]))[:, 0]).astype(np.int64)
        fresh = (drawn >= 0) & ~(drawn[:, :, None] == listed[:, None, :]).any(axis=2)
        chosen = fresh & (np.cumsum(fresh, axis=1) <= np.minimum(wanted, filled)[:, None])
        places, column = chosen.sum(axis=1), np.arange(listed.shape[1])
        there = column < filled[:, None]
        order = np.where(there, _uniform(keys, _WHERE + column), np.inf)
        explored = np.argsort(np.argsort(order, axis=1), axis=1) < places[:, None]
        return Swap(explored, chosen, there & ~explored, column < (filled - places)[:, None])


@dataclass(frozen=True)
class Swap:
    """Lists before and after exploration, as masks: works on items and on their scores alike."""

    explored: npt.NDArray[np.bool_]  # places given away
    drawn: npt.NDArray[np.bool_]  # draws that get them
    places: npt.NDArray[np.bool_]  # places of what stays
    stays: npt.NDArray[np.bool_]

    def apply(self, listed: Values, drawn: Values) -> Values:
        """Return the lists with the drawn values in their places and the best of the others in the rest.

        Returns int32 positions or float32 scores, both of shape (lists, places).
        """
        answer = listed.copy()
        answer[self.explored] = drawn[self.drawn]
        answer[self.places] = listed[self.stays]
        return answer


def exploration_of(
    automatic_weight: float | None, config: Mapping[str, Any], catalogue: Catalogue, newest_event: float
) -> Exploration | None:
    """Return how a campaign or batch job explores; None when it does not.

    `automatic_weight` is the recipe's own share of places for new items, which an itemExplorationConfig replaces.
    An item is new up to the age cut-off, seen from the newest interaction the model was trained on. Of many, the newest
    are considered.
    """
    if automatic_weight is None:
        return None
    given = config.get("itemExplorationConfig") or {}
    weight = float(given.get("explorationWeight", automatic_weight))
    cut_off = float(given.get("explorationItemAgeCutOff", _AGE_CUT_OFF_DAYS))
    new = np.flatnonzero(catalogue.created >= newest_event - cut_off * _SECONDS_PER_DAY)
    if weight <= 0 or len(new) == 0:
        return None
    newest = new[np.argsort(-catalogue.created[new], kind="stable")[:_MOST_NEW_ITEMS]]
    return Exploration(min(weight, 1.0), np.sort(newest))


def keys_for(seed: int, users: Iterable[str | None]) -> Keys:
    """Return a number for each user, the same whenever the same model is asked.

    Returns uint64 of the length of `users`.
    """
    return np.array([zlib.crc32((user or "").encode()) for user in users], dtype=np.uint64) ^ np.uint64(
        (seed & 0xFFFFFFFF) << 32
    )


def _told_apart(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return logits, float32, of which those that are not ruled out spread by `_LEAST_SPREAD` in each row at least."""
    possible = logits > _RULED_OUT
    counts = np.maximum(possible.sum(axis=1, keepdims=True), 1)
    means = np.where(possible, logits, 0).sum(axis=1, keepdims=True) / counts
    apart = np.where(possible, logits - means, 0)
    spreads = np.sqrt((apart**2).sum(axis=1, keepdims=True) / counts)
    stretched = means + apart * np.maximum(1, _LEAST_SPREAD / np.maximum(spreads, _NO_SPREAD))
    return np.asarray(np.where(possible, stretched, logits), dtype=np.float32)


def _uniform(keys: Keys, salts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return numbers in (0, 1), hashed from every pair of key and salt (splitmix64)."""
    with np.errstate(over="ignore"):
        mixed = keys[:, None] + (salts.astype(np.uint64) + np.uint64(1))[None, :] * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return np.asarray(((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53)


def _gumbel(keys: Keys, items: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    return np.asarray(-np.log(-np.log(_uniform(keys, items))), dtype=np.float32)
