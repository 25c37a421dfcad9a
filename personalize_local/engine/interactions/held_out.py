"""Split users as the developer guide does: some are held out, the newest part of their histories is the truth."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from personalize_local.engine.interactions.histories import Histories

_TEST_SHARE = 10  # every tenth user
_HELD_OUT = 0.1
_SEGMENT_HELD_OUT = 0.2
_MOST_SCORES = 100_000_000  # users x items that are scored to compare candidates
_MOST_USERS, _LEAST_USERS = 3_000, 200
_MOST_MEASURED = 2_000_000_000  # scores of a model that is measured: 20,000 users where there are 100,000 items
_LEAST_MEASURED = 2_000


@dataclass(frozen=True)
class HeldOut:
    """Questions and their true answers: the older and the newer part of the same users' histories."""

    past: Histories
    truth: Histories

    def first(self, users: int) -> "HeldOut":
        """Return the first so many users, or all."""
        count = min(users, len(self.past))
        return HeldOut(self.past.slice(0, count), self.truth.slice(0, count))


@dataclass(frozen=True)
class UserSplit:
    """User positions: those to fit and choose a model with, and those to measure it with."""

    fit: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]


def split_users(lengths: npt.NDArray[np.int64], seed: int) -> UserSplit:
    """Hold out every tenth user with two events or more, in an order that depends on the seed alone.

    Nothing is ever tuned on the users it is measured with. `lengths` is int64 of shape (users,): events of each user.
    """
    shuffled = np.random.default_rng(seed).permutation(len(lengths))
    test = shuffled[lengths[shuffled] > 1][::_TEST_SHARE]
    held = np.zeros(len(lengths), dtype=np.bool_)
    held[test] = True
    return UserSplit(np.flatnonzero(~held), np.sort(test))


def newest_held_out(histories: Histories, share: float = _HELD_OUT) -> HeldOut:
    """Cut each history: the newest tenth, and at least one event, is the truth; users of one event are left out."""
    able = histories.of(np.flatnonzero(histories.lengths > 1))
    truth_sizes = np.ceil(share * able.lengths).astype(np.int64)
    newer = able.ages() < np.repeat(truth_sizes, able.lengths)
    return HeldOut(able.where(~newer), able.where(newer))


def segments_held_out(histories: Histories) -> HeldOut:
    """Cut every user's history for segments: the newest fifth is the truth; single events stay with the past."""
    newer = histories.ages() < np.repeat(np.floor(_SEGMENT_HELD_OUT * histories.lengths), histories.lengths)
    return HeldOut(histories.where(~newer), histories.where(newer))


def sampled(held_out: HeldOut, n_items: int, seed: int) -> HeldOut:
    """Return as many of the users, drawn by the seed, as can be afforded."""
    return _drawn(held_out, min(_MOST_USERS, max(_LEAST_USERS, _MOST_SCORES // max(1, n_items))), seed)


def measurable(held_out: HeldOut, n_items: int, seed: int) -> HeldOut:
    """Return the users a model is measured with: all that can be afforded, far more than those it is chosen with."""
    return _drawn(held_out, max(_LEAST_MEASURED, _MOST_MEASURED // max(1, n_items)), seed)


def _drawn(held_out: HeldOut, most: int, seed: int) -> HeldOut:
    if len(held_out.past) <= most:
        return held_out
    users = np.random.default_rng(seed).permutation(len(held_out.past))[:most]  # the first are drawn, too
    return HeldOut(held_out.past.of(users), held_out.truth.of(users))
