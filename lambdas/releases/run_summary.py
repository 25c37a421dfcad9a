"""Say in one line what a run did, decided and went without."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from lambdas.names import cut_bytes

_LARGEST_BYTES: Final = 490


def brief(text: str) -> str:
    """Return as much of a text as a summary may be long: less than 500 bytes."""
    return text if len(text.encode()) <= _LARGEST_BYTES else f"{cut_bytes(text, _LARGEST_BYTES - 3)}…"


def run_summary(data: Mapping[str, Any], solutions: Sequence[Mapping[str, Any]], unrequested: Sequence[str]) -> str:
    """Return what a run's stages came to, in less than 500 bytes: the decisions first, the smallest print last."""
    if "note" in data:
        return str(data["note"])
    parts = [*_decisions(solutions), *_imports(data), *_missing(data, solutions)]
    if unrequested:
        parts.append(f"not in the request any more: {', '.join(unrequested)}")
    return brief("; ".join(parts) or "nothing to do")


def _decisions(solutions: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for solution in solutions:
        yield str(solution["trained"]["summary"])
        if campaigns := solution["deployed"]["campaigns"]:
            yield f"{len(campaigns)} campaign(s): {solution['deployed']['summary']}"


def _imports(data: Mapping[str, Any]) -> Iterator[str]:
    rows = [(one["name"], one["uploads"]["rows"]) for one in data["datasets"]]
    imported = [f"{name} {count:,}" for name, count in rows if count]
    yield f"imported rows: {', '.join(imported)}" if imported else "imported nothing"


def _missing(data: Mapping[str, Any], solutions: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield from data.get("warnings", ())
    yield from (solution["batch"]["note"] for solution in solutions if solution["batch"]["note"])
