"""Prepare data: draft a request from files, check and mend files. Nothing of this needs a cloud."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from control import printing
from control.commands.options import AsJson, Files, RefusedError
from control.data_files.checking import FileKind, check, kind_of
from control.data_files.drafting import draft_dataset, draft_request
from control.data_files.mending import mend
from lambdas.file_checks.csv_check import InspectionProgress
from lambdas.file_checks.reports import describe
from lambdas.requests.request import Request
from lambdas.requests.request_reading import parse_request

_SHOWN: Final = 10  # findings of one file


def init(
    files: Files,
    group: Annotated[str, typer.Option(help="what the dataset group will be called")],
    out: Annotated[Path | None, typer.Option(help="where the request is written (default: <group>.json)")] = None,
) -> None:
    """Draft a request from the headers and first rows of CSV files."""
    drafted = [draft_dataset(path) for path in files]
    if twice := {one.dataset for one in drafted if sum(other.dataset == one.dataset for other in drafted) > 1}:
        raise RefusedError(
            f"several files hold {', '.join(sorted(twice))}: give one of each; they have the same columns"
        )
    request = draft_request(group, drafted)
    parse_request(request)
    target = out or Path(f"{group}.json")
    if target.exists():
        raise RefusedError(f"{target} is there already; name another with --out")
    target.write_text(json.dumps(request, indent=2) + "\n", encoding="utf-8")
    for one in drafted:
        columns = ", ".join(f"{old} → {new}" if old != new else old for old, new in one.renamed.items())
        printing.say(f"{one.path}: {one.dataset} ({columns})")
        for text in one.remarks:
            printing.say(f"  {text}")
    printing.say(f"wrote {target}: read it, then `check {target} {' '.join(map(str, files))} --mend`")


def check_files(
    files: Files,
    mended: Annotated[bool, typer.Option("--mend", help="also write mended copies, and check those")] = False,
    out: Annotated[Path, typer.Option(help="the folder for mended copies")] = Path("mended"),
    as_json: AsJson = False,
) -> None:
    """Check CSV files, and a request if one is given, by the rules that uploads are checked by."""
    request = request_among(files)
    kinds = {path: kind_of(path, request) for path in files if path.suffix != ".json"}
    results: dict[str, InspectionProgress] = {}
    for path, kind in kinds.items():
        checked = _mended(path, out / path.name, kind, quiet=as_json) if mended else path
        results[str(checked)] = check(checked, kind.columns)
    if as_json:
        printing.document({path: result.model_dump() for path, result in results.items()})
    else:
        if request:
            printing.say(f"the request for {request.dataset_group.name} can be read")
        for name, result in results.items():
            _tell(name, result)
    if any(result.faults for result in results.values()):
        if not mended and not as_json:
            printing.say("`check --mend` writes copies with everything mended that needs no guess")
        raise typer.Exit(1)


def request_among(files: Sequence[Path]) -> Request | None:
    """Return the request among files, or None. Raises InvalidRequestError, and RefusedError where there are two."""
    given = [path for path in files if path.suffix == ".json"]
    if len(given) > 1:
        raise RefusedError(f"give one request, not {len(given)}: {', '.join(map(str, given))}")
    try:
        return parse_request(json.loads(given[0].read_text(encoding="utf-8"))) if given else None
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError):
            raise RefusedError(f"{given[0]} is no JSON: {error}") from error
        raise


def _mended(path: Path, target: Path, kind: FileKind, *, quiet: bool) -> Path:
    if target.resolve() == path.resolve():
        raise RefusedError(f"the mended copy of {path} would replace it; name another folder with --out")
    target.parent.mkdir(parents=True, exist_ok=True)
    done = mend(path, target, kind.columns, kind.renamed)
    if not quiet:
        printing.say(f"{path} → {target}")
        for what, count in done.counts.items():
            printing.say(f"  {what} ({count:,})")
    return target


def _tell(path: str, result: InspectionProgress) -> None:
    verdict = f"{result.faults:,} fault(s)" if result.faults else "fits"
    printing.say(f"{path}: {result.rows:,} rows, {verdict}")
    for finding in result.findings[:_SHOWN]:
        printing.say(f"  {describe(finding)}")
    if result.faults > _SHOWN:
        printing.say(f"  … and {result.faults - _SHOWN:,} more")


COMMANDS: Final[dict[str, Callable[..., None]]] = {"init": init, "check": check_files}
