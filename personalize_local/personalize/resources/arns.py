"""Make Amazon Resource Names of the service, and tell them apart."""

from dataclasses import dataclass

_PARTS = 6


@dataclass(frozen=True)
class Arn:
    """A taken-apart ARN."""

    partition: str
    service: str
    region: str
    account: str
    path: tuple[str, ...]


def parse_arn(text: str) -> Arn | None:
    """Return the parts of an ARN, or None when the text is none."""
    parts = text.split(":", _PARTS - 1)
    if len(parts) != _PARTS or parts[0] != "arn":
        return None
    _, partition, service, region, account, resource = parts
    return Arn(partition, service, region, account, tuple(resource.split("/")))


def is_of_type(text: str, path: str, depth: int) -> bool:
    """Tell whether the ARN names a Personalize resource below `path`, `depth` parts deep."""
    arn = parse_arn(text)
    return arn is not None and arn.service == "personalize" and arn.path[0] == path and len(arn.path) == depth


def owned_by_service(partition: str, path: str, name: str) -> str:
    """Return the ARN of a recipe, algorithm or feature transformation: no region, no account."""
    return f"arn:{partition}:personalize:::{path}/{name}"
