"""The running service: one at a time, found by moto's classes, and nothing of it left for the next one."""

from pathlib import Path

import pytest

from personalize_local.personalize import start, stop
from personalize_local.personalize.controls.durations import Durations
from personalize_local.personalize.controls.quotas import DEFAULTS
from personalize_local.personalize.controls.switches import Switches
from personalize_local.personalize.resources.service import current_service
from tests.personalize_local.personalize.world import World, running


def test_two_after_each_other_share_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "first") as world:
        first, first_account, first_s3 = world.service, world.account, world.service.s3
        first.faults.fail("dataset_group", "the cable was cut")
        first.faults.throttle(0.01)
        first.switches.set("list_order", "oldest first")
        first.quotas.set_limit("schema", 1)
        first.durations.set_seconds("create dataset_group", 1.0)
        first.durations.seed = 7
        world.make_schema()
        first_account.sessions.keep("tracker", "session", [{}])
    with running(tmp_path / "second") as world:
        second = world.service
        assert second.faults.in_force() == {
            "failures": [], "slow": [], "throttledShares": {}, "fullQuotas": [], "deniedS3": [],
        }  # fmt: skip
        assert (second.switches, second.durations, second.quotas.table) == (Switches(), Durations(), dict(DEFAULTS))
        assert world.personalize.list_schemas()["schemas"] == []
        assert world.account.sessions.take("tracker", "session") == []
        own = [(second, first), (world.account, first_account), (second.s3, first_s3)]
        own += [(second.engine("1", "r"), first.engine("1", "r")), (second.job_runner, first.job_runner)]
        assert not any(mine is theirs for mine, theirs in own)


def test_there_is_one_at_a_time(world: World, tmp_path: Path) -> None:
    assert current_service() is world.service
    with pytest.raises(RuntimeError, match="started already"):
        start(tmp_path)


def test_there_is_none_after_the_stop(tmp_path: Path) -> None:
    with running(tmp_path):
        pass
    stop()  # a second time
    with pytest.raises(RuntimeError, match="has not been started"):
        current_service()
