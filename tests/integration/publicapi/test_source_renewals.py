"""The notifications source while channels are renewed and sockets are moved: no event is lost, and it stays OPEN."""

from __future__ import annotations

import itertools
import json
import time

import pytest
from msgspec.structs import replace

from journeymap.model.time import MINUTE
from journeymap.simulator.server import SimulatedPlatform
from journeymap.source.base import ConnectionState
from tests.notifications import QUICK, Observer, source_for, told
from tests.running import Running

OPEN = ConnectionState.OPEN
LIFE = 9.0
"""Seconds that a channel lives: the last three are there for renewals, of 1,000 topics each, on a machine that is busy."""


def topic_of(queue: str) -> str:
    return f"v2.routing.queues.{queue}.conversations"


def topics_of(platform: SimulatedPlatform) -> dict[str, list[str]]:
    """The topics of each channel that has a socket, by its id."""
    return platform._call(
        lambda: {one.channel_id: list(one.topics) for one in platform.public.channels if one.is_connected}
    )


def test_2500_queues_are_renewed_and_no_event_is_lost() -> None:
    with SimulatedPlatform(queues=2_500, rate=20.0, rate_limit=100_000) as platform:
        queues = platform._call(lambda: list(platform.public.organisation.queues.by_id))
        # Something happens in the first queues by itself. The others are on all three channels.
        with Observer(platform, [*queues[:5], *queues[5::50]]) as observer:
            observers = set(topics_of(platform))
            platform.set_faults(channel_life=LIFE)
            with Running(source_for(platform, limits=replace(QUICK, rediscovery=MINUTE))) as running:
                running.wait(lambda status: status.state is OPEN, 15)
                first = {name: topics for name, topics in topics_of(platform).items() if name not in observers}
                assert sorted(map(len, first.values())) == [500, 1_000, 1_000]
                watched = [topic_of(queue) for queue in queues[5::50]]
                assert all(set(watched) & set(topics) for topics in first.values())
                told_to = {platform.notify(topic, {"id": "c1", "n": 0}) for topic in watched}
                assert told_to == {2}, "the observer and the source"
                before = observer.wait_for(b'"n":0')
                until = time.monotonic() + 2 * LIFE
                for number, topic in enumerate(itertools.cycle(watched), 1):
                    platform.notify(topic, {"id": "c1", "n": number})
                    if number % 20 == 0 and not first.keys() & topics_of(platform).keys():
                        break
                    assert time.monotonic() < until
                    time.sleep(0.005)
                status = running.source.status()
                assert (status.state, status.change_count, status.reconnects) == (OPEN, 2, 0)
                assert status.topic_channels == 3
                second = [topics for name, topics in topics_of(platform).items() if name not in observers]
                assert set(map(topic_of, queues)) <= set().union(*second)
                observer.stop()
                seen = told(observer.frames[before:])
                running.wait(lambda _: seen <= told(running.frames))
                assert len({topic for topic, _ in seen}) > len(watched)
                assert running.source.status().change_count == 2


@pytest.mark.parametrize("how", ["close", "tell"])
def test_moves_lose_no_event_where_a_second_socket_ends_the_first(how: str) -> None:
    def told_to_go() -> list[bool]:
        return [bool(channel.closing) for channel in platform.public.channels if channel.is_connected]

    platform = SimulatedPlatform(rate_limit=100_000, notification_heartbeat=0.2)
    with platform, Running(source_for(platform)) as running:
        platform.set_faults(one_socket=how)
        running.wait(lambda status: status.state is OPEN)
        topic = topic_of(next(iter(platform.public.organisation.queues.by_id)))
        count = 0
        for _ in range(20):
            (old,) = platform._call(platform.public.connections)
            assert platform.act("socket_closing") == 1
            while platform._call(platform.public.connections) == [old]:
                count += platform.notify(topic, {"id": "c1", "n": count})
            count += platform.notify(topic, {"id": "c1", "n": count})
            running.wait(lambda _: platform._call(told_to_go) == [False])
        frames = running.wait_for_frames(count)
        assert sorted(json.loads(frame)["eventBody"]["n"] for frame in frames) == list(range(count))
        status = running.source.status()
        assert (status.change_count, status.reconnects, status.error) == (2, 0, None)
        assert platform.public.stats()["channels"] == 1
