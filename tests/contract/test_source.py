"""What every source does, whatever it is (`journeymap.source.base`). Each implementation passes the same tests."""

import contextlib
import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec
import pytest

from journeymap.errors import TransientSourceError
from journeymap.runtime.clock import SystemClock
from journeymap.simulator.server import SimulatedPlatform
from journeymap.source.base import ConnectionState, Source, SourceStatus
from journeymap.source.eventbridge import EventBridgeConfig, EventBridgeSource
from journeymap.source.eventstreams import EventStreamsConfig, EventStreamsSource
from journeymap.source.file import FileSource
from journeymap.testing import EOF, ScriptedSource, frame
from tests.emulator import Emulator
from tests.integration.process import until
from tests.notifications import source_for as notifications_source_for
from tests.running import Running

FRAMES = [
    frame("interaction.created", 1_764_000_000_000, "i1"),
    b"not json",
    b"[" + frame("conversation.started", 1_764_000_001_000, "i1") + b"]",
    b'{"type":"x","payload":"\xff\xfe"}',
    b"\x00",
    b'{"events":[]}',
]

TEXTS = [data for data in FRAMES if data.isascii() and data.decode().isprintable()]
"""What a queue can hold."""

KEY = "a-key-of-twenty-four-or-so"


class Setting(NamedTuple):
    """A source to be, what makes its frames come once it runs, the frames, and whether they wait while it is held."""

    source: Source
    secret: str
    send: Callable[[], None]
    frames: list[bytes] = FRAMES
    waits: bool = False


@pytest.fixture(scope="module")
def platform() -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform() as running:
        yield running


def eventstreams(_directory: Path, platform: SimulatedPlatform) -> Setting:
    config = EventStreamsConfig(
        platform.login_url, platform.api_url, platform.stream_url, platform.client_id, platform.client_secret
    )

    def send() -> None:
        platform.wait_for_subscriptions()
        for data in FRAMES:
            platform.send(data)

    return Setting(EventStreamsSource(config, SystemClock().now, Random(1)), platform.client_secret, send)


def notifications(_directory: Path, platform: SimulatedPlatform) -> Setting:
    def send() -> None:
        until(lambda: platform.public.stats()["sockets"], "a socket")
        for data in FRAMES:
            platform.send_on_sockets(data)

    return Setting(notifications_source_for(platform), platform.client_secret, send)


def plain_file(directory: Path, _platform: SimulatedPlatform) -> Setting:
    path = directory / "events.jsonl"
    path.write_bytes(b"\n".join(FRAMES) + b"\n")
    return Setting(FileSource(path, 0, SystemClock().now), "", lambda: None)


def gzip_file(directory: Path, _platform: SimulatedPlatform) -> Setting:
    path = directory / "events.jsonl.gz"
    path.write_bytes(gzip.compress(b"\r\n".join(FRAMES)))
    return Setting(FileSource(str(path), 0, SystemClock().now), "", lambda: None)


def scripted(_directory: Path, _platform: SimulatedPlatform) -> Setting:
    source = ScriptedSource(clock=SystemClock().now)
    return Setting(source, "", lambda: source.add(*FRAMES, EOF))


def posted(_directory: Path, _platform: SimulatedPlatform) -> Setting:
    source = EventBridgeSource(EventBridgeConfig(KEY), SystemClock().now, Random(1).random)

    def send() -> None:
        until(lambda: source.status().state is ConnectionState.OPEN, "the door is open")
        for data in FRAMES:
            with contextlib.suppress(TransientSourceError):  # held, or what `deliver` raised
                source.door.take(lambda data=data: data).result()

    return Setting(source, KEY, send)


def queued(emulator: Emulator) -> Setting:
    url = emulator.queue()
    source = EventBridgeSource(EventBridgeConfig(queue_url=url), SystemClock().now, Random(1).random)

    def send() -> None:
        until(lambda: source.status().state is ConnectionState.OPEN, "the queue is read")
        emulator.send(url, *(data.decode() for data in TEXTS))

    return Setting(source, "", send, TEXTS, waits=True)


