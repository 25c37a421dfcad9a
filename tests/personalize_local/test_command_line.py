"""Bad arguments: one sentence on stderr and status 2, before anything slow is imported or begun."""

import argparse
import http.server
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from personalize_local.__main__ import main, parser
from personalize_local.clock import Clock
from personalize_local.cloud import Cloud
from tests.personalize_local.running_commands import PROJECT

BOTH = ("serve", "demo")


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the one line that a command says before it ends with status 2."""
    try:
        status = main(arguments)
    except SystemExit as exit_:
        status = exit_.code if isinstance(exit_.code, int) else -1
    told = capsys.readouterr()
    assert (status, told.out) == (2, "")
    (line,) = told.err.splitlines()
    return line


@pytest.mark.parametrize("command", BOTH)
@pytest.mark.parametrize("value", ["99999", "65536", "-1", "abc", "", "1.5"])
def test_no_port(command: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "a port is a number from 0 to 65535" in refusal(capsys, command, f"--port={value}")


@pytest.mark.parametrize("command", BOTH)
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "-inf", "abc", "", "1e300"])
def test_no_speed(command: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "a speed is a number above 0" in refusal(capsys, command, f"--speed={value}")


@pytest.mark.parametrize("command", BOTH)
def test_a_port_in_use(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} of 127.0.0.1 cannot be used: Address already in use" in refusal(
            capsys, command, f"--port={port}"
        )


def test_a_port_whose_last_connections_linger_is_free() -> None:
    """As after a cloud that was just ended: the system keeps its connections for a minute."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            accepted.close()  # the side that closes first is the one that lingers
            client.recv(1)
    with Cloud(port=port) as cloud:
        assert cloud.endpoint.endswith(f":{port}")


def test_the_refusal_comes_before_the_slow_imports() -> None:
    script = (
        "import sys, personalize_local.__main__ as c\ntry: c.main(['serve', '--port=-1'])\nfinally: print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "personalize_local.command_line" in run.stdout.split()
    assert not {"moto", "polars", "numpy", "aws_cdk"} & set(run.stdout.split())


@pytest.mark.parametrize("number", [65_536, 99_999, -1])
def test_a_cloud_in_python_refuses_ports_too(number: int) -> None:
    with pytest.raises(ValueError, match="a port is a number from 0 to 65535"):
        Cloud(port=number).__enter__()


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf")])
def test_a_clock_in_python_refuses_speeds_too(speed: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Clock(speed)


def manifest(directory: Path, **artifacts: object) -> str:
    (directory / "manifest.json").write_text(json.dumps({"artifacts": artifacts}), encoding="utf-8")
    return f"--assembly={directory}"


def test_no_assembly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is no synthesised app" in refusal(capsys, "serve", f"--assembly={tmp_path}")
    assert "No such file" in refusal(capsys, "serve", f"--assembly={tmp_path / 'nothing'}")
    assert "is no synthesised app" in refusal(capsys, "serve", f"--assembly={__file__}")


def test_a_damaged_assembly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "shop.template.json"}}
    assert "shop.template.json: No such file" in refusal(capsys, "serve", manifest(tmp_path, shop=stack))
    (tmp_path / "shop.template.json").write_text('{"Resources": {', encoding="utf-8")
    assert "a template is damaged" in refusal(capsys, "serve", manifest(tmp_path, shop=stack))
    assert "its manifest" in refusal(capsys, "serve", manifest(tmp_path, shop="a word"))
    for text in ("{", "[]", "{}", "\x00"):
        (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
        assert "its manifest" in refusal(capsys, "serve", f"--assembly={tmp_path}")


def test_output_that_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.touch()
    assert "is a file, not a folder" in refusal(capsys, "demo", f"--out={file}")
    assert "is a file, not a folder" in refusal(capsys, "demo", f"--out={file / 'below'}")


ASKING = [("fault", "show")]


def asking(command: tuple[str, str], url: str) -> tuple[str, ...]:
    return command[0], f"--endpoint={url}", command[1]


@pytest.mark.parametrize("command", ASKING)
@pytest.mark.parametrize("url", ["localhost:5000", "ftp://host", "http://", "http://host:99999", "http://host:x", ""])
def test_no_endpoint(command: tuple[str, str], url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "an endpoint looks like http://127.0.0.1:5000" in refusal(capsys, *asking(command, url))


@pytest.mark.parametrize("command", ASKING)
def test_nobody_answers(command: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and never listens
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        began = time.monotonic()
        assert url in refusal(capsys, *asking(command, url))
    assert time.monotonic() - began < 30


class _WebPage(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()
        self.wfile.write(b"<html>")

    do_POST = do_GET  # noqa: N815 - the library's name

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(params=[200, 404])
def web_page(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of a server that is no local cloud."""
    with http.server.HTTPServer(("127.0.0.1", 0), _WebPage) as server:
        server.status = request.param  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("command", ASKING)
def test_somebody_else_answers(command: tuple[str, str], web_page: str, capsys: pytest.CaptureFixture[str]) -> None:
    refusal(capsys, *asking(command, web_page))


@pytest.mark.parametrize("arguments", [(), ("dance",), ("serve", "--dance")])
def test_no_command(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, *arguments).startswith("python -m personalize_local")


def described(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str | None]]:
    """Yield each argument of all commands with its help."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from described(below)
        else:
            yield f"{parser.prog} {action.dest}", action.help


def test_every_argument_has_its_help() -> None:
    found = dict(described(parser()))
    assert "python -m personalize_local serve port" in found
    assert [argument for argument, text in found.items() if not text] == []
