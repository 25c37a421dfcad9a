"""Run a batch job: JSON Lines in, one `.out` file per input file, a bounded number of lines in memory."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import polars as pl

from personalize_local.engine.api import BatchReport, BatchSpec
from personalize_local.engine.datasets.snapshot import Snapshot
from personalize_local.engine.serving.batch_records import BatchRecords, read_records
from personalize_local.engine.serving.served_models import ServedModel

_LOGGER = logging.getLogger(__name__)


def run_batch(spec: BatchSpec, model: ServedModel, live: Snapshot) -> BatchReport:
    """Answer every line of every input file; a line that cannot be answered says why in its own output line.

    Users' histories are those of `live`; everything else is the model's.
    """
    answers = model.batch(spec, live)
    outputs, records, errors = [], 0, 0
    for path in spec.inputs:
        target = spec.output_directory / f"{path.name}.out"
        spec.output_directory.mkdir(parents=True, exist_ok=True)
        chunks = read_records(path, answers.fields, answers.chunk_size)
        lines, wrong = _write(chunks, answers.answer, target)
        _LOGGER.info("%s: %d lines answered, %d of them with an error", path.name, lines, wrong)
        outputs.append(target)
        records, errors = records + lines, errors + wrong
    return BatchReport(outputs, records, errors)


def _write(
    chunks: Iterator[BatchRecords], answer: Callable[[BatchRecords], pl.Series], target: Path
) -> tuple[int, int]:
    lines, wrong = 0, 0
    with target.open("wb") as file, ThreadPoolExecutor(1) as writer:
        written: Future[None] | None = None
        for records in chunks:
            outputs = answer(records)
            if written is not None:
                written.result()  # one chunk is written while the next is answered
            written = writer.submit(_write_lines, records, outputs, file)
            lines += len(records)
            wrong += len(records) - records.errors.null_count()
            _LOGGER.info("%s: %d lines", target.name, lines)
        if written is not None:
            written.result()
    return lines, wrong


def _write_lines(records: BatchRecords, outputs: pl.Series, file: BinaryIO) -> None:
    as_lines(records, outputs).write_csv(file, include_header=False, quote_style="never")


def as_lines(records: BatchRecords, outputs: pl.Series) -> pl.DataFrame:
    """Return the output lines: the input echoed, the output or an empty one, and the error or null."""
    frame = pl.DataFrame({"echo": records.echo, "output": outputs, "error": records.errors})
    right = pl.col("error").is_null()
    return frame.select(
        pl.concat_str(
            pl.lit('{"input":'),
            "echo",
            pl.lit(',"output":'),
            pl.when(right).then("output").otherwise(pl.lit('{"recommendedItems":[]}')),
            pl.lit(',"error":'),
            pl.when(right).then(pl.lit("null")).otherwise("error"),
            pl.lit("}"),
        )
    )
