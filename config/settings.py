"""Read the settings of a stage: what differs between deployments, and nothing else; one TOML file each."""

import tomllib
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

_DIRECTORY: Final = Path(__file__).parent

RetentionDays = Literal[1, 3, 7, 14, 30, 90, 180, 365, 731, 1827, 3653]  # of those CloudWatch Logs offers


class Settings(BaseModel):
    """How the application is deployed; what it builds is in the request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{1,19}$", description="first part of every name we give in the account")
    stage: str = Field(pattern=r"^[a-z][a-z0-9]{0,9}$", description="second part; the name of the TOML file")
    keep_data_on_destroy: bool
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

    def named(self, stem: str) -> str:
        """Return the name that a handler, a machine or a queue has in the account."""
        return f"{self.name}-{self.stage}-{stem.replace('_', '-')}"


def load(stage: str) -> Settings:
    """Return the settings of `stage`, from the TOML file of that name."""
    stages = sorted(path.stem for path in _DIRECTORY.glob("*.toml"))
    if stage not in stages:
        raise ValueError(f"there is no stage {stage!r}: config/ has {', '.join(stages)}")
    text = (_DIRECTORY / f"{stage}.toml").read_text(encoding="utf-8")
    return Settings.model_validate({"stage": stage, **tomllib.loads(text)})
