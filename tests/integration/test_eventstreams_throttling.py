"""How the Event Streams source answers throttling, against the simulated platform."""

import msgspec
import pytest

from journeymap.simulator.server import SimulatedPlatform
from journeymap.source.base import ConnectionState
from tests.eventstreams import source_for
from tests.running import Running

OPEN = ConnectionState.OPEN
THROTTLE = b'{"type":"throttle","retryAfterSeconds":1,"dropped":4}'


@pytest.fixture
def platform():
    with SimulatedPlatform() as running:
        yield running


def subscriptions(platform):
    return {name: known.request.max_events_per_second for name, known in platform.platform.subscriptions.items()}


def test_less_is_asked_for_on_the_same_socket_and_no_frame_is_missed(platform):
    states = set()

    def lowered(status):
        states.add(status.state)
        return status.max_events_per_second == 37

    with Running(source_for(platform)) as running:
        first = running.wait(lambda status: status.state is OPEN)
        platform.wait_for_subscriptions()
        platform.send(b"0")
        platform.send(THROTTLE)
        sent = 1
        while not lowered(running.source.status()):
            platform.send(b"%d" % sent)
            sent += 1
        status = running.wait(lambda _: len(subscriptions(platform)) == 1)
        assert subscriptions(platform) == {status.subscription_id: 37}
        assert status.connection_id == first.connection_id
        assert (status.throttled, status.dropped, status.reconnects, status.error) == (1, 4, 0, None)
        platform.send(b"end")
        running.wait(lambda _: b"end" in running.frames)
        assert list(dict.fromkeys(running.frames)) == [*(b"%d" % number for number in range(sent)), b"end"]
    assert states == {OPEN}
    assert subscriptions(platform) == {}


def test_a_change_that_the_platform_does_not_make_leaves_the_old_subscription(platform, monkeypatch):
    with Running(source_for(platform)) as running:
        first = running.wait(lambda status: status.state is OPEN)
        platform.wait_for_subscriptions()
        asked = []
        monkeypatch.setattr(platform.platform, "connection_at", lambda *_: asked.append(1))
        platform.send(THROTTLE)
        running.wait(lambda _: asked)
        platform.send(b"after")
        running.wait_for_frames(1)
        status = running.source.status()
        assert (status.state, status.subscription_id, status.max_events_per_second) == (OPEN, first.subscription_id, 50)
        assert status.error is None


def test_a_platform_that_cannot_give_as_much_is_asked_for_less():
    with SimulatedPlatform(rate=300) as platform:
        platform.set_faults(throttle=30)
        with Running(source_for(platform, max_events_per_second=200)) as running:
            status = running.wait(lambda status: status.max_events_per_second == 150, 20)
            assert status.state is OPEN
            assert status.dropped > 0


def test_our_own_maximum_is_left_alone():
    with SimulatedPlatform(rate=400) as platform:
        with Running(source_for(platform, max_events_per_second=40)) as running:
            status = running.wait(lambda status: status.throttled >= 3, 20)
            assert status.dropped > 0
            assert subscriptions(platform) == {status.subscription_id: 40}
            assert msgspec.json.decode(running.frames[0])
