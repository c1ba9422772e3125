"""From a post to journeys: the simulated platform delivers as EventBridge does, to ingest as it runs."""

from __future__ import annotations

import asyncio
import json
import random
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from journeymap.decode.event import decode_frame
from journeymap.model.event import Event
from journeymap.simulator.publicapi import eventbridge as bridge
from journeymap.simulator.server import SimulatedPlatform
from journeymap.source.eventbridge import EventBridgeConfig, EventBridgeSource
from journeymap.stitch.definition import journeys
from journeymap.web.ingest import PATH
from tests.integration.eventbridge.serving import KEY, served
from tests.integration.ingest import CLOCK, OPTIONS, Running, Store, assert_holds
from tests.integration.process import Command, received_events, stored_journeys, until

SAMPLES = Path(__file__).parents[2] / "data" / "genesys"


class Told:
    """What the simulated platform gave to EventBridge, until `end`."""

    def __init__(self, platform: SimulatedPlatform) -> None:
        self.platform = platform
        self.events: dict[str, Event] = {}
        self._bridge = platform.public.eventbridge
        self._put = self._bridge.put
        self._ended = False
        self._bridge.put = self._note  # type: ignore[method-assign]

    def _note(self, conversation: Any, moment: Any) -> None:
        if self._ended:
            return
        frame = msgspec.json.encode(bridge.envelope(conversation, moment, CLOCK.now()))
        for event in decode_frame(frame)[0]:
            self.events[event.event_id] = event
        self._put(conversation, moment)

    def end(self) -> None:
        """Nothing more happens; wait until all that did has been delivered."""
        self._ended = True
        until(lambda: self.stats()["waiting"] == 0, "all is delivered")

    def stats(self) -> dict[str, int]:
        stats: dict[str, int] = self.platform.stats()["public"]["eventbridge"]
        return stats


@pytest.fixture
def telling(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedPlatform]:
    """A busy platform that comes again soon, or these tests would take as long as an outage."""
    monkeypatch.setattr(bridge, "_LONGEST_PAUSE", 0.2)
    with SimulatedPlatform(rate=30.0, seed=9) as platform:
        yield platform


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def ids(events: list[Event]) -> set[str]:
    return {event.event_id for event in events}


def test_killed_while_events_come_it_loses_and_doubles_nothing(tmp_path: Path, telling: SimulatedPlatform) -> None:
    """They come in no order, and some of them twice; and again until the process that was killed is followed by another."""
    store, port = tmp_path / "store", free_port()
    environment = {
        "JOURNEYMAP_SOURCE": "eventbridge",
        "JOURNEYMAP_EVENTBRIDGE_KEY": KEY,
        "JOURNEYMAP_STORE": f"disk:{store}",
        "JOURNEYMAP_INGEST_PORT": str(port),
    }
    telling.set_faults(duplicates=0.3, reordering=1.0, longest_delay=0.3)
    told = Told(telling)
    telling.act("deliver_to", url=f"http://127.0.0.1:{port}{PATH}", key=KEY)
    with Command("ingest", log=tmp_path / "log", **environment) as command:
        until(lambda: told.stats()["delivered"] >= 40, "events are received")
        command.kill()
    with Command("ingest", log=tmp_path / "log", **environment) as command:
        until(lambda: len(told.events) >= 100, "many events")
        told.end()
        assert command.stop() == 0
    received = received_events(store)
    assert ids(received) == set(told.events)
    assert len(received) > len(told.events)
    assert told.stats()["lost"] == 0
    expected = journeys(told.events.values(), OPTIONS)
    assert stored_journeys(store, OPTIONS) == expected
    assert len(expected) > 20


def brought() -> EventBridgeSource:
    return EventBridgeSource(EventBridgeConfig(KEY), CLOCK.now, random.random)


def test_sampled_envelopes_in_any_order_are_the_journey(tmp_path: Path) -> None:
    path = SAMPLES / "sdk-eventbridge-journey-voice-blind-transfer.json"
    envelopes = json.loads(path.read_text(encoding="utf-8"))
    bodies = [json.dumps(each).encode() for each in envelopes]
    hook = [(each["detail-type"], json.dumps(each["detail"]["eventBody"]).encode()) for each in envelopes]
    store, source = Store(), brought()
    with Running(tmp_path, store, source) as running, served(source.door) as url:  # type: ignore[arg-type]
        until(lambda: source.status().state == "OPEN", "the door is open")
        with httpx.Client(headers={"Authorization": f"Bearer {KEY}"}) as client:
            for body in random.Random(1).sample([*bodies, *bodies[:5]], len(bodies) + 5):
                assert client.post(url, content=body).status_code == 200
            # The same, as a workflow sends it: nothing new.
            for topic, body in hook:
                answer = client.post(url, params={"topic": topic}, content=body)
                assert answer.status_code == 200
            assert client.post(url, content=b'{"of":"something else"}').status_code == 200
        running.until_told(lambda status: status.counts.received == 2 * len(bodies) + 6)
        status = running.until_told(lambda status: status.counts.quarantined == 1)
    assert status.rejected == {"no-type": 1}
    assert status.counts.conflicting == 0
    assert_holds(store, bodies)


