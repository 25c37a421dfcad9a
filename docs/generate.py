"""Write the pages that are made from the code: `make docs`. tests/docs compares them with what is committed."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import statemachines
from docs.event_pages import events_page, events_schema
from lambdas.requests.request import Request
from personalize_local.aws.limits import LIMITS

DOCS = Path(__file__).parent
ROOT: Final = DOCS.parent

# Whose public classes are the domain's words; with the folders and files of each room.
_GLOSSARY_ROOMS: Final = {
    "The control plane": (
        "lambdas/personalize",
        "lambdas/requests",
        "lambdas/releases",
        "lambdas/uploads",
        "lambdas/previews",
        "lambdas/costs",
        "lambdas/file_checks",
        "lambdas/notices",
        "lambdas/gateways",
        "control",
    ),
    "The local Amazon Personalize": (
        "personalize_local/personalize/operations",
        "personalize_local/personalize/resources",
        "personalize_local/personalize/controls",
    ),
    "The recommender engine": (
        "personalize_local/engine/api.py",
        "personalize_local/engine/datasets",
        "personalize_local/engine/filters",
        "personalize_local/engine/interactions",
        "personalize_local/engine/linear_models",
        "personalize_local/engine/recipes",
        "personalize_local/engine/training",
        "personalize_local/engine/evaluation",
        "personalize_local/engine/serving",
    ),
    "The local AWS": ("personalize_local/aws",),
}
_GLOSSARY_BEFORE = """# Glossary

Made from the public classes of the code by `make docs`; do not edit. Errors are left out: their names are AWS's or say
what went wrong. A word has one meaning in the whole tree (`tests/test_house.py`)."""
_ABBREVIATIONS: Final = {"Arn": "ARN", "Sims": "SIMS", "sqs": "SQS", "csv": "CSV", "k": "K"}

_LIMITS_BEFORE = """# The limits the local cloud enforces

Made from `personalize_local/aws/limits.py` by `make docs`; do not edit. Lengths are those of UTF-8."""

_LIMITS_AFTER = """## How, and what not

* **Memory** is the resident set of the worker process at its highest, what it shares with its siblings included: a
  process that only peaked over its limit is killed too. Child processes of a handler are not counted.
* **CPU**: a function may use `Timeout` * `MemorySize` / 1,769 seconds of CPU time at this machine's speed; importing
  the handler is free, as Lambda's init phase is not part of the time-out. The wall-clock time-out stays. It is on,
  because CPU time, unlike time on the clock, hardly grows with the load of the machine;
  `python -m personalize_local serve --whole-cpus` and `Cloud(cpu_shares=False)` switch it off.
* **Without /proc** (macOS) both are checked when the handler returns, not while it runs.
* **`States.DataLimitExceeded`** also ends a Map or Parallel whose result is too large before its `ResultSelector`:
  our choice, the stricter one. `States.ALL` matches neither it nor `States.Runtime`; a Catch that names it does.
* **SQS, EventBridge and asynchronous payloads** have the 1 MiB of today's botocore models, not the earlier 256 KiB.
* **Not enforced**: the size of `/tmp`, the 10 seconds of the init phase, concurrency of an account, throughput of
  DynamoDB and its 1 MB per page, transitions per second, and quotas of the number of things."""


def pages() -> dict[str, str]:
    """Return every generated page by its file name."""
    return {
        "events.md": events_page(),
        "events.schema.json": events_schema(),
        "glossary.md": glossary_page(),
        "limits.md": limits_page(),
        "machines.md": machines_page(),
        "request.schema.json": request_schema(),
    }


def glossary_page() -> str:
    """Return a page with every public class of the domain: its words, its definition, and where it stands."""
    sections = [_GLOSSARY_BEFORE]
    for room, paths in _GLOSSARY_ROOMS.items():
        rows = sorted(row for path in paths for row in _glossary_rows(ROOT / path))
        table = "\n".join(f"| {' | '.join(row)} |" for row in [("word", "means", "module"), ("---",) * 3, *rows])
        sections.append(f"## {room}\n\n{table}")
    return "\n\n".join(sections) + "\n"


def _glossary_rows(path: Path) -> Iterator[tuple[str, str, str]]:
    for file in [path] if path.is_file() else path.rglob("*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not _is_error(node):
                module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
                yield _words(node.name), _first_sentence(ast.get_docstring(node) or ""), f"`{module}`"


def _is_error(node: ast.ClassDef) -> bool:
    names = [node.name, *(ast.unparse(base) for base in node.bases)]
    return any(re.search(r"(Error|Exception)$", name) for name in names)


def _words(name: str) -> str:
    """Return a class's name as words: `DatasetLog` is `Dataset log`."""
    first, *others = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z][a-z0-9]*|[A-Z]+", name)
    return " ".join(_ABBREVIATIONS.get(word, word) for word in [first, *map(str.lower, others)])


