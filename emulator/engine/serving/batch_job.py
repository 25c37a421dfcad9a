"""Batch jobs: JSON Lines in, one `.out` file of JSON Lines per input file, a bounded number of lines in memory."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import BinaryIO

import polars as pl

from emulator.engine.api import BatchReport, BatchSpec, EngineError
from emulator.engine.datasets.snapshot import Snapshot
from emulator.engine.serving.batch_lists import BatchLists
from emulator.engine.serving.batch_ranking import RANKINGS_PER_CHUNK, rank_records
from emulator.engine.serving.batch_records import FIELDS, BatchRecords, read_records
from emulator.engine.serving.batch_segments import FIELDS as SEGMENT_FIELDS
from emulator.engine.serving.batch_segments import SEGMENTS_PER_CHUNK, BatchSegments
from emulator.engine.serving.batch_themes import THEMES_PER_CHUNK, BatchThemes
from emulator.engine.serving.item_model import ItemModel, Model, load_model
from emulator.engine.serving.segment_model import SegmentModel

_LOGGER = logging.getLogger(__name__)

Answer = Callable[[BatchRecords], pl.Series]
"""Returns the `output` of each line as JSON text; what it says about lines with errors is ignored."""


def run_batch(spec: BatchSpec, model_directory: Path, live: Snapshot) -> BatchReport:
    """Answer every line of every input file; a line that cannot be answered says why in its own output line.

    Users' histories are those of `live`; everything else is the model's.
    """
    answer, fields, chunk_size = _answerer(spec, load_model(model_directory), live)
    outputs, records, errors = [], 0, 0
    for path in spec.inputs:
        target = spec.output_directory / f"{path.name}.out"
        spec.output_directory.mkdir(parents=True, exist_ok=True)
        lines, wrong = _write(read_records(path, fields, chunk_size), answer, target)
        _LOGGER.info("%s: %d lines answered, %d of them with an error", path.name, lines, wrong)
        outputs.append(target)
        records, errors = records + lines, errors + wrong
    return BatchReport(outputs, records, errors)


def _answerer(spec: BatchSpec, model: Model, live: Snapshot) -> tuple[Answer, tuple[str, ...], int]:
    """Return what answers a chunk of records, the fields a record needs, and how many go in a chunk."""
    if isinstance(model, SegmentModel):
        return BatchSegments(spec, model, live).answer, (SEGMENT_FIELDS[model.recipe.family],), SEGMENTS_PER_CHUNK
    if not isinstance(model, ItemModel) or model.recipe.family == "trending":
        raise EngineError("The recipe of this solution version does not answer batch jobs")
    lists = BatchLists(spec, model, live)
    fields = FIELDS[model.recipe.asked]
    if spec.theme_item_name is not None:
        if model.recipe.family != "similar_items":
            raise EngineError("Themes can be generated with the Similar-Items recipe only")
        return BatchThemes(lists, spec.theme_item_name).answer, fields, THEMES_PER_CHUNK
    if model.recipe.asked == "list":
        return partial(rank_records, lists), fields, RANKINGS_PER_CHUNK
    return lists.answer, fields, lists.chunk_size


def _write(chunks: Iterator[BatchRecords], answer: Answer, target: Path) -> tuple[int, int]:
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
