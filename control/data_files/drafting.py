"""Draft a request from the headers and first rows of data files: which dataset each is for, what its columns mean."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from control.data_files.epoch_seconds import seconds_of
from control.data_files.text_files import UnreadableFileError, form_of, open_rows
from lambdas.bucket_layout import DatasetName
from lambdas.file_checks.columns import NULL_WORDS

SAMPLE_ROWS: Final = 1_000
_LONGEST_WORDS: Final = 60  # characters; cells that are longer on average are prose
_MOST_OWN_COLUMNS: Final = {"interactions": 5, "action_interactions": 5}
# What other programs call the columns that the service reserves; compared without case and punctuation.
_ALIASES: Final[Mapping[str, str]] = {
    "USER_ID": "userid user uid customerid customer visitorid memberid reviewerid accountid personid",
    "ITEM_ID": "itemid item iid movieid productid product articleid asin parentasin sku contentid videoid trackid "
    "songid bookid isbn showid gameid businessid",
    "ACTION_ID": "actionid",
    "TIMESTAMP": "timestamp time ts unixtime unixreviewtime datetime date eventtime createdat ratedat timestampms",
    "EVENT_TYPE": "eventtype event interactiontype behavior behaviour",
    "EVENT_VALUE": "eventvalue rating score stars overall",
    "CREATION_TIMESTAMP": "creationtimestamp creationtime releasedate releasedat publishedat",
}
_OF_DATASET: Final[Mapping[DatasetName, frozenset[str]]] = {
    "interactions": frozenset({"USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE"}),
    "items": frozenset({"ITEM_ID", "CREATION_TIMESTAMP"}),
    "users": frozenset({"USER_ID"}),
    "actions": frozenset({"ACTION_ID", "CREATION_TIMESTAMP"}),
    "action_interactions": frozenset({"USER_ID", "ACTION_ID", "TIMESTAMP", "EVENT_TYPE"}),
}
_TYPES: Final[Mapping[str, Any]] = {
    "TIMESTAMP": "long",
    "CREATION_TIMESTAMP": ["null", "long"],
    "EVENT_VALUE": ["null", "float"],
}
_WHOLE: Final = re.compile(r"[-+]?\d{1,18}")
_NUMBER: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_USERS_BY_NAME: Final = re.compile(r"user|customer|member|account", re.IGNORECASE)


@dataclass(frozen=True)
class DraftedDataset:
    """What a file seems to be: its dataset, the schema's name of each of its columns, and their types."""

    path: Path
    dataset: DatasetName
    header: tuple[str, ...]
    renamed: Mapping[str, str]  # the file's name of a column to the schema's; columns that are left out are missing
    columns: Mapping[str, Any]
    remarks: tuple[str, ...]


def draft_dataset(path: Path, dataset: DatasetName | None = None) -> DraftedDataset:
    """Say what a file seems to be. Raises UnreadableFileError and OSError."""
    with open_rows(path, form_of(path)) as rows:
        header = [name.strip() for name in next(rows, [])]
        sample = [row for row in islice(rows, SAMPLE_ROWS) if len(row) == len(header)]
    _refuse_data_as_header(path, header)
    named = _named(path, header)
    kind = dataset or _dataset_of(path, set(named.values()))
    renamed, remarks = _renamed(kind, header, named)
    cells = {renamed[name]: [row[place] for row in sample] for place, name in enumerate(header) if name in renamed}
    columns = {name: _type(kind, name, values) for name, values in cells.items()}
    if missing := [name for name in sorted(_OF_DATASET[kind]) if _is_required(name) and name not in columns]:
        raise UnreadableFileError(f"{path}: {kind} need the columns {', '.join(missing)}; it has {', '.join(header)}")
    return DraftedDataset(path, kind, tuple(header), renamed, _one_text(columns, cells), tuple(remarks))


def draft_request(group: str, datasets: Sequence[DraftedDataset]) -> dict[str, Any]:
    """Return a request for these files: import them, train User-Personalization, and serve it from one campaign."""
    wanted = {drafted.dataset: {"columns": dict(drafted.columns)} for drafted in datasets}
    if "interactions" not in wanted:
        return {"datasetGroup": group, "datasets": wanted}
    solution = {
        "name": f"{group}-user-personalization",
        "recipeArn": "aws-user-personalization",
        "campaigns": [{"name": f"{group}-user-personalization", "minProvisionedTPS": 1}],
    }
    return {"datasetGroup": group, "datasets": wanted, "solutions": [solution]}


