"""Renewals of the Notification Service, for as long as one likes: is an event lost?
`python -m benchmarks.renewals --queues 2500 --rate 50 --minutes 10 --channel-life 60s`

The source is compared with an observer that listens to the same queues on a channel of its own, which is never renewed. With
`--channel-life 24h --token-life 24h --minutes 1500` it is a real day. Fails if an event is missing or the source was not OPEN
all the time.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import logging
import random
import sys
import threading
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode, urlsplit

import websocket

from benchmarks.processes import Command, resident, until
from journeymap.runtime.clock import SystemClock
from journeymap.simulator.faults import seconds_of
from journeymap.source.base import ConnectionState
from journeymap.source.notifications.source import NotificationsSource
from journeymap.source.publicapi.client import PublicApi, PublicApiConfig

CLIENT, SECRET = "renewals", "kept-to-itself"
PORT = 8_190
OBSERVED = "240h"
"""How long the observer's channel and token live."""
LINGER = 10.0
"""Seconds in which what the observer has seen must have come to the source too."""


def main() -> None:
    """Listen, compare, and say each minute how it stands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queues", type=int, default=2_500)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--channel-life", default="60s")
    parser.add_argument("--token-life", default="10m")
    parser.add_argument("--port", type=int, default=PORT)
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    arguments = [
        "simulate", "--port", str(options.port), "--queues", str(options.queues), "--rate", str(options.rate),
        "--client-id", CLIENT, "--client-secret", SECRET, "--channel-life", OBSERVED, "--token-life", OBSERVED,
    ]  # fmt: skip
    address = f"127.0.0.1:{options.port}"
    with Command(*arguments):
        until(lambda: is_up(address), "the simulated platform")
        observer = Observer(address)
        lives = {"channel_life": seconds_of(options.channel_life), "token_life": seconds_of(options.token_life)}
        ask(address, "PUT", "/control/faults", lives)
        sys.exit(compare(address, observer, options.minutes * 60))


def compare(address: str, observer: Observer, seconds: float) -> int:
    """Run the source beside the observer; 1 if it has missed anything."""
    clock = SystemClock().now
    config = PublicApiConfig(f"http://{address}", f"http://{address}", f"ws://{address}", CLIENT, SECRET)
    source = NotificationsSource(
        PublicApi(config, clock, random.SystemRandom()), config.stream_url, clock, random.SystemRandom()
    )
    seen = Seen()
    thread = threading.Thread(target=source.run, args=(lambda frame, _: seen.add(frame),))
    thread.start()
    until(lambda: source.status().state is ConnectionState.OPEN, "the source")
    time.sleep(1)
    observer.start()
    changes = source.status().change_count
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        time.sleep(min(60, left))
        status = source.status()
        print(
            f"{round((seconds - max(0, ends - time.monotonic())) / 60, 1):6} min  {status.state}  "
            f"{status.topic_channels} channels  {status.topics:,} topics  {made(address):,} made  "
            f"{len(seen.names):,} received  {len(observer.seen.names - seen.names):,} on the way  "
            f"{resident() / 1e6:.0f} MB  {threading.active_count()} threads",
            flush=True,
        )
    wanted = observer.stop()
    deadline = time.monotonic() + LINGER
    while wanted - seen.names and time.monotonic() < deadline:
        time.sleep(0.1)
    status = source.status()
    missing, left_open = wanted - seen.names, status.change_count != changes
    source.stop()
    thread.join()
    print(
        f"{len(wanted):,} events seen by the observer, {len(missing):,} of them missing; {seen.copies:,} copies; "
        f"{made(address):,} channels made; {'left OPEN: ' + str(status.changes) if left_open else 'OPEN all the time'}"
    )
    return 1 if missing or left_open else 0


class Seen:
    """Events by topic and what the platform calls them."""

    def __init__(self) -> None:
        self.names: set[tuple[str, str]] = set()
        self.copies = 0

    def add(self, frame: bytes | str) -> None:
        """Take note of an event in a queue."""
        said: dict[str, Any] = json.loads(frame)
        if said["topicName"].startswith("v2.routing.queues."):
            name = said["topicName"], said["metadata"]["CorrelationId"]
            self.copies += name in self.names
            self.names.add(name)


class Observer:
    """Listens to the queues in which something happens. Its channel is made before any is to live shortly."""

    def __init__(self, address: str) -> None:
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        answer = ask(address, "POST", "/oauth/token", "grant_type=client_credentials", f"Basic {basic}")
        bearer = f"Bearer {answer['access_token']}"
        names = ("Billing", "Orders", "Retention", "Sales", "Technical Support")
        found = [queue for name in names for queue in listed(address, name, bearer)]
        channel = ask(address, "POST", "/api/v2/notifications/channels", None, bearer)
        topics = [{"id": f"v2.routing.queues.{queue}.conversations"} for queue in found]
        ask(address, "POST", f"/api/v2/notifications/channels/{channel['id']}/subscriptions", topics, bearer)
        self.seen = Seen()
        self._socket = websocket.create_connection(channel["connectUri"], timeout=60)
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def start(self) -> None:
        """What comes from now on counts."""
        self._begun.set()

    def stop(self) -> set[tuple[str, str]]:
        """Listen no more; all that counted."""
        self._begun.clear()
        return set(self.seen.names)

    def _listen(self) -> None:
        while frame := self._socket.recv():
            if self._begun.is_set():
                self.seen.add(frame)


def listed(address: str, name: str, bearer: str) -> Iterable[str]:
    page = ask(address, "GET", f"/api/v2/routing/queues?{urlencode({'name': name})}", None, bearer)
    return [queue["id"] for queue in page["entities"]]


def made(address: str) -> int:
    """Channels made so far."""
    count: int = ask(address, "GET", "/stats")["answers"].get("POST /api/v2/notifications/channels 200", 0)
    return count


def is_up(address: str) -> bool:
    try:
        return bool(ask(address, "GET", "/stats"))
    except OSError:
        return False


def ask(address: str, method: str, path: str, body: Any = None, authorization: str = "") -> Any:
    """A request to the platform on this machine."""
    parts = urlsplit(f"//{address}")
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    kind = "application/x-www-form-urlencoded" if isinstance(body, str) else "application/json"
    headers = {"Content-Type": kind} | ({"Authorization": authorization} if authorization else {})
    try:
        connection.request(method, path, text, headers)
        answer = connection.getresponse().read()
    finally:
        connection.close()
    return json.loads(answer) if answer else None


if __name__ == "__main__":
    main()
