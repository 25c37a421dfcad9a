"""Read the settings of a stage: what differs between deployments, and nothing else; one TOML file each."""

import tomllib
from itertools import product
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from config.wildcards import intersect
from lambdas.personalize.stage_names import StageNames

_DIRECTORY: Final = Path(__file__).parent

AdoptedName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}\*?$")]
UploaderGroup = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$")]
RetentionDays = Literal[1, 3, 7, 14, 30, 90, 180, 365, 731, 1827, 3653]  # of those CloudWatch Logs offers


TagKey = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[\w .:/=+@-]+$")]
TagValue = Annotated[str, Field(max_length=256, pattern=r"^[\w .:/=+@-]*$")]


class Vpc(BaseModel):
    """The network that functions run in. From there they must reach AWS: by a NAT gateway, or by endpoints."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subnet_ids: tuple[Annotated[str, Field(pattern=r"^subnet-[0-9a-f]+$")], ...] = Field(min_length=1, max_length=16)
    security_group_ids: tuple[Annotated[str, Field(pattern=r"^sg-[0-9a-f]+$")], ...] = Field(min_length=1, max_length=5)


class Settings(BaseModel):
    """How the application is deployed; what it builds is in the request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{1,19}$", description="first part of every name we give in the account")
    stage: str = Field(pattern=r"^[a-z][a-z0-9]{0,9}$", description="second part; the name of the TOML file")
    personalize_prefix: str = Field(
        # One hyphen, at the end: so no prefix can begin a name with another.
        pattern=r"^[a-z][a-z0-9]{0,14}-$",
        description="begins every name in Amazon Personalize that the stage gives; no other stage may touch them",
    )
    adopted_names: tuple[AdoptedName, ...] = Field(
        default=(),
        max_length=3,  # with more, the policy of create_resource would outgrow a role
        description="names in Amazon Personalize without the prefix that are the stage's all the same, or `begin*`",
    )
    account: str | None = Field(default=None, pattern=r"^\d{12}$", description="the only AWS account it is deployed to")
    region: str | None = Field(default=None, pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="the only region")
    permissions_boundary: str | None = Field(
        default=None,
        pattern=r"^(arn:[a-z-]+:iam::\d{12}:policy/)?[\w+=,.@/-]+$",
        description="the managed policy, an ARN or a name in the account, that bounds every role",
    )
    vpc: Vpc | None = Field(default=None, description="where functions run; None: in no network of yours")
    tags: dict[TagKey, TagValue] = Field(default={}, max_length=40, description="of everything that takes tags")
    uploader_groups: tuple[UploaderGroup, ...] = Field(
        default=(),
        max_length=20,
        description="the dataset groups, as requests call them, that the uploaders' policy is for; none: all",
    )
    keep_data_on_destroy: bool
    redact_cells: bool = Field(default=False, description="reports, reasons and logs quote nothing of users' files")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]
    log_retention_days: RetentionDays
    staging_days: int = Field(ge=2, le=365, description="staged copies of uploads are deleted after this long")
    imported_days: int | None = Field(
        default=None,
        ge=1,
        le=3650,
        description="uploads are deleted this long after they came, if imported; None: never",
    )
    ledger_days: int = Field(ge=21, le=1825, description="what became of an upload is remembered for this long")
    sweep_minutes: int = Field(ge=5, le=1440, description="how often uploads are looked for that no event announced")
    kms_key: str | None = Field(
        default=None,
        pattern=r"^(create|arn:[^:]+:kms:[^:]+:\d{12}:key/.+)$",
        description="what everything is encrypted with: 'create', or a key's ARN (no alias: Amazon Personalize takes "
        "none); None: keys that AWS owns",
    )
    bucket_name: str | None = Field(default=None, min_length=3, max_length=63, description="a bucket to adopt")
    table_name: str | None = Field(default=None, min_length=3, max_length=255, description="a ledger to adopt")
    role_arn: str | None = Field(
        default=None, pattern=r"^arn:[^:]+:iam::\d{12}:role/.+$", description="a role for Amazon Personalize to adopt"
    )
    alarm_email: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$", description="who is told of alarms")

    notice_email: str | None = Field(
        default=None, pattern=r"^[^@\s]+@[^@\s]+$", description="who is told how runs ended, beside other subscribers"
    )
    notify_success: bool = Field(default=False, description="whether runs that succeeded are told too")

    @property
    def personalize_names(self) -> StageNames:
        """What the stage may call things in Amazon Personalize."""
        return StageNames(self.personalize_prefix, self.adopted_names)

    def shared_names(self, other: "Settings") -> list[tuple[str, str]]:
        """Return the patterns of names of which both stages could own the same."""
        pairs = product(self.personalize_names.patterns, other.personalize_names.patterns)
        return [(mine, theirs) for mine, theirs in pairs if intersect(mine, theirs)]

    @model_validator(mode="after")
    def _adopts_none_of_its_own(self) -> Self:
        own = f"{self.personalize_prefix}*"
        if twice := [name for name in self.adopted_names if intersect(name, own)]:
            raise ValueError(f"adopted_names are those without the prefix; {', '.join(twice)} could have it")
        return self

    def named(self, stem: str) -> str:
        """Return the name that a handler, a machine or a queue has in the account."""
        return f"{self.name}-{self.stage}-{stem.replace('_', '-')}"


def load(stage: str) -> Settings:
    """Return the settings of `stage`, from the TOML file of that name."""
    stages = sorted(path.stem for path in _DIRECTORY.glob("*.toml"))
    if stage not in stages:
        raise ValueError(f"there is no stage {stage!r}: config/ has {', '.join(stages)}")
    settings = _read(stage)
    for other in stages:
        if other != stage and (shared := settings.shared_names(_read(other))):
            mine, theirs = shared[0]
            raise ValueError(f"{mine!r} of stage {stage} and {theirs!r} of stage {other} could name the same resource")
    return settings


def _read(stage: str) -> Settings:
    text = (_DIRECTORY / f"{stage}.toml").read_text(encoding="utf-8")
    return Settings.model_validate({"stage": stage, **tomllib.loads(text)})
