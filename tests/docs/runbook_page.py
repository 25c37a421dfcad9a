"""Read the runbook as its readers do: tables, commands, links, and words that stand for something in the code."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import botocore.loaders

from lambdas.notices.stage_events import StageEvent

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "runbook.md"
_BLOCK: Final = re.compile(r"```sh\n(.*?)```", re.DOTALL)
_SPAN: Final = re.compile(r"`([^`]+)`")
_ITALIC: Final = re.compile(r"(?<!\*)\*([^*]+)\*(?!\*)")


@dataclass(frozen=True)
class Row:
    """A row of one of the page's tables; `table` is the heading that it stands below."""

    table: str
    cells: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return all that it says."""
        return " | ".join(self.cells)

    @property
    def name(self) -> str:
        """Return its first cell, and of a row that goes on with the one before, what its second begins with."""
        return self.cells[0] or f"… {self.cells[1].split(' for ')[0]}"


def text() -> str:
    return PAGE.read_text(encoding="utf-8")


def rows() -> Iterator[Row]:
    """Yield the rows of all tables."""
    heading, in_body = "", False
    for line in text().splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        if line.startswith("|---"):
            in_body = True
        elif not line.startswith("|"):
            in_body = False
        elif in_body:
            yield Row(heading, tuple(cell.strip() for cell in line[1:-1].split("|")))


def spans(page: str) -> list[str]:
    """Return what stands in code font within lines, in order."""
    return [" ".join(span.split()) for span in _SPAN.findall(_BLOCK.sub("", page))]


def italics(page: str) -> list[str]:
    """Return what stands in italics, code left out."""
    return [" ".join(found.split()) for found in _ITALIC.findall(_SPAN.sub("", _BLOCK.sub("", page)))]


def commands(page: str) -> list[str]:
    """Return whole commands, of blocks and within lines, without their comments."""
    blocks = [line for block in _BLOCK.findall(page) for line in block.replace("\\\n", " ").splitlines()]
    lines = [re.sub(r"\s+#.*", "", line).strip() for line in blocks]
    return [*lines, *(span for span in spans(page) if span.startswith(("aws ", "python -m ")))]


def links(page: str) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", page)


def anchors(page: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@cache
def words_of_the_code() -> frozenset[str]:
    """Return every name and text of what is deployed, its definitions, settings and interfaces of the service."""
    found: set[str] = set()
    for folder in ("lambdas", "stacks", "config", "control"):
        for path in (ROOT / folder).rglob("*.py"):
            found |= {path.stem, path.relative_to(ROOT).as_posix(), *_words(ast.parse(path.read_text("utf-8")))}
    for path in (ROOT / "statemachines").glob("*.asl.json"):
        found |= {path.name.partition(".")[0], *_strings(json.loads(path.read_text("utf-8")))}
    found |= set(_strings(json.loads((ROOT / "docs" / "request.schema.json").read_text("utf-8"))))
    found |= {event.detail_type() for event in StageEvent.__subclasses__()}
    for service in ("personalize", "stepfunctions"):
        found |= set(_strings(botocore.loaders.Loader().load_service_model(service, "service-2")))
    return frozenset(found)


@cache
def error_names() -> frozenset[str]:
    """Return the names of errors that runs may end with: exceptions, ours and the service's, and those of `Fail`."""
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "lambdas").rglob("*.py")]
    ours = {name for tree in trees for node in ast.walk(tree) for name in _error_names(node)}
    shapes = botocore.loaders.Loader().load_service_model("personalize", "service-2")["shapes"]
    machines = [path.read_text("utf-8") for path in (ROOT / "statemachines").glob("*.asl.json")]
    of_machines = {name for machine in machines for name in re.findall(r'"(?:E|e)rror": "(\w+)"', machine)}
    return frozenset(ours) | of_machines | {name for name, shape in shapes.items() if shape.get("exception")}


def _error_names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.ClassDef(name=name, bases=[_, *_]):
            yield name
        case ast.Call(func=ast.Name(id="ErrorAndCause"), args=[ast.Constant(value=str(name)), *_]):
            yield name
        case _:
            pass


def _words(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(value)):
                yield value
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Name(id=name):
                yield name
            case _:
                pass


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
