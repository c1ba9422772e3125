"""Deliveries as EventBridge makes them: envelopes by POST, again where they are not taken, and in no order."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from journeymap.simulator.server import SimulatedPlatform
from tests.platform_client import eventually
from tests.public_client import PublicClient


class Receiver(ThreadingHTTPServer):
    """Takes what is posted, or refuses it while `status` says so."""

    daemon_threads = True

    def __init__(self) -> None:
        self.taken: list[tuple[str | None, dict[str, Any]]] = []
        self.refused: list[str] = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), Taking)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/ingest"


class Taking(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        receiver = self.server
        assert isinstance(receiver, Receiver)
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if receiver.status == 200:
            receiver.taken.append((self.headers["x-api-key"], said))
        else:
            receiver.refused.append(said["id"])
        self.send_response(receiver.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def platform() -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform(rate=50.0, seed=9) as platform:
        yield platform


def test_detail_events_arrive_in_envelopes_with_the_key(platform: SimulatedPlatform, receiver: Receiver) -> None:
    platform.reset_faults()
    platform.act("deliver_to", url=receiver.url, key="sesame")
    eventually(lambda: len(receiver.taken) >= 60)
    platform.act("deliver_to")
    assert {key for key, _ in receiver.taken} == {"sesame"}
    for _, event in receiver.taken:
        detail = event["detail"]
        assert event["version"] == "0"
        assert event["source"].startswith("aws.partner/genesys.com/cloud/")
        kind = event["detail-type"].removeprefix("v2.detail.events.conversation.{id}.")
        conversation = detail["eventBody"]["conversationId"]
        assert detail["topicName"] == f"v2.detail.events.conversation.{conversation}.{kind}"
        assert detail["version"] == "2"
        assert detail["timestamp"][:17] >= event["time"][:17]
    ids = [event["id"] for _, event in receiver.taken]
    assert len(set(ids)) == len(ids)
    with PublicClient(platform) as client:
        name = receiver.taken[0][1]["detail"]["eventBody"]["conversationId"]
        assert client.get(f"/api/v2/conversations/{name}")["id"] == name


def test_what_is_not_taken_comes_again(platform: SimulatedPlatform, receiver: Receiver) -> None:
    platform.reset_faults()
    receiver.status = 503
    platform.act("deliver_to", url=receiver.url)
    eventually(lambda: len(set(receiver.refused)) >= 20)
    refused = set(receiver.refused)
    receiver.status = 200
    eventually(lambda: refused <= {event["id"] for _, event in receiver.taken})
    platform.act("deliver_to")
    stats = platform.stats()["public"]["eventbridge"]
    assert stats["refused"] >= 20
    assert stats["lost"] == 0


def test_events_come_twice_and_overtake_each_other(platform: SimulatedPlatform, receiver: Receiver) -> None:
    platform.set_faults(duplicates=1.0, reordering=1.0, longest_delay=0.5)
    platform.act("deliver_to", url=receiver.url)
    eventually(lambda: len(receiver.taken) >= 200)
    platform.act("deliver_to")
    times = [event["detail"]["eventBody"]["eventTime"] for _, event in receiver.taken]
    assert times != sorted(times)
    copies = Counter(event["id"] for _, event in receiver.taken)
    assert set(copies.values()) <= {1, 2}
    assert list(copies.values()).count(2) > 20
