"""Say where everything that is planned will be."""

from dataclasses import dataclass

from lambdas.personalize.stage_names import ANY_NAMES, StageNames


@dataclass(frozen=True)
class AccountContext:
    """Where the group lives (``arn:<partition>:personalize:<region>:<account>``), its files, their key and reader.

    `names` are those of the stage.
    """

    arn_prefix: str
    bucket: str
    role_arn: str
    kms_key_arn: str | None = None
    names: StageNames = ANY_NAMES
