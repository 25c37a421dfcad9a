"""Check a data file on a person's machine, by the very rules that an upload is checked by."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from control.data_files.drafting import DraftedDataset, draft_dataset
from lambdas.bucket_layout import DatasetName
from lambdas.file_checks.columns import Column, columns_of
from lambdas.file_checks.csv_check import InspectionProgress, Inspector
from lambdas.requests.request import Request

_PIECE_BYTES: Final = 8 << 20


class UnknownDatasetError(Exception):
    """The request does not say what the columns of a file's dataset are."""


@dataclass(frozen=True)
class FileKind:
    """What a file is for: its dataset, the columns that are asked of it, and its own names for them."""

    dataset: DatasetName
    columns: tuple[Column, ...]
    renamed: Mapping[str, str]  # the file's name of a column to the schema's
    drafted: DraftedDataset


def kind_of(path: Path, request: Request | None = None, dataset: DatasetName | None = None) -> FileKind:
    """Say what a file is for: its columns as the request has them, or as the file itself suggests.

    Raises UnknownDatasetError, UnreadableFileError and OSError.
    """
    drafted = draft_dataset(path, dataset)
    declared = drafted.columns if request is None else _declared(request, drafted.dataset, path)
    by_letters = {name.upper(): name for name in declared}
    renamed = {name: by_letters.get(name.upper(), drafted.renamed.get(name, name)) for name in drafted.header}
    return FileKind(drafted.dataset, columns_of(schema_text(declared), drafted.dataset), renamed, drafted)


def check(path: Path, columns: tuple[Column, ...]) -> InspectionProgress:
    """Return what an inspection of the file finds, in memory that does not grow with the file. Raises OSError."""
    inspector = Inspector(columns)
    with path.open("rb") as file:
        while not inspector.progress.hopeless and (piece := file.read(_PIECE_BYTES)):
            inspector.feed(piece)
    if not inspector.progress.hopeless:
        inspector.finish()
    return inspector.progress


def schema_text(declared: Mapping[str, Any]) -> str:
    """Return the Avro document of columns as a request declares them."""
    fields = [
        {"name": name, **(kind if isinstance(kind, Mapping) else {"type": kind})} for name, kind in declared.items()
    ]
    return json.dumps({"fields": fields})


def _declared(request: Request, dataset: DatasetName, path: Path) -> Mapping[str, Any]:
    wanted = request.datasets.get(dataset)
    if wanted is None:
        raise UnknownDatasetError(f"{path} holds {dataset}, which the request does not have: add them, or name another")
    if wanted.declared_columns is None:
        raise UnknownDatasetError(f"{path}: the columns of {dataset} are those of {wanted.schema_arn}; ask the service")
    return wanted.declared_columns
