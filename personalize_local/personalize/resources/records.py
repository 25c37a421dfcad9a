"""Describe one resource: what it is, where it stands, what it is changing into."""

from dataclasses import dataclass, field
from typing import Any

from personalize_local.personalize.resources.resource_types import ResourceLifecycle
from personalize_local.personalize.resources.status_timeline import DELETE, UPDATE, StatusTimeline, TimelinePoint

Members = dict[str, Any]


@dataclass
class Update:
    """A change on its way: until its timeline is ACTIVE the resource keeps what it has."""

    changes: Members  # as shown in the `latest…Update` member
    effect: Members  # what becomes of the resource's own members
    timeline: StatusTimeline
    applied: bool = False

    def view(self, now: float) -> Members:
        """Return the `latest…Update` member."""
        point = self.timeline.at(now)
        return {
            **self.changes,
            "status": point.status,
            "failureReason": point.reason,
            "creationDateTime": self.timeline.started,
            "lastUpdatedDateTime": point.since,
        }


@dataclass
class Record:
    """A resource of one account and region."""

    type: ResourceLifecycle
    arn: str
    members: Members
    timeline: StatusTimeline
    created: float
    number: int  # grows with every resource of the account and region
    update: Update | None = None
    tags: dict[str, str] = field(default_factory=dict)
    notes: Members = field(default_factory=dict)  # ours: never shown
    touched: float = 0.0  # the last change that the timeline does not show
    arrived: bool = False  # the timeline's end has been acted on
    end: TimelinePoint | None = None  # of the timeline, once nothing of the resource changes any more

    @property
    def name(self) -> str:
        """The name it was given."""
        return str(self.members[self.type.named])

    @property
    def group_arn(self) -> str:
        """The dataset group it belongs to, itself if it is one."""
        return str(self.members.get("datasetGroupArn") or self.notes.get("datasetGroupArn") or self.arn)

    def lookup(self, key: str | None) -> Any:
        """Return a member, or a note of ours about what it belongs to."""
        return self.notes.get(key) or self.members.get(key) if key else None

    def status(self, now: float) -> str:
        """Return its status word at `now`."""
        if self.update is not None and self.type.update_words is UPDATE:
            point = self.update.timeline.at(now)
            if not point.over:
                return point.status
        return self.point(now).status

    def is_active(self, now: float) -> bool:
        """Tell whether its status is ACTIVE."""
        return self.status(now) == "ACTIVE"

    def is_there(self, now: float) -> bool:
        """Tell whether it was ACTIVE once and still is, an update apart."""
        return self.point(now).status == "ACTIVE"

    def is_updating(self, now: float) -> bool:
        """Tell whether an update is on its way."""
        return self.update is not None and not self.update.timeline.at(now).over

    def is_going(self) -> bool:
        """Tell whether it is being deleted."""
        return self.timeline.words is DELETE

    def point(self, now: float) -> TimelinePoint:
        """Return where its present timeline stands."""
        return self.end or self.timeline.at(now)

    def view(self, now: float) -> Members:
        """Return everything clients may see of it; the output shapes pick their members from this."""
        point = self.timeline.at(now)
        in_place = self.update.timeline.at(now).since if self.update and self.type.update_words is UPDATE else 0.0
        shown: Members = {
            **self.members,
            self.type.arn_key: self.arn,
            "creationDateTime": self.created,
            "lastUpdatedDateTime": max(point.since, self.touched, in_place),
        }
        if self.type.words is not None:
            shown |= {"status": self.status(now), "failureReason": point.reason}
        if self.update is not None and self.type.updatable:
            shown[self.type.update_key] = self.update.view(now)
        return shown
