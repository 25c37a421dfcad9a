"""Say in one sentence, before anything is begun, what is wrong with the arguments of a command."""

import argparse
import json
import os
import socket
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

HOST: Final = "127.0.0.1"
HIGHEST_PORT: Final = 65_535
HIGHEST_SPEED: Final = 1_000_000.0  # eleven days a second; much more, and the calendar ends within the hour


class CommandLineParser(argparse.ArgumentParser):
    """A parser whose complaints are one line: the usage is what `--help` is for."""

    def error(self, message: str) -> NoReturn:
        """End the process with status 2 and the message."""
        self.exit(2, f"{self.prog}: {message}\n")


def port(text: str) -> int:
    """Read the number of a port; 0 stands for any that is free."""
    if not text.isdecimal() or int(text) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to {HIGHEST_PORT}, not {text!r}")
    return int(text)


def speed(text: str) -> float:
    """Read how many simulated seconds pass in a real one."""
    try:
        read = float(text)
    except ValueError:
        read = 0.0
    if not 0 < read <= HIGHEST_SPEED:  # neither is nan
        raise argparse.ArgumentTypeError(f"a speed is a number above 0, up to {HIGHEST_SPEED:,.0f}, not {text!r}")
    return read


def endpoint(text: str) -> str:
    """Read the URL of a local cloud."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # its port is no number, or too large
        usable = False
    if not usable:
        raise argparse.ArgumentTypeError(f"an endpoint looks like http://127.0.0.1:5000, not {text!r}")
    return text


def assembly(text: str) -> Path:
    """Read the path of a synthesised app, whose templates are all there."""
    directory = Path(text)
    try:
        artifacts = _json(directory / "manifest.json")["artifacts"].values()
        for artifact in artifacts:
            if artifact["type"] == "aws:cloudformation:stack":
                _json(directory / artifact["properties"]["templateFile"])
    except OSError as error:
        missing = f"{error.filename}: {error.strerror}"
        raise argparse.ArgumentTypeError(
            f"{text} is no synthesised app, as `make synth` makes it ({missing})"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise argparse.ArgumentTypeError(
            f"{text} is no synthesised app: its manifest or a template is damaged"
        ) from error
    return directory


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def output_folder(text: str) -> Path:
    """Read the path of a folder that exists or can be made."""
    folder = Path(text)
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if not there.is_dir():
        raise argparse.ArgumentTypeError(f"{there} is a file, not a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f"nothing can be written in {there}")
    return folder


def check_port_is_free(number: int) -> None:
    """Raise an OSError that says why nothing can be served on a port."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: a dead one's port is free
        try:
            trial.bind((HOST, number))
        except OSError as error:
            raise OSError(f"port {number} of {HOST} cannot be used: {error.strerror}") from error
