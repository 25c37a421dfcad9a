"""`make locks` refuses a lock that misses a requirement, and names it; as `make check` does with the project's own."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
FILES = ("Makefile", "pyproject.toml", "README.md", "package.json", "package-lock.json", ".npmrc")
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-layer.txt")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of what `make locks` reads."""
    for name in (*FILES, *LOCKS):
        shutil.copy(PROJECT / name, tmp_path)
    (tmp_path / ".venv").symlink_to(PROJECT / ".venv")
    return tmp_path


def check(directory: Path) -> str:
    """Return what `make locks` says before it fails."""
    command = ["make", "-o", ".venv/.development", "locks"]
    run = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    told = run.stdout + run.stderr
    if "error sending request" in told:
        pytest.skip("the package index cannot be reached")
    assert run.returncode != 0
    return told


def take_out(lock: Path, name: str) -> None:
    entry = re.compile(rf"^{name}==.*?(?=^\S)", re.MULTILINE | re.DOTALL)
    text, taken = entry.subn("", lock.read_text(encoding="utf-8"))
    assert taken == 1
    lock.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("lock", "name"), [("requirements-dev.txt", "coverage"), ("requirements-layer.txt", "typing-extensions")]
)
def test_a_missing_requirement_is_named(lock: str, name: str, copy: Path) -> None:
    take_out(copy / lock, name)
    assert re.search(rf"^\+{name}==", check(copy), re.MULTILINE)


def test_a_new_dependency_that_was_not_locked_is_named(copy: Path) -> None:
    project = copy / "pyproject.toml"
    project.write_text(
        project.read_text(encoding="utf-8").replace('"rich>=', '"humanize>=4", "rich>='), encoding="utf-8"
    )
    assert "+humanize==" in check(copy)


def test_a_package_of_node_that_was_not_locked_is_named(copy: Path) -> None:
    package = copy / "package.json"
    package.write_text(
        package.read_text(encoding="utf-8").replace('"asl-', '"is-odd": "3.0.1", "asl-'), encoding="utf-8"
    )
    assert "is-odd" in check(copy)
