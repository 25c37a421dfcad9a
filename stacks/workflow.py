"""Build what acts: a function per handler, a machine per definition, and what starts them."""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

import statemachines
from config.settings import Settings
from stacks.access.people import write_policies
from stacks.access.placement import environment
from stacks.asl_state_machine import AslStateMachine
from stacks.data import DataStack
from stacks.groups.group_grants import SCHEDULABLE
from stacks.groups.group_schedules import GroupSchedules
from stacks.handlers import handlers
from stacks.notices.change_rules import ChangeRules
from stacks.notices.outcome_notices import OutcomeNotices
from stacks.outputs import pascal, publish
from stacks.references import EVENTS, References, machine_arn
from stacks.upload_events import UploadEvents
from stacks.verb_function import ARCHITECTURE, RUNTIME, VerbFunction, handlers_code


class WorkflowStack(Stack):
    """Functions and machines, built from the files that are there."""

    def __init__(
        self, scope: Construct, construct_id: str, settings: Settings, data: DataStack, layer: Path | None
    ) -> None:
        """Create everything; `layer` is the folder of the handlers' dependencies, as `make layer` builds it."""
        description = (
            "Handlers and state machines" if layer else "Handlers (without their dependencies) and state machines"
        )
        kept = settings.keep_data_on_destroy
        super().__init__(
            scope,
            construct_id,
            stack_name=construct_id,
            env=environment(settings),
            description=description,
            termination_protection=kept,
        )
        schedulable = [machine_arn(settings, machine.name) for machine in SCHEDULABLE]
        schedules = GroupSchedules(self, "Schedules", settings=settings, machine_arns=schedulable)
        references = References(settings, data, schedules)
        self.functions = self._make_functions(settings, references, layer)
        self.machines = {
            name: AslStateMachine(self, name, settings=settings, references=references, functions=self.functions)
            for name in statemachines.names()
        }
        events.EventBus(
            self, "Events", event_bus_name=settings.named(EVENTS), description="What changed, and what was decided"
        )
        self.upload_events = UploadEvents(self, "UploadEvents", settings=settings, bucket=data.bucket)
        self._start_functions(settings, data)
        write_policies(self, settings, data, references)
        self._publish(settings)

    def _start_functions(self, settings: Settings, data: DataStack) -> None:
        """Connect those functions, of the ones there are, that no machine calls with what they wait for."""
        if "record_uploads" in self.functions:
            self.upload_events.feed(self.functions["record_uploads"], data.key_arn)
        if "sweep_uploads" in self.functions:
            minutes = Duration.minutes(settings.sweep_minutes)
            self._schedule("sweep_uploads", settings, "Look for uploads that no event announced", minutes)
        if "review_capacity" in self.functions:
            self._schedule("review_capacity", settings, "Look for what serves nobody", Duration.hours(1))
        if "tell_outcome" in self.functions:
            OutcomeNotices(
                self,
                "Outcomes",
                settings=settings,
                machine_arns=[machine_arn(settings, name) for name in statemachines.names()],
                teller=self.functions["tell_outcome"],
                dead_letters=self.upload_events.dead_letters,
            )
        if "publish_change" in self.functions:
            ChangeRules(
                self,
                "Changes",
                settings=settings,
                machines=statemachines.names(),
                publisher=self.functions["publish_change"],
                dead_letters=self.upload_events.dead_letters,
            )

    def _publish(self, settings: Settings) -> None:
        names = "The names this stage may use in Amazon Personalize: its prefix, then those it adopted"
        publish(self, "PersonalizeNames", str(settings.personalize_names), names)
        for name, machine in self.machines.items():
            publish(self, f"StateMachine{pascal(name)}", machine.state_machine_arn, f"statemachines/{name}.asl.json")

    def _make_functions(
        self, settings: Settings, references: References, layer: Path | None
    ) -> Mapping[str, VerbFunction]:
        code = handlers_code()
        layers = [self._make_layer(settings, layer)] if layer else []
        return {
            module: VerbFunction(self, module, settings=settings, references=references, code=code, layers=layers)
            for module in handlers()
        }

    def _make_layer(self, settings: Settings, folder: Path) -> lambda_.LayerVersion:
        if not (folder / "python").is_dir():
            raise FileNotFoundError(f"there is no {folder}/python: run `make layer` first")
        return lambda_.LayerVersion(
            self,
            "Dependencies",
            layer_version_name=settings.named("dependencies"),
            description="requirements-layer.txt",
            code=lambda_.Code.from_asset(str(folder)),
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[ARCHITECTURE],
        )

    def _schedule(self, module: str, settings: Settings, description: str, every: Duration) -> None:
        events.Rule(
            self,
            f"{pascal(module)}Schedule",
            rule_name=settings.named(module),
            description=description,
            schedule=events.Schedule.rate(every),
            targets=[targets.LambdaFunction(self.functions[module], dead_letter_queue=self.upload_events.dead_letters)],
        )
