"""Who forgets users holds the whole group, and waits for nobody but import jobs that are under way."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.groups.group_leases import GroupBusyError, GroupLeases
from lambdas.uploads.lease import Leases
from tests.lambdas.gateways.memory_table import MemoryTable

NOW = datetime(2026, 5, 1, tzinfo=UTC)
BATCH = '{"name":"b","mode":"FULL","request":{"jobName":"b"},"files":1,"rows":1,"size_bytes":1}'


def personalize(status: str) -> Any:
    return SimpleNamespace(find=lambda *_: {"status": status})


def group(*running: str) -> GroupLeases:
    return GroupLeases(Leases(MemoryTable(), set(running).__contains__))


def test_a_run_under_way_refuses() -> None:
    held = group("run")
    held.leases.take("shop/pipeline", "run")
    with pytest.raises(GroupBusyError, match="run is under way for shop"):
        held.take("shop", "mine", personalize("ACTIVE"), NOW)


def test_an_import_that_committed_to_nothing_loses_its_lease() -> None:
    held = group("import")
    before = held.leases.take("shop/items", "import")
    assert held.take("shop", "mine", personalize("ACTIVE"), NOW) == []
    after = held.leases.read("shop/items")
    assert (after.holder, after.epoch > before.epoch) == ("mine", True)


def test_a_job_under_way_is_waited_for() -> None:
    held = group("import")
    held.leases.keep(held.leases.take("shop/items", "import"), {"batch": BATCH})
    assert held.take("shop", "mine", personalize("ACTIVE"), NOW) == [{"jobName": "b"}]
    assert held.leases.read("shop/items").holder == "import"


@pytest.mark.parametrize(("status", "waits"), [("CREATE IN_PROGRESS", True), ("ACTIVE", False)])
def test_a_job_of_a_dead_execution_is_waited_for_while_it_goes_on(status: str, *, waits: bool) -> None:
    held = group()
    held.leases.keep(held.leases.take("shop/items", "dead"), {"batch": BATCH})
    assert bool(held.take("shop", "mine", personalize(status), NOW)) is waits
    assert held.leases.read("shop/items").holder == "mine"


def test_letting_go_starts_what_waits() -> None:
    held, started = group(), []  # type: tuple[GroupLeases, list[str]]
    held.take("shop", "mine", personalize("ACTIVE"), NOW)
    ledger: Any = SimpleNamespace(has_unsettled=lambda key: key == "shop/users")
    starter: Any = SimpleNamespace(announce=started.append)
    assert held.let_go("shop", "mine", ledger, starter) == ["shop/users"] == started
    assert held.leases.read("shop/users").holder is None
    assert held.leases.read("shop/pipeline").holder is None
