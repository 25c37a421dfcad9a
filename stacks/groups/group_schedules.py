"""Build where the schedules of requests lie, and the role by which EventBridge Scheduler starts what they say."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from config.settings import Settings
from stacks.outputs import publish

_STEM: Final = "schedules"


class GroupSchedules(Construct):
    """The stage's schedule group, and a role that may start the schedulable machines and nothing else."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, machine_arns: Sequence[str]) -> None:
        """Create the schedule group and the role, by which these machines can be started."""
        super().__init__(scope, construct_id)
        self.group_name = settings.named(_STEM)
        group = scheduler.CfnScheduleGroup(self, "Group", name=self.group_name)
        self.role = iam.Role(
            self,
            "Role",
            description="Assumed by EventBridge Scheduler to start state machines",
            # The service is to act for this group of schedules only, in whoever's name it was asked to.
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID, "aws:SourceArn": group.attr_arn},
                },
            ),
        )
        dead_letters = settings.named("dead_letters")
        self.dead_letters_arn = f"arn:{Aws.PARTITION}:sqs:{Aws.REGION}:{Aws.ACCOUNT_ID}:{dead_letters}"
        starting = iam.PolicyStatement(actions=["states:StartExecution"], resources=list(machine_arns))
        self.role.add_to_policy(starting)
        self.role.add_to_policy(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[self.dead_letters_arn]))
        publish(self, "SchedulesGroup", self.group_name, "Where the schedules of requests lie")
        publish(self, "SchedulesRoleArn", self.role.role_arn, "What EventBridge Scheduler may do for them")
        publish(self, "SchedulesDeadLettersArn", self.dead_letters_arn, "Starts that never came about")

    @property
    def schedule_arns(self) -> str:
        """The pattern of the ARNs of the group's schedules."""
        return f"arn:{Aws.PARTITION}:scheduler:{Aws.REGION}:{Aws.ACCOUNT_ID}:schedule/{self.group_name}/*"
