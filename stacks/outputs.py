"""Tell the world about a deployment: stack outputs under keys that scripts and the local cloud rely on.

`Bucket`, `PersonalizeRoleArn`, `StateMachine<Name>` (an ARN), `Queue<Name>` (a URL) and `Table<Name>` (a name).
"""

from aws_cdk import CfnOutput
from constructs import Construct


def pascal(stem: str) -> str:
    """Return ``import_uploads`` as ``ImportUploads``."""
    return "".join(word.capitalize() for word in stem.split("_"))


def publish(scope: Construct, key: str, value: str, description: str) -> None:
    """Make `value` an output of the stack of `scope`, under exactly `key`."""
    CfnOutput(scope, f"Output{key}", value=value, description=description).override_logical_id(key)
