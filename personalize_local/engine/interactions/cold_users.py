"""Score items for users without history: what is more popular among users described alike than among all."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from personalize_local.engine.datasets.snapshot import Snapshot
from personalize_local.engine.interactions.histories import Floats, find
from personalize_local.engine.interactions.model_files import load_arrays, save_arrays
from personalize_local.engine.interactions.sparse_matrices import from_cells
from personalize_local.engine.interactions.training_data import TrainingData
from personalize_local.engine.interactions.training_options import TrainingOptions

_LEAST_USERS = 20  # with a value, for it to say something
_MOST_VALUES = 200
_PRIOR_USERS = 50.0  # a value's users are pulled towards all users by as many
_FOLDER = "cold_users"


@dataclass(frozen=True)
class ColdUsers:
    """Which values each user of the Users dataset has, and what each value adds to an item's logit."""

    user_ids: pl.Series  # sorted
    values: npt.NDArray[np.int32]  # users x columns: rows of `lifts`, -1 for values that say nothing
    lifts: Floats  # values x items

    def add(self, users: pl.Series | list[str], out: npt.NDArray[np.float32]) -> None:
        """Add to the rows of `out` what the metadata of each user says; unknown users stay as they are.

        `out` is float32 of shape (users, items).
        """
        positions = find(self.user_ids, users)
        for row in np.flatnonzero(positions >= 0):
            held = self.values[positions[row]]
            out[row] += self.lifts[held[held >= 0]].sum(axis=0)

    def save(self, directory: Path) -> None:
        """Write the values and their lifts into the model's folder."""
        save_arrays(directory / _FOLDER, {"values": self.values, "lifts": self.lifts})
        pl.DataFrame({"USER_ID": self.user_ids}).write_parquet(directory / _FOLDER / "users.parquet")

    @staticmethod
    def load(directory: Path) -> "ColdUsers | None":
        """Return what `save` wrote; None when the model has no user metadata."""
        if not (directory / _FOLDER).exists():
            return None
        arrays = load_arrays(directory / _FOLDER)
        users = pl.read_parquet(directory / _FOLDER / "users.parquet")["USER_ID"]
        return ColdUsers(users, arrays["values"], np.asarray(arrays["lifts"]))


def fit_cold_users(snapshot: Snapshot, data: TrainingData, options: TrainingOptions) -> ColdUsers | None:
    """Compare the items of users with each value of a string column with those of all users."""
    frame = snapshot.users()
    if frame is None:
        return None
    users = frame.collect().unique("USER_ID", keep="last").sort("USER_ID")
    texts = [name for name, kind in users.schema.items() if kind == pl.String and name != "USER_ID"]
    columns = options.columns("USERS", texts)
    trained = find(users["USER_ID"], data.user_ids)
    codes = [_codes(users[name], trained[trained >= 0]) for name in columns]
    if not any(len(values) for values, _ in codes):
        return None
    starts = np.cumsum([0, *(len(values) for values, _ in codes)])
    rows = [np.where(code >= 0, code + start, -1) for (_, code), start in zip(codes, starts[:-1], strict=True)]
    held = np.stack(rows, axis=1).astype(np.int32)
    return ColdUsers(users["USER_ID"], held, _lifts(data, trained, held, int(starts[-1])))


def _codes(column: pl.Series, trained: npt.NDArray[np.int32]) -> tuple[pl.Series, npt.NDArray[np.int64]]:
    """Return a column's frequent values among trained users, and each user's place among those."""
    counts = column.gather(trained).drop_nulls().value_counts(sort=True)
    frequent = counts.filter(pl.col("count") >= _LEAST_USERS)[column.name].head(_MOST_VALUES).sort()
    return frequent, find(frequent, column).astype(np.int64)


def _lifts(data: TrainingData, trained: npt.NDArray[np.int32], held: npt.NDArray[np.int32], n_values: int) -> Floats:
    """Return log of how much likelier users with the value have an item, pulled towards no difference."""
    pairs = data.histories.unique(len(data.catalogue))
    known = np.flatnonzero(trained >= 0)
    values = held[trained[known]]
    row, column = np.nonzero(values >= 0)
    member = from_cells(np.ones(len(row)), values[row, column], known[row], (n_values, len(trained)))
    counts = np.asarray((member @ pairs).toarray())
    sizes = np.asarray(member.sum(axis=1)).reshape(-1, 1)
    share = np.maximum(np.bincount(pairs.indices, minlength=len(data.catalogue)), 0.5) / len(trained)
    return np.log((counts + _PRIOR_USERS * share) / ((sizes + _PRIOR_USERS) * share)).astype(np.float32)