def _refuse_data_as_header(path: Path, header: Sequence[str]) -> None:
    if all(re.fullmatch(r"[\d.\-: ]*", name) for name in header):
        raise UnreadableFileError(
            f"{path}: the first line is data ({', '.join(header[:4])}…); put the names of the columns above it"
        )


def _named(path: Path, header: Iterable[str]) -> dict[str, str]:
    """Return the schema's name of each column."""
    named: dict[str, str] = {}
    for name in header:
        known = _known(name)
        named[name] = known if known and known not in named.values() else _own_name(name)
    for name in header:
        if name.lower() == "id" and not {"ITEM_ID", "USER_ID"} & set(named.values()):
            named[name] = "USER_ID" if _USERS_BY_NAME.search(path.stem) else "ITEM_ID"
    return named


def _known(name: str) -> str | None:
    letters = re.sub(r"[^a-z0-9]", "", name.lower())
    return next((known for known, aliases in _ALIASES.items() if letters in aliases.split()), None)


def _own_name(name: str) -> str:
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    legal = re.sub(r"[^A-Za-z0-9]+", "_", apart).strip("_").upper() or "COLUMN"
    return legal if legal[0].isalpha() else f"_{legal}"


def _dataset_of(path: Path, names: set[str]) -> DatasetName:
    if {"USER_ID", "ACTION_ID"} <= names:
        return "action_interactions"
    if {"USER_ID", "ITEM_ID"} <= names:
        return "interactions"
    by_id: Mapping[str, DatasetName] = {"ACTION_ID": "actions", "ITEM_ID": "items", "USER_ID": "users"}
    if found := next((dataset for name, dataset in by_id.items() if name in names), None):
        return found
    wanted = "interactions have USER_ID, ITEM_ID and TIMESTAMP, items ITEM_ID, users USER_ID"
    raise UnreadableFileError(f"{path}: no column names a user or an item ({', '.join(sorted(names))}); {wanted}")


def _renamed(kind: DatasetName, header: Sequence[str], named: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    reserved, remarks = _OF_DATASET[kind], []
    kept: dict[str, str] = {}
    own = 0
    for name in header:
        target = named[name] if named[name] in reserved or named[name] not in _ALIASES else _own_name(name)
        if target in kept.values():
            remarks.append(f"{name} is left out: another column is called {target}")
        elif target not in reserved and own == _MOST_OWN_COLUMNS.get(kind, len(header)):
            remarks.append(f"{name} is left out: {kind} have at most {own} columns of their own")
        else:
            kept[name] = target
            own += target not in reserved
    return kept, remarks


def _is_required(name: str) -> bool:
    return name.endswith("_ID") or name == "TIMESTAMP"


def _type(kind: DatasetName, name: str, cells: Sequence[str]) -> Any:
    if name in _OF_DATASET[kind]:
        is_action_event = (kind, name) == ("action_interactions", "EVENT_TYPE")
        return "string" if is_action_event else _TYPES.get(name, "string")
    values = [cell.strip() for cell in cells if cell.strip() and cell.strip().lower() not in NULL_WORDS]
    if values and all(_WHOLE.fullmatch(value) for value in values):
        return ["null", "long"]
    if values and all(_NUMBER.fullmatch(value) for value in values):
        return ["null", "double"]
    if "TIMESTAMP" in name.split("_") and values and all(seconds_of(value) is not None for value in values):
        return ["null", "long"]
    text: dict[str, Any] = {"type": ["null", "string"]}
    return {**text, "categorical": True} if _are_categories(values) else text


def _are_categories(values: Sequence[str]) -> bool:
    """Say whether cells come from a small set of words, one or several in each: ``Comedy|Romance``."""
    words = [word for value in values for word in value.split("|")]
    return bool(words) and len(set(words)) <= len(words) / 2


def _one_text(columns: Mapping[str, Any], cells: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the columns with the longest prose marked as textual: a dataset of items has at most one such column."""
    prose = {
        name: sum(map(len, cells[name])) / len(cells[name])
        for name, declared in columns.items()
        if isinstance(declared, dict) and "categorical" not in declared and cells[name]
    }
    longest = max(prose, key=lambda name: prose[name], default=None)
    if longest is None or prose[longest] <= _LONGEST_WORDS or "ITEM_ID" not in columns or "USER_ID" in columns:
        return dict(columns)
    return {**columns, longest: {**columns[longest], "textual": True}}
