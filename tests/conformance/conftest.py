"""Run the same facts against the local service or, with `--aws`, against the account of your credentials.

`python -m pytest tests/conformance` prints a table per operation; `--aws` asks AWS (region and profile as usual). It
makes schemas, two dataset groups with empty datasets, filters, trackers and solutions, trains nothing, and takes all
of it away: AWS charges for none of that. Whoever has an account can tell us what differs.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.target import Target, running_target

OPERATION = "operation"
_OUTCOMES: dict[str, list[tuple[str, str, str]]] = defaultdict(list)  # per operation: fact, outcome, what came


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--aws", action="store_true", help="ask a real account instead of the local service")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--aws", default=False):
        for item in items:
            item.add_marker(pytest.mark.aws)


@pytest.fixture(scope="session")
def target(pytestconfig: pytest.Config) -> Iterator[Target]:
    with running_target(is_aws=bool(pytestconfig.getoption("--aws", default=False))) as running:
        yield running


@pytest.fixture(autouse=True)
def _told(request: pytest.FixtureRequest, record_property: Any) -> None:
    for marker in request.node.iter_markers(OPERATION):
        record_property(OPERATION, marker.args[0])


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    operations = [str(value) for name, value in report.user_properties if name == OPERATION]
    if operations and (report.when == "call" or report.failed):
        crash = getattr(report.longrepr, "reprcrash", None)
        came = str(getattr(crash, "message", "")).partition("\n")[0]
        _OUTCOMES[operations[0]].append((report.nodeid.partition("::")[2], report.outcome, came))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if config.getoption("--aws", default=None) is None or not _OUTCOMES:  # not asked for by itself
        return
    where = "AWS" if config.getoption("--aws") else "the local service"
    terminalreporter.section(f"conformance of {where}")
    for operation, facts in sorted(_OUTCOMES.items()):
        kept = sum(outcome == "passed" for _, outcome, _ in facts)
        terminalreporter.line(f"{operation:<28}{len(facts):>4} facts{kept:>5} hold{len(facts) - kept:>4} differ")
        for fact, outcome, came in facts:
            if outcome != "passed":
                terminalreporter.line(f"    {fact}: {came}")
