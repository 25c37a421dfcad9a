"""Find the values of CSV files that a column cannot hold, and the line of the first of them."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from personalize_local.engine.datasets.csv_shape import affected
from personalize_local.engine.datasets.log_files import dtypes
from personalize_local.engine.datasets.schema import Field, Schema
from personalize_local.engine.datasets.schema_rules import CJK, CJK_CHARACTERS, TEXTUAL_CHARACTERS, longest

_MILLISECONDS_FROM: Final = 100_000_000_000  # the year 5138 in seconds, 1973 in milliseconds
_TIMES: Final = frozenset({"TIMESTAMP", "CREATION_TIMESTAMP", "EXPIRATION_TIMESTAMP", "ACTION_EXPIRATION_TIMESTAMP"})
_MAY_BE_EARLY: Final = frozenset({"CREATION_TIMESTAMP"})  # executed public notebooks import items from before 1970
_GUIDELINES: Final = (
    "If no values exceed the character limit, make sure your data follows the formatting guidelines: quote text with"
    " double quotes and escape quotes in it"
)


def kept(field: Field) -> pl.Expr:
    """Return the column as it is stored: textual values are cut."""
    column = pl.col(field.name)
    if not field.textual:
        return column
    shorter = pl.when(column.str.contains(CJK)).then(column.str.head(CJK_CHARACTERS))
    return shorter.otherwise(column.str.head(TEXTUAL_CHARACTERS))


def acceptable(field: Field) -> pl.Expr:
    """Return whether all typed values of the column may stay; cheap, over the whole column."""
    column = pl.col(field.name)
    tests = [pl.lit(value=True)] if field.nullable else [column.null_count() == 0]
    if field.type == "string" and not field.nullable:
        tests.append(column.str.len_bytes().min().fill_null(1) > 0)
    if field.type == "string" and not field.textual:
        tests.append(column.str.len_chars().max().fill_null(0) <= longest(field.name))
    if field.type in {"float", "double"}:
        tests.append(column.is_finite().all())
    if field.name in _TIMES:
        tests.append(column.max().fill_null(0) < _MILLISECONDS_FROM)
    if field.name in _TIMES - _MAY_BE_EARLY:
        tests.append(column.min().fill_null(0) >= 0)
    return pl.all_horizontal(tests).alias(field.name)


def first_bad_value(files: Sequence[Path], schema: Schema) -> str | None:
    """Return where the first refused value is, what it is and why, and how many rows have one; None without any."""
    refusal = None
    rows = 0
    for file in files:
        bad = _bad_rows(file, schema)
        first, count = pl.collect_all([bad.head(1), bad.select(pl.len())], engine="streaming")
        if refusal is None and first.height:
            refusal = _sentence(file, first, schema)
        rows += count.item()
    return None if refusal is None else f"{refusal} {affected(rows)}"


def _bad_rows(file: Path, schema: Schema) -> pl.LazyFrame:
    text = pl.scan_csv(file, infer_schema=False, row_index_name="#row").select("#row", *schema.columns)
    faults = [_fault(field, dtype).alias(f"#{field.name}") for field, dtype in _typed(schema)]
    return text.with_columns(faults).filter(
        pl.any_horizontal(pl.col(f"#{name}").is_not_null() for name in schema.columns)
    )


def _typed(schema: Schema) -> Iterable[tuple[Field, type[pl.DataType]]]:
    return zip(schema.fields, dtypes(schema).values(), strict=True)


def _fault(field: Field, dtype: type[pl.DataType]) -> pl.Expr:
    """Return the reason why a value is refused, null where it is not."""
    chain = pl.lit(None, dtype=pl.String)
    for refused, reason in reversed(list(_faults(field, dtype))):
        chain = pl.when(refused.fill_null(value=False)).then(pl.lit(reason)).otherwise(chain)
    return chain


def _faults(field: Field, dtype: type[pl.DataType]) -> Iterator[tuple[pl.Expr, str]]:
    column = _cell(field)
    if not field.nullable:
        yield column.is_null() | (column == ""), f"The required column {field.name} has no value"
    if field.type == "string":
        if not field.textual:
            most = longest(field.name)
            reason = f"Length cannot be more than {most} characters for {field.name}. {_GUIDELINES}"
            yield column.str.len_chars() > most, reason
        return
    typed = _typed_as(column, dtype)
    wrong = f"The value of column {field.name} is not of type {field.type}"
    yield column.is_not_null() & (typed.is_null() | ~_finite(typed, field)), wrong
    if field.name in _TIMES:
        if field.name not in _MAY_BE_EARLY:
            yield typed < 0, f"{field.name} must not be negative"
        yield typed >= _MILLISECONDS_FROM, f"{field.name} must be in seconds since 1970, not in milliseconds"


def _cell(field: Field) -> pl.Expr:
    """Return the text of the cell as the typed reader sees it: blanks before a number do not count."""
    column = pl.col(field.name)
    return column.str.strip_chars_start(" \t").replace("", None) if field.numeric else column


def _typed_as(column: pl.Expr, dtype: type[pl.DataType]) -> pl.Expr:
    if dtype == pl.Boolean:
        words = {"true": True, "false": False}
        return column.str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)
    return column.cast(dtype, strict=False)


def _finite(typed: pl.Expr, field: Field) -> pl.Expr:
    return typed.is_finite() if field.type in {"float", "double"} else pl.lit(value=True)


def _sentence(file: Path, first: pl.DataFrame, schema: Schema) -> str:
    row = first.row(0, named=True)
    name = next(name for name in schema.columns if row[f"#{name}"] is not None)
    value = f"{str(row[name])[:60]!r} in " if row[name] else ""
    number = row["#row"]
    return f"{row[f'#{name}']}. First: {value}{file.name}, line {number + 2} (row {number + 1})."