def test_posts_at_once_are_all_in_the_journal_and_in_its_order(tmp_path: Path) -> None:
    bodies = [json.dumps(body_of(number)).encode() for number in range(150)]
    store, source = Store(), brought()

    async def post_all(url: str) -> list[int]:
        limits = httpx.Limits(max_connections=24)
        async with httpx.AsyncClient(headers={"x-api-key": KEY}, limits=limits, timeout=30) as client:
            answers = await asyncio.gather(*(client.post(url, content=body) for body in bodies))
        return [answer.status_code for answer in answers]

    with Running(tmp_path, store, source) as running, served(source.door) as url:  # type: ignore[arg-type]
        until(lambda: source.status().state == "OPEN", "the door is open")
        put, seen = running.ingest._inbox.put, []

        def note(record: Any) -> None:
            seen.append(record.end)
            put(record)

        running.ingest._inbox.put = note  # type: ignore[method-assign]
        assert asyncio.run(post_all(url)) == [200] * len(bodies)
        running.until_told(lambda status: status.counts.events == len(bodies))
    assert sorted(record.data for record in _journal(tmp_path)) == sorted(bodies)
    assert seen == sorted(seen)
    assert_holds(store, bodies)


def body_of(number: int) -> dict[str, Any]:
    """The `detail` of an event of its own."""
    topic = f"v2.detail.events.conversation.c{number}.customer.start"
    event = {"eventTime": CLOCK.now(), "conversationId": f"c{number}", "sessionId": f"s{number}", "mediaType": "CHAT"}
    return {"topicName": topic, "version": "2", "eventBody": event}


def test_more_posts_than_are_allowed_come_later(tmp_path: Path, telling: SimulatedPlatform) -> None:
    store, source, told = Store(), brought(), Told(telling)
    with Running(tmp_path, store, source) as running, served(source.door, 15) as url:  # type: ignore[arg-type]
        telling.act("deliver_to", url=url, key=KEY)
        until(lambda: len(told.events) >= 30, "more events in less than a second")
        told.end()
        running.until_told(lambda status: status.counts.events >= len(told.events))
    assert source.door.refused()["too-many"] > 0
    assert ids([event for record in _journal(tmp_path) for event in decode_frame(record.data)[0]]) == set(told.events)


def test_a_full_disk_keeps_the_platform_waiting(tmp_path: Path, telling: SimulatedPlatform) -> None:
    room = [1 << 40]
    store, source, told = Store(), brought(), Told(telling)
    running = Running(tmp_path, store, source, free=lambda _: room[0], disk_reserve=1 << 30)  # type: ignore[arg-type]
    with running, served(source.door) as url:
        telling.act("deliver_to", url=url, key=KEY)
        until(lambda: source.door.received >= 20, "events come")
        room[0] = 0
        status = running.until_told(lambda status: status.reading_stopped)
        until(lambda: source.door.refused().get("closed", 0) >= 20, "events are sent away")
        taken = source.door.received
        answer = httpx.post(url, headers={"x-api-key": KEY}, content=b"{}")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert "DISK_RESERVE" in answer.json()["detail"]
        assert source.door.received == taken
        room[0] = 1 << 40
        told.end()
        status = running.until_told(lambda status: status.state == "OPEN" and status.counts.events >= len(told.events))
        assert status.sources[0].posts_refused["closed"] >= 20
        assert {row.kind for row in status.gap_totals} == set()  # it waited: nothing is missing
    assert_holds(store, [record.data for record in _journal(tmp_path)])
    found = [event for record in _journal(tmp_path) for event in decode_frame(record.data)[0]]
    assert ids(found) == set(told.events)


def test_posts_are_recorded_where_no_ingest_runs(tmp_path: Path) -> None:
    environment = {
        "JOURNEYMAP_SOURCE": "eventbridge",
        "JOURNEYMAP_EVENTBRIDGE_KEY": KEY,
        "JOURNEYMAP_STORE": f"disk:{tmp_path / 'store'}",
        "JOURNEYMAP_INGEST_PORT": "0",
    }
    out = tmp_path / "out.jsonl"
    with Command("record", "-o", str(out), log=tmp_path / "log", **environment) as command:
        assert command.address.endswith(PATH)

        def post() -> bool:
            answer = httpx.post(command.address, headers={"x-api-key": KEY}, content=b'{\n"a":1}')
            return answer.status_code == 200

        until(post, "a post is taken")  # 503 until the source runs
        assert command.stop() == 0
    assert out.read_bytes() == b'{ "a":1}\n'


def _journal(directory: Path) -> list[Any]:
    from journeymap.journal.replay import read_journal

    return list(read_journal(directory / "journal"))
