"""Turn the texts of items into weighted words."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from personalize_local.engine.datasets.schema import Schema
from personalize_local.engine.interactions.sparse_matrices import Sparse, cells_of, from_cells, from_rows
from personalize_local.engine.interactions.training_data import Catalogue

_WORD = r"[\p{L}\p{N}][\p{L}\p{N}'-]+"
_MOST_COMMON = 0.5  # words in more items than this share say nothing
_DULL = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "but",
        "by",
        "for",
        "from",
        "has",
        "have",
        "he",
        "her",
        "his",
        "in",
        "into",
        "is",
        "it",
        "its",
        "not",
        "of",
        "on",
        "or",
        "she",
        "so",
        "that",
        "the",
        "their",
        "them",
        "they",
        "this",
        "to",
        "was",
        "we",
        "were",
        "who",
        "will",
        "with",
        "you",
        "your",
    ]
)


def text_columns(catalogue: Catalogue, schema: Schema | None) -> list[str]:
    """Return the columns that describe items in words: textual, categorical and names first, else every string."""
    if catalogue.metadata is None:
        return []
    strings = [name for name, kind in catalogue.metadata.schema.items() if kind == pl.String and name != "ITEM_ID"]
    flagged = (schema.field(name) for name in strings) if schema else ()
    marked = [field.name for field in flagged if field and (field.textual or field.categorical or field.item_name)]
    return marked or strings


def words(catalogue: Catalogue, columns: Sequence[str]) -> pl.DataFrame:
    """Return (row, word) for every different word of every item."""
    if catalogue.metadata is None or not columns:
        return pl.DataFrame(schema={"row": pl.Int64, "word": pl.String})
    text = pl.concat_str([pl.col(name).fill_null("") for name in columns], separator=" ").str.to_lowercase()
    return (
        catalogue.metadata.select(row=pl.int_range(pl.len()), word=text.str.extract_all(_WORD))
        .explode("word")
        .drop_nulls()
        .filter(~pl.col("word").is_in(list(_DULL)))
        .unique()
        .sort("row", "word")
    )


def weighted_words(catalogue: Catalogue, columns: Sequence[str]) -> tuple[Sparse, pl.Series]:
    """Return items x words, rare words weighing more, rows of length one; and the words.

    The matrix is float32 of shape (items, words).
    """
    found = words(catalogue, columns)
    counts = found.group_by("word").len().filter(pl.col("len") <= max(1.0, _MOST_COMMON * len(catalogue))).sort("word")
    vocabulary = counts.select("word", "len", column=pl.int_range(pl.len()))
    cells = found.join(vocabulary, on="word", maintain_order="left")
    weights = np.log1p(len(catalogue) / cells["len"].to_numpy()) if len(cells) else np.zeros(0)
    shape = (len(catalogue), max(1, len(vocabulary)))
    matrix = from_cells(weights, cells["row"].to_numpy(), cells["column"].to_numpy(), shape)
    data, rows, _ = cells_of(matrix)
    lengths = np.sqrt(np.maximum(np.bincount(rows, weights=data**2, minlength=len(catalogue)), 1e-12))
    return from_rows((data / lengths[rows]).astype(np.float32), matrix.indices, matrix.indptr, shape[1]), vocabulary[
        "word"
    ]
