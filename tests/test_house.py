"""The house keeps its rules: one meaning per name, small folders, short functions and modules, introduced rooms.

An exception stands in a table with its reason, and fails once it is no longer needed.
"""

import ast
import itertools
import re
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
ROOMS: Final = (
    "lambdas",
    "control",
    "personalize_local",
    "stacks",
    "config",
    "statemachines",
    "benchmarks",
    "docs",
    "examples",
)
FILES: Final = sorted(itertools.chain.from_iterable((ROOT / room).rglob("*.py") for room in ROOMS))
FOLDERS: Final = sorted({file.parent for file in FILES})
TREES: Final = {file: ast.parse(file.read_text(encoding="utf-8")) for file in FILES}

MOST_FILES: Final = 15
MOST_LEVELS: Final = 3
MOST_LINES_OF_A_MODULE: Final = 260
MOST_LINES_OF_A_FUNCTION: Final = 40
LINES_OF_NINE_FUNCTIONS_IN_TEN: Final = 15
MOST_SENTENCES: Final = 4

SHARED_CLASSES: Final[dict[str, str]] = {}
SHARED_MODULES: Final[dict[str, str]] = {"__main__": "Python's name for what `python -m` runs"}
LARGE_FOLDERS: Final = {
    "lambdas": "a token in a machine's definition is a file name: one handler per file",
}


def named(file: Path) -> str:
    """Return a file's path as a reader would write it."""
    return file.relative_to(ROOT).as_posix()


def shared(names: Iterable[tuple[str, Path]]) -> dict[str, list[str]]:
    """Return the names that stand in several files, with those files."""
    homes: dict[str, list[str]] = defaultdict(list)
    for name, file in names:
        homes[name].append(named(file))
    return {name: files for name, files in homes.items() if len(files) > 1}


def public_classes() -> Iterator[tuple[str, Path]]:
    """Yield each public class of a module with its file."""
    for file, tree in TREES.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield node.name, file


def modules() -> Iterator[tuple[str, Path]]:
    """Yield each module's name with its file."""
    return ((file.stem, file) for file in FILES if file.stem != "__init__")


def test_a_public_class_means_one_thing_in_the_tree() -> None:
    found = shared(public_classes())
    assert found.keys() == SHARED_CLASSES.keys(), found


def test_a_module_means_one_thing_in_the_tree() -> None:
    found = shared(modules())
    assert found.keys() == SHARED_MODULES.keys(), found


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_a_folder_has_about_a_dozen_files(folder: Path) -> None:
    is_large = len(list(folder.glob("*.py"))) > MOST_FILES
    assert is_large == (named(folder) in LARGE_FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_folders_are_at_most_three_levels_deep(folder: Path) -> None:
    assert len(folder.relative_to(ROOT).parts) - 1 <= MOST_LEVELS


@pytest.mark.parametrize("file", FILES, ids=named)
def test_a_module_is_short(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MOST_LINES_OF_A_MODULE


def lengths() -> dict[str, int]:
    """Return how many lines each function has, decorators not counted."""
    return {
        f"{named(file)}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for file, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_functions_are_short() -> None:
    lines = lengths()
    assert not {name: count for name, count in lines.items() if count > MOST_LINES_OF_A_FUNCTION}
    assert statistics.quantiles(lines.values(), n=10)[-1] <= LINES_OF_NINE_FUNCTIONS_IN_TEN


def sentences(docstring: str) -> int:
    """Count the sentences of a docstring's prose: neither those of a list nor an example."""
    paragraphs = [text for text in docstring.split("\n\n") if not re.match(r"\s*(\*|>>>)", text)]
    return len(re.findall(r"[.!?](?=\s+[A-Z`]|\s*$)", " ".join(paragraphs)))


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_a_room_is_introduced_in_a_few_sentences(folder: Path) -> None:
    introduction = ast.get_docstring(TREES[folder / "__init__.py"]) or ""
    assert 1 <= sentences(introduction) <= MOST_SENTENCES