@pytest.fixture(
    params=[eventstreams, notifications, plain_file, gzip_file, scripted, posted, queued],
    ids=lambda make: make.__name__,
)
def setting(request, tmp_path, platform):
    if request.param is queued:
        return queued(request.getfixturevalue("emulator"))
    return request.param(tmp_path, platform)


def test_delivers_every_frame_as_it_came_and_in_order(setting):
    before = SystemClock().now()
    with Running(setting.source) as running:
        setting.send()
        assert running.wait_for_frames(len(setting.frames)) == setting.frames
        status = running.wait(lambda status: status.received == len(setting.frames))
    assert before <= running.arrivals[0] <= running.arrivals[-1] <= SystemClock().now()
    assert status.last_frame_at == running.arrivals[-1]
    assert status.last_heard_at >= status.last_frame_at
    assert running.error is None


def test_is_disconnected_before_and_after(setting):
    assert setting.source.status().state is ConnectionState.DISCONNECTED
    with Running(setting.source) as running:
        setting.send()
        running.wait_for_frames(len(setting.frames))
        running.stop(1)
    assert setting.source.status().state is ConnectionState.DISCONNECTED
    assert setting.source.status().since > 0


def test_status_is_an_immutable_value(setting):
    status = setting.source.status()
    with pytest.raises(AttributeError):
        status.received = 5
    assert status == setting.source.status()
    assert msgspec.json.decode(msgspec.json.encode(status))["state"] == "DISCONNECTED"


def test_what_deliver_raises_comes_out(setting):
    class NoSpace(Exception):
        pass

    def deliver(_frame, _arrived_at):
        raise NoSpace

    with Running(setting.source, deliver) as running:
        setting.send()
        running.join()
    assert isinstance(running.error, NoSpace)
    assert setting.source.status().state is ConnectionState.DISCONNECTED


def test_stop_may_come_twice_and_before_the_start(setting):
    setting.source.stop()
    setting.source.stop()
    with Running(setting.source) as running:
        running.join(1)
    assert running.frames == []
    assert running.error is None


def test_retry_at_any_time_does_no_harm(setting):
    setting.source.retry()
    with Running(setting.source) as running:
        setting.source.retry()
        setting.send()
        assert running.wait_for_frames(len(setting.frames)) == setting.frames
        setting.source.retry()
    setting.source.retry()
    assert running.error is None


def is_held(status: SourceStatus) -> bool:
    return (status.state, status.error, status.refused) == (ConnectionState.DISCONNECTED, "no room", False)


def test_held_before_the_start_it_reads_nothing_until_released(setting):
    setting.source.hold("no room")
    with Running(setting.source) as running:
        running.wait(is_held)
        setting.source.retry()
        assert running.frames == []
        setting.source.release()
        setting.send()
        assert running.wait_for_frames(len(setting.frames)) == setting.frames
        assert running.source.status().error is None
    assert running.error is None


def test_held_while_it_reads_it_goes_on_when_released(setting):
    delivered = []
    held = []

    def deliver(data, _arrived_at):
        if not held:
            setting.source.hold("another reason")
            setting.source.hold("no room")
            held.append(data)
        delivered.append(data)

    with Running(setting.source, deliver) as running:
        setting.send()
        running.wait(is_held)
        count = len(delivered)
        setting.source.retry()
        assert setting.source.status().state is ConnectionState.DISCONNECTED
        assert len(delivered) == count
        setting.source.release()
        setting.source.release()
        status = running.wait(lambda status: status.state is ConnectionState.OPEN or status.finished)
        assert status.error is None
        if count < len(setting.frames) and not status.finished and not setting.waits:
            setting.send()
        running.wait(lambda status: status.received >= len(setting.frames))
    # A file and a queue go on where they were; what a platform sends in between is missed.
    assert delivered in (setting.frames, setting.frames[:count] + setting.frames)
    assert running.error is None


def test_a_held_source_can_be_stopped(setting):
    setting.source.hold("no room")
    with Running(setting.source) as running:
        running.wait(is_held)
        running.stop(1)
    assert running.frames == []


def test_has_a_short_name_and_keeps_its_secret(setting):
    assert setting.source.name.isidentifier()
    shown = repr(setting.source) + repr(setting.source.status()) + str(vars(setting.source).get("_config"))
    assert not setting.secret or setting.secret not in shown
