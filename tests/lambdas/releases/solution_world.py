"""A solution with two campaigns, run through the code of our handlers by a service in memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.personalize.account_context import AccountContext
from lambdas.personalize.resources import ResourceType
from lambdas.releases.releases import Releases
from lambdas.releases.stage_plan import StagePlanner
from lambdas.releases.training_choice import choose_training
from lambdas.releases.training_decision import Action
from lambdas.releases.version_decision import TrainingStep, VersionStep, decide_version
from lambdas.requests.plan import Planner
from lambdas.requests.request import InvalidRequestError
from lambdas.requests.request_reading import parse_request
from tests.lambdas.gateways.memory_table import MemoryTable
from tests.lambdas.personalize.fake_personalize import FakePersonalize

METRIC = "precision_at_5"
BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class SolutionWorld(FakePersonalize):
    """One group, solution `films`, campaigns `home` and `mail`; time moves on with every action."""

    precision: dict[str, float] = field(default_factory=dict)  # of each version, in the order of training
    created: dict[str, datetime] = field(default_factory=dict)
    campaigns: dict[str, str] = field(default_factory=dict)
    imported: dict[str, datetime] = field(default_factory=dict)
    gates: list[dict[str, Any]] = field(default_factory=list)
    now: datetime = BEGAN

    def __post_init__(self) -> None:
        self.releases = Releases(MemoryTable(), "movies")

    # What the service answers.

    def summaries(self, row: ResourceType, parent_arn: str | None = None) -> Iterator[dict[str, Any]]:
        assert (row.noun, parent_arn) == ("solution_version", self.solution_arn)
        for arn, created in self.created.items():
            yield {"solutionVersionArn": arn, "status": "ACTIVE", "creationDateTime": created, "trainingMode": "FULL"}

    def describe(self, row: ResourceType, arn: str) -> dict[str, Any] | None:
        if row.noun == "campaign":
            version = self.campaigns.get(arn.rpartition("/")[2])
            return {"status": "ACTIVE", "solutionVersionArn": version} if version else None
        return {"solutionVersionArn": arn, "solutionConfig": {}, "recipeArn": "arn:aws:personalize:::recipe/aws-sims"}

    def metrics(self, solution_version_arn: str) -> dict[str, float]:
        return {METRIC: self.precision[solution_version_arn]}

    # What our machines do, with the handlers' own code.

    @property
    def solution_arn(self) -> str:
        return f"{self.arn_prefix}:solution/films"

    @property
    def planner(self) -> Planner:
        campaigns = [{"name": name, "minProvisionedTPS": 1} for name in ("home", "mail")]
        solution = {"name": "films", "recipeArn": "aws-sims", "campaigns": campaigns, "gates": self.gates}
        columns = {"USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"}
        document = {
            "datasetGroup": "movies",
            "datasets": {"interactions": {"columns": columns}},
            "solutions": [solution],
        }
        return Planner(parse_request(document), "run", AccountContext(self.arn_prefix, "bucket", "arn:role"))

    def tick(self) -> str:
        self.now += timedelta(minutes=1)
        return self.now.isoformat()

    def import_data(self) -> None:
        self.tick()
        self.imported["interactions"] = self.now

    def run(self, precision: float, failing: frozenset[str] = frozenset()) -> None:
        """Run `pipeline` once: a version that is trained now gets this precision."""
        arn, training = self._train(precision)
        serve = self._judge(arn, training)
        self.update_campaign({"run": "run", "solutionVersionArn": serve}, failing)

    def _train(self, precision: float) -> tuple[str, Action]:
        self.tick()
        solution = self.planner.train_solution(self.planner.request.solutions[0])["solution"]["request"]
        asked: dict[str, Any] = {"solution": solution, "training": {}}
        decision = choose_training(self, None, asked, self.imported, self.now).decision
        arn = decision.version_arn or f"{self.solution_arn}/v{len(self.created) + 1}"
        if decision.action is Action.TRAIN:
            self.created[arn], self.precision[arn] = self.now, precision
        return arn, decision.action

    def _judge(self, arn: str, action: Action) -> str | None:
        step = VersionStep(
            solution="films",
            solutionVersionArn=arn,
            gates=self.gates,
            campaignArns=[f"arn:campaign/{name}" for name in ("home", "mail")],
            training=TrainingStep(action=action, reasons=["so it was decided"]),
            now=self.tick(),
        )
        answer = decide_version(self, self.releases, step)["solutionVersionArn"]
        return str(answer) if answer else None

    def update_campaign(self, given: Mapping[str, Any], failing: frozenset[str] = frozenset()) -> bool:
        """Run `update_campaign`; False when the plan refused it."""
        stages = StagePlanner(self.planner, self, self.releases, lambda _prefix: True, self.tick())
        try:
            plan = stages.plan("update_campaign", given)
        except InvalidRequestError:
            return False
        for spec in plan["campaigns"]:
            request = spec["request"]
            if request["name"] not in failing and request["solutionVersionArn"] in self.created:
                self.campaigns[request["name"]] = request["solutionVersionArn"]
                self.releases.note_serving(request["name"], request["solutionVersionArn"], self.tick())
        return True