def _first_sentence(docstring: str) -> str:
    summary = " ".join(docstring.split("\n\n", maxsplit=1)[0].split())
    return re.split(r"(?<=[.!?])\s+(?=[A-Z`])", summary, maxsplit=1)[0].replace("|", "\\|")


def limits_page() -> str:
    """Return a page with every limit of AWS that the local cloud enforces, and what it does not."""
    parts = ["about", "value", "beyond it", "says"]
    rows = [parts, ["---"] * len(parts)]
    rows += [[limit.about, f"{limit.value:,} {limit.unit}", limit.failure, limit.source] for limit in LIMITS]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{_LIMITS_BEFORE}\n\n{table}\n\n{_LIMITS_AFTER}\n"


def request_schema() -> str:
    """Return the JSON Schema of a request, for editors and validators."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Request.model_json_schema(by_alias=True)}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def machines_page() -> str:
    """Return a page with a diagram of each state machine, drawn from its definition."""
    parts = [
        "# The state machines",
        "Drawn from `statemachines/*.asl.json` by `make docs`; do not edit. Red states end a run as failed.",
    ]
    for name in statemachines.names():
        definition = statemachines.definition(name)
        diagram = "\n".join(["```mermaid", *_diagram(definition), "```"])
        parts.append(f"## {name}\n\n{definition['Comment']}\n\n{diagram}")
    return "\n\n".join(parts) + "\n"


def _diagram(definition: Mapping[str, Any]) -> Iterator[str]:
    yield "flowchart TD"
    yield from _states(definition, "")
    yield "  classDef failed stroke:#c00,color:#c00"


def _states(scope: Mapping[str, Any], within: str) -> Iterator[str]:
    for name, state in scope["States"].items():
        yield from _state(name, state, within)
    for name, state in scope["States"].items():
        for label, following in _edges(state):
            yield f"  {_id(within, name)} -->{f'|{label}|' if label else ''} {_id(within, following)}"


def _state(name: str, state: Mapping[str, Any], within: str) -> Iterator[str]:
    inner = state.get("Branches", []) + [state[key] for key in ("ItemProcessor",) if key in state]
    identifier = _id(within, name)
    if inner:
        label = f"{name} (each)" if state["Type"] == "Map" else name
        yield f'  subgraph {identifier}["{label}"]'
        for scope in inner:
            yield from _states(scope, identifier)
        yield "  end"
    elif state["Type"] == "Choice":
        yield f'  {identifier}{{"{name}"}}'
    else:
        runs = _runs(state)
        yield f'  {identifier}["{name}{runs}"]' + (":::failed" if state["Type"] == "Fail" else "")


def _runs(state: Mapping[str, Any]) -> str:
    """Return which handler or machine a task runs."""
    machine = state.get("Parameters", {}).get("StateMachineArn")
    target = machine or (state["Resource"] if state["Type"] == "Task" else "")
    return f"<br/><i>{target.strip('${}')}</i>" if target else ""


def _edges(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "Next" in state:
        yield "", state["Next"]
    for choice in state.get("Choices", []):
        yield str(choice.get("StringEquals", "yes")), choice["Next"]
    if "Default" in state:
        yield "else", state["Default"]
    for catcher in state.get("Catch", []):
        yield "failed", catcher["Next"]


def _id(within: str, name: str) -> str:
    return within + "".join(letter for letter in name.title() if letter.isalnum())


def main() -> None:
    """Write every page."""
    for name, text in pages().items():
        (DOCS / name).write_text(text)


if __name__ == "__main__":
    main()
