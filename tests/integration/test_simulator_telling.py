"""Lasting faults of what the simulated platform tells: how much, when, in which order and in which pieces."""

import json
import time
from email.utils import parsedate_to_datetime
from itertools import pairwise
from random import Random
from typing import Any

import websocket

from journeymap.simulator.chance import strikes
from journeymap.simulator.faults import Faults
from journeymap.simulator.server import SimulatedPlatform
from journeymap.simulator.story import Story
from tests.platform_client import Client, events_of, eventually, frames, made_event


def test_throttle_is_the_platforms_own_limit() -> None:
    with SimulatedPlatform(rate=500) as platform, Client(platform) as client:
        platform.set_faults(throttle=20, retry_after=3)
        stream = client.open(maxEventsPerSecond=50)

        def throttles(got: list[Any]) -> list[Any]:
            return [frame for frame in got if isinstance(frame, dict) and frame.get("type") == "throttle"]

        got = frames(stream, lambda got: len(throttles(got)) == 2)
        between = got[got.index(throttles(got)[0]) : -1]
        assert len(events_of(between)) == 20
        assert throttles(got)[1]["dropped"] > 100
        assert throttles(got)[1]["retryAfterSeconds"] == 3
        stats = platform.stats()
        assert sum(stats["throttled"].values()) > 100
        assert sum(stats["dropped"].values()) == 0


def test_fragments_are_one_message_and_one_receipt() -> None:
    text, ping, more = websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_PING, websocket.ABNF.OPCODE_CONT
    with SimulatedPlatform() as platform, Client(platform) as client:
        stream = client.open()
        platform.wait_for_subscriptions()
        platform.set_faults(fragments=5)
        platform.send_events(made_event(1))
        pieces: list[websocket.ABNF] = []
        while not pieces or not (pieces[-1].opcode == more and pieces[-1].fin):
            pieces.append(stream.recv_frame())
        assert [piece.opcode for piece in pieces] == [text, ping, more, more, more, more]
        whole = b"".join(piece.data for piece in pieces if piece.opcode != ping)
        assert json.loads(whole)["eventId"] == "made-1"
        stream.pong(pieces[1].data)
        assert platform.acknowledged() == []

        def acknowledged() -> bool:
            platform.send_events(made_event(2))
            stream.recv()  # on the way it answers pings
            return platform.acknowledged()[:1] == [json.loads(whole)]

        eventually(acknowledged)


def some_came_twice(got: list[Any]) -> bool:
    events = events_of(got)
    return len(events) >= 500 and len({event["eventId"] for event in events}) < 0.9 * len(events)


def test_duplicates_late_ones_and_reordering_are_events_of_the_story() -> None:
    with SimulatedPlatform(rate=400, seed=3) as platform, Client(platform) as client:
        platform.set_faults(duplicates=0.3, late=0.3, longest_delay=0.5, reordering=0.2)
        stream = client.open()
        begun = platform.stats()["toldUntil"]
        got = events_of(frames(stream, some_came_twice))
        ended = platform.stats()["toldUntil"]
    story = Story(3, 400, platform.platform.manner.delivery)
    told = {event["eventId"]: event for _, event in story.events(begun - 200, ended + 200)}
    assert all(told[event["eventId"]] == event for event in got)
    times = [event["timestamp"] for event in got]
    assert sum(later < earlier for earlier, later in pairwise(times)) > len(times) / 10, "they overtook each other"


def test_clock_skew() -> None:
    with SimulatedPlatform(rate=50) as platform, Client(platform) as client:
        platform.set_faults(clock_skew=-3_600)
        hour_ago = time.time() - 3_600
        assert abs(parsedate_to_datetime(client.ask_token().headers["date"]).timestamp() - hour_ago) < 20
        stream = client.open()
        [event] = events_of(frames(stream, lambda got: bool(events_of(got))))[:1]
        assert abs(event["timestamp"] / 1000 - hour_ago) < 100
        assert client.call("GET").status_code == 200, "tokens live as long as ever"


def test_the_same_seed_strikes_at_the_same_moments() -> None:
    def moments(seed: int) -> list[int]:
        rng = Random(seed)
        faults = Faults(burst_every=0.5)
        return [number for number in range(100) if strikes(faults, rng)]

    assert moments(1) == moments(1) != moments(2)
    assert 10 < len(moments(1)) < 30, "0.1 s a step, 0.5 s on average"
