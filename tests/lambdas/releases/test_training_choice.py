"""The five questions before a training, asked of a service in memory."""

from datetime import timedelta
from typing import Any

from lambdas.releases.training_choice import choose_training
from lambdas.releases.training_decision import Action
from tests.lambdas.releases.solution_world import SolutionWorld


class Streamed:
    """CloudWatch's counts: so many requests, whatever is asked."""

    def __init__(self, requests: int) -> None:
        self._requests = requests

    def total(self, *_: Any) -> int:
        return self._requests


def test_data_streams_and_the_policy_decide_together() -> None:
    world = SolutionWorld()
    wanted = world.planner.train_solution(world.planner.request.solutions[0])["solution"]["request"]
    world.run(0.5)

    def chosen(requests: int = 0, **training: Any) -> tuple[Action, bool]:
        asked = {"solution": wanted, "training": training}
        choice = choose_training(world, Streamed(requests), asked, world.imported, world.now)
        return choice.decision.action, choice.is_ready

    assert chosen() == (Action.REUSE, True)
    assert chosen(9, after_put_events=10) == (Action.REUSE, True)
    assert chosen(10, after_put_events=10) == (Action.TRAIN, False)
    world.imported["interactions"] = world.now + timedelta(minutes=1)
    assert chosen() == (Action.TRAIN, False)
    assert chosen(train="NEVER") == (Action.REUSE, True)
