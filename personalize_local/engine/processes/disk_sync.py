"""Put files on disk for good, before anything says that they are there."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Return once a file, or every file of a folder and their names, would survive a loss of power."""
    if path.is_dir():
        for inside in path.iterdir():
            sync(inside)
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
