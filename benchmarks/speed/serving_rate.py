"""Rates of GetRecommendations and PutEvents over HTTP from 1 and 32 clients, beside moto's cheapest call.

`python -m benchmarks.speed.serving_rate [--seconds 4]`. The clients are threads of this process on connections that
they keep; moto is its own server in a process of its own, asked for GetCallerIdentity. Python's lock lets a server
process use one core. What a call takes of the processors tells what more clients can get on this machine at most: with
`s` ms in the server and `c` ms in the clients, `(s + c) / max(s, c)` times one client that never waits.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from benchmarks.instruments.bars import Bar, report
from benchmarks.instruments.processor_time import processor_seconds
from benchmarks.instruments.synthetic import tastes
from personalize_local.testing.server_process import ServerProcess
from personalize_local.testing.trained_campaign import TrainedCampaign, train_campaign

_MANY: Final = 32
_TURNS: Final = 3
_MOTO: Final = """
import time
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(*server.get_host_and_port(), flush=True)
time.sleep(600)
"""


def main() -> int:
    """Measure, print, and return how many bars were missed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=4)
    seconds = arguments.parse_args().seconds
    moto = subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", _MOTO], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        host, port = str(moto.stdout.readline() if moto.stdout else "").split()
        with ServerProcess(100_000.0) as server:
            return report("serving over HTTP", measured(server, f"{host}:{port}", seconds))
    finally:
        moto.terminate()
        moto.wait()


def measured(server: ServerProcess, moto: str, seconds: float) -> list[Bar]:
    """Return the bars, from rates measured in turns."""
    planted = tastes(400, 1_000, 20_000).frame()
    rows = [(str(user), str(item), int(moment)) for user, item, moment in planted.iter_rows()]

    def settle() -> None:
        server.control("settle", {"seconds": 120})

    made = train_campaign(server.client, settle, recipe="aws-user-personalization", interactions=rows, name="rates")
    here = server.endpoint.partition("//")[2]
    questions = {"GetRecommendations": asking(here, made), "PutEvents": putting(here, made, server)}
    form = "application/x-www-form-urlencoded"
    cheapest = Asked(moto, "/", "Action=GetCallerIdentity&Version=2011-06-15", "sts", form)
    bars = []
    for name, question in questions.items():
        turns = ((question, 1), (cheapest, 1), (question, _MANY))
        rounds = [[_loaded(server, asked, clients, seconds) for asked, clients in turns] for _ in range(_TURNS)]
        one, peer, many = sorted(rounds, key=lambda each: each[0].rate / each[1].rate)[_TURNS // 2]
        bars += _bars(name, one, peer, many)
    return bars


class Load(NamedTuple):
    """Answers a second, and the milliseconds of processor that each took in the server and in the clients."""

    rate: float
    server_ms: float
    client_ms: float

    @property
    def most_times_one_client(self) -> float:
        """Return how much more than one client many can get of a server that uses one core."""
        return (self.server_ms + self.client_ms) / max(self.server_ms, self.client_ms)


def _loaded(server: ServerProcess, asked: "Asked", clients: int, seconds: float) -> Load:
    before = [processor_seconds(pid) for pid in (server.pid, os.getpid())]
    rate = asked.rate(clients, seconds)
    taken = [processor_seconds(pid) - was for pid, was in zip((server.pid, os.getpid()), before, strict=True)]
    server_ms, client_ms = (1000 * each / (rate * seconds) for each in taken)
    return Load(rate, server_ms, client_ms)


def _bars(name: str, one: Load, peer: Load, many: Load) -> list[Bar]:
    rates = f"{one.rate:.0f}, moto {peer.rate:.0f}, from {_MANY} clients {many.rate:.0f} a second"
    taken = f"server {many.server_ms:.2f} ms, clients {many.client_ms:.2f} ms a call: {many.most_times_one_client:.2f}"
    return [
        Bar(f"{name} from one client, of moto's cheapest call", one.rate / peer.rate, 1.0, detail=rates),
        Bar(f"{name} from {_MANY} clients, times one client", many.rate / one.rate, 2.0, detail=f"{taken} at most"),
    ]


class Asked:
    """One request that is sent again and again."""

    def __init__(self, host: str, path: str, body: str, service: str, kind: str = "application/json") -> None:
        self._host, self._path, self._body = host, path, body.encode()
        scope = f"Credential=test/20260101/us-east-1/{service}/aws4_request"
        authorization = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"
        self._headers = {"Authorization": authorization, "Content-Type": kind}

    def rate(self, clients: int, seconds: float) -> float:
        """Return how many answers a second so many clients get together."""
        counts: list[int] = []
        threads = [threading.Thread(target=self._ask, args=(seconds, counts.append)) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts) / seconds

    def _ask(self, seconds: float, count: Callable[[int], None]) -> None:
        connection, answers = http.client.HTTPConnection(self._host, timeout=30), 0
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            connection.request("POST", self._path, self._body, self._headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != http.HTTPStatus.OK:
                raise RuntimeError(f"{answer.status}: {content[:200]!r}")
            answers += 1
        count(answers)
        connection.close()


def asking(host: str, made: TrainedCampaign) -> Asked:
    """Return a question for ten items."""
    body = {"campaignArn": made.campaign_arn, "userId": "u1", "numResults": 10}
    return Asked(host, "/recommendations", json.dumps(body), "personalize")


def putting(host: str, made: TrainedCampaign, server: ServerProcess) -> Asked:
    """Return an event of a session."""
    personalize = server.client("personalize")
    tracker = personalize.create_event_tracker(name="rates", datasetGroupArn=made.dataset_group_arn)
    server.control("settle", {"seconds": 60})
    event = {"eventType": "view", "itemId": "i1", "sentAt": 1_750_000_000}
    body = {"trackingId": tracker["trackingId"], "userId": "u1", "sessionId": "s1", "eventList": [event]}
    return Asked(host, "/events", json.dumps(body), "personalize")


if __name__ == "__main__":
    raise SystemExit(main())
