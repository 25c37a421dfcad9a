"""The app is deployed to any partition of AWS: nothing that ships knows the name of one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(
    path
    for room in ("lambdas", "stacks", "statemachines", "control", "config")
    for path in (ROOT / room).rglob("*")
    if path.suffix in (".py", ".json", ".toml")
)
# The name of a partition, in an ARN or as the end of a host name.
A_PARTITION = re.compile(r"arn:aws[a-z-]*:|\bamazonaws\.com\.cn\b|\.amazonaws\.com/")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_arn_that_ships_names_a_partition(path: Path) -> None:
    assert not A_PARTITION.findall(path.read_text(encoding="utf-8"))


def test_no_arn_of_a_template_names_a_partition(assembly: Path) -> None:
    for template in assembly.glob("*.template.json"):
        text = template.read_text(encoding="utf-8")
        assert not A_PARTITION.findall(text), template.name
        assert "AWS::Partition" in text or "workflow" not in template.name


def test_the_search_finds_what_it_looks_for() -> None:
    assert [bool(A_PARTITION.search(f"arn:{name}:s3:::b")) for name in ("aws", "aws-cn", "aws-us-gov", "${P}")] == [
        True, True, True, False,
    ]  # fmt: skip
