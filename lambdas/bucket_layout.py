"""Say what an object's key means, and where things are put: the only module that knows the bucket's layout."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from lambdas.names import cut_bytes

UPLOADS = "uploads/"
REQUESTS = "requests/"
STAGING = "staging/"
REJECTED = "rejected/"
RESULTS = "results/"
RUNS = "runs/"
IMPORTED_TAG = ("ledger", "IMPORTED")  # of uploads that the bucket's lifecycle may delete
WATCHED = (UPLOADS, REQUESTS)  # what is created below these starts something

# A key ends at 1,024 bytes, and ".json" is added.
_LONGEST_STEM = 1000

DatasetName = Literal["interactions", "items", "users", "actions", "action_interactions"]
DATASETS: tuple[DatasetName, ...] = get_args(DatasetName)

# Hadoop and what came after it hide what begins with a dot or an underscore; Athena describes its results beside them.
_SIDE_FILE = re.compile(r"[._].*|.*\.(crc|metadata)", re.DOTALL)

# The service's own rule for the name of a dataset group (shape Name of CreateDatasetGroup).
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,62}")


@dataclass(frozen=True)
class DatasetFile:
    """A file to import: `uploads/<group>/<dataset>/**`, or below `full/` to replace what the dataset holds."""

    group: str
    dataset: str
    key: str
    full: bool

    @property
    def dataset_key(self) -> str:
        """Return the name that this file's dataset goes by in the ledger."""
        return dataset_key_of(self.group, self.dataset)


@dataclass(frozen=True)
class BatchInput:
    """The input of a batch job: `uploads/<group>/batch/<template>/**`."""

    group: str
    template: str
    key: str


@dataclass(frozen=True)
class UserList:
    """Users to delete from a group's datasets: `uploads/<group>/deletions/**.csv`."""

    group: str
    key: str


@dataclass(frozen=True)
class GroupRequest:
    """What a dataset group should look like: `requests/<group>.json`."""

    group: str
    key: str


@dataclass(frozen=True)
class Misplaced:
    """A key below a watched prefix that means nothing to us; the reason is for the person who put it there."""

    dataset_key: str
    key: str
    reason: str


@dataclass(frozen=True)
class Ignored:
    """A key that is no file: the markers that consoles leave when somebody makes a folder."""

    key: str


@dataclass(frozen=True)
class SideFile:
    """What Spark and Athena leave beside their files: `_SUCCESS`, `.part-0.csv.crc`, `result.csv.metadata`."""

    group: str
    dataset: str
    key: str

    @property
    def dataset_key(self) -> str:
        """Return the name that the dataset whose folder it lies in goes by in the ledger."""
        return dataset_key_of(self.group, self.dataset)


Meaning = DatasetFile | SideFile | BatchInput | UserList | GroupRequest | Misplaced | Ignored


def dataset_key_of(group: str, dataset: str) -> str:
    """Return the ledger's name for one dataset of one group."""
    return f"{group}/{dataset}"


def request_key(group: str) -> str:
    """Return where a group's request is kept."""
    return f"{REQUESTS}{group}.json"


def run_request_key(group: str, content_digest: str) -> str:
    """Return where a run's stages find the request that it was planned from, whatever becomes of the group's own."""
    return f"{RUNS}{group}/{content_digest}.json"


def batch_input_folder(group: str, template: str) -> str:
    """Return the folder that a batch template's input is uploaded to."""
    return f"{UPLOADS}{group}/batch/{template}/"


def results_folder(group: str, template: str, run: str) -> str:
    """Return the folder that the batch job of one run writes to."""
    return f"{RESULTS}{group}/{template}/{run}/"


def report_stem(key: str) -> str:
    """Return what the keys of an upload's reports begin with."""
    return cut_bytes(f"{REJECTED}{key.removeprefix(UPLOADS)}.report", _LONGEST_STEM)


def staging_folder(dataset_key: str, batch: str) -> str:
    """Return the folder that several files of one import job are copied to."""
    return f"{STAGING}{dataset_key}/{batch}/"


def user_list_folder(group: str, job: str) -> str:
    """Return the folder that a data deletion job reads: one list, and nothing else."""
    return f"{STAGING}{group}/deletions/{job}/"


def parse_key(key: str) -> Meaning:
    """Say what an object is for, from its key alone."""
    if key.endswith("/"):
        return Ignored(key)
    if key.startswith(REQUESTS):
        return _parse_request(key)
    return _parse_upload(key)


def _parse_request(key: str) -> Meaning:
    group = key.removeprefix(REQUESTS).removesuffix(".json")
    if key.endswith(".json") and _NAME.fullmatch(group):
        return GroupRequest(group, key)
    return Misplaced("requests", key, "a request is named requests/<dataset group>.json, with letters, digits, - and _")


def _parse_upload(key: str) -> Meaning:
    group, _, rest = key.removeprefix(UPLOADS).partition("/")
    kind, _, name = rest.partition("/")
    dataset_key = dataset_key_of(group, kind or "-")
    if not key.startswith(UPLOADS) or not name:
        return Misplaced(dataset_key, key, "an upload is put below uploads/<dataset group>/<dataset>/")
    if not _NAME.fullmatch(group):
        return Misplaced(dataset_key, key, f"{group!r} cannot be the name of a dataset group")
    if kind == "batch":
        return _parse_batch(group, name, key)
    if kind not in (*DATASETS, "deletions"):
        known = ", ".join(DATASETS)
        return Misplaced(dataset_key, key, f"{kind!r} is no dataset; there are {known}, and batch and deletions")
    if _SIDE_FILE.fullmatch(name.rpartition("/")[2]):
        return SideFile(group, kind, key)
    is_list = kind == "deletions"
    return UserList(group, key) if is_list else DatasetFile(group, kind, key, full=name.startswith("full/"))


def _parse_batch(group: str, name: str, key: str) -> Meaning:
    template, slash, _ = name.partition("/")
    if not slash:
        return Misplaced(
            dataset_key_of(group, "batch"), key, "batch input is put below uploads/<group>/batch/<template>/"
        )
    return BatchInput(group, template, key)
