"""No campaign ever serves a version that was kept back and that nobody approved, whatever happens in which order."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lambdas.releases.solution_world import METRIC, SolutionWorld

precisions = st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9])
failures = st.frozensets(st.sampled_from(["home", "mail"]))
gates = st.lists(
    st.one_of(
        st.builds(lambda least: {"metric": METRIC, "minimum": least}, precisions),
        st.builds(lambda drop: {"metric": METRIC, "largestDropPercent": drop}, st.sampled_from([0, 20])),
    ),
    max_size=2,
)
versions = st.integers(1, 6).map(lambda number: f"v{number}")
actions = st.one_of(
    st.tuples(st.just("import")),
    st.tuples(st.just("run"), precisions, failures),
    st.tuples(st.just("run"), precisions, failures),
    st.tuples(st.just("gates"), gates),
    st.tuples(st.just("update"), versions, failures),
    st.tuples(st.sampled_from(["approve", "pin"]), versions, failures),
    st.tuples(st.sampled_from(["unpin", "rollback"]), failures),
)


def perform(world: SolutionWorld, action: Any) -> None:
    kind, *rest = action
    if kind == "import":
        world.import_data()
    elif kind == "run":
        world.run(*rest)
    elif kind == "gates":
        world.gates = rest[0]
    elif kind == "update":
        world.update_campaign({"solutionVersionArn": f"{world.solution_arn}/{rest[0]}"}, rest[1])
    elif kind in ("approve", "pin"):
        world.update_campaign({kind: {"solutionVersion": rest[0], "by": "Ann", "why": "why not"}}, rest[1])
    else:
        world.update_campaign({kind: True}, rest[0])


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=st.lists(actions, min_size=3, max_size=25))
def test_no_campaign_serves_what_was_kept_back_and_nobody_approved(history: list[Any]) -> None:
    world = SolutionWorld(gates=[{"metric": METRIC, "minimum": 0.5}])
    for action in history:
        before = dict(world.campaigns)
        perform(world, action)
        for campaign, version in world.campaigns.items():
            release = world.releases.of(version)
            assert release.verdict != "KEEP" or release.approved, (campaign, release)
            if before.get(campaign) != version:
                assert release.may_serve, f"{campaign} was given {release}"


def serving(world: SolutionWorld) -> set[str]:
    return {version.rpartition("/")[2] for version in world.campaigns.values()}


def test_a_kept_version_waits_for_its_approval() -> None:
    world = SolutionWorld(gates=[{"metric": METRIC, "minimum": 0.5}])
    world.run(0.6)
    world.import_data()
    world.run(0.4)
    assert serving(world) == {"v1"}
    assert not world.update_campaign({"solutionVersionArn": f"{world.solution_arn}/v2"})
    assert world.update_campaign({"approve": {"solutionVersion": "v2", "by": "Ann", "why": "the test set is old"}})
    assert serving(world) == {"v2"}
    world.run(0.1)  # nothing was imported: nothing is trained, and the approval holds
    assert serving(world) == {"v2"}


def test_a_rollback_pins_is_done_once_and_holds_until_it_is_released() -> None:
    world = SolutionWorld()
    for precision in (0.5, 0.6, 0.7):
        world.import_data()
        world.run(precision)
    assert world.update_campaign({"rollback": True})
    assert serving(world) == {"v2"}
    assert world.update_campaign({"rollback": True})  # a tired person starts it again
    assert serving(world) == {"v2"}
    world.import_data()
    world.run(0.9)
    assert serving(world) == {"v2"}
    assert world.update_campaign({"unpin": True})
    assert serving(world) == {"v2"}
    world.run(0.1)
    assert serving(world) == {"v4"}


def test_what_was_rolled_back_does_not_come_back_by_itself() -> None:
    world = SolutionWorld()
    world.run(0.5)
    world.import_data()
    world.run(0.6)
    world.update_campaign({"rollback": True})
    world.update_campaign({"unpin": True})
    world.run(0.1)
    assert serving(world) == {"v1"}


def test_a_rollback_that_was_cut_short_is_finished_by_the_next() -> None:
    world = SolutionWorld()
    world.run(0.5)
    world.import_data()
    world.run(0.6)
    world.update_campaign({"rollback": True}, frozenset({"home", "mail"}))
    assert serving(world) == {"v2"}
    world.update_campaign({"rollback": True})
    assert serving(world) == {"v1"}


def test_there_may_be_nothing_to_go_back_to() -> None:
    world = SolutionWorld()
    world.run(0.5)
    assert not world.update_campaign({"rollback": True})
    assert serving(world) == {"v1"}
