"""Reading an SQS queue, over real HTTP from an emulator: at least once, in no order, and deleted only once it is safe."""

from __future__ import annotations

import gc
import json
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from journeymap.model.time import DAY
from journeymap.source.base import ConnectionState
from journeymap.source.eventbridge import EventBridgeConfig, EventBridgeSource
from journeymap.source.polling import MOST_THREADS
from tests.emulator import Emulator
from tests.integration.ingest import CLOCK, Store, assert_holds
from tests.integration.ingest import Running as Ingesting
from tests.integration.process import until
from tests.running import Running

OPEN, DISCONNECTED = ConnectionState.OPEN, ConnectionState.DISCONNECTED
SAMPLES = Path(__file__).parents[2] / "data" / "genesys"
READER = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:DeleteMessageBatch", "sqs:GetQueueAttributes")
"""The emulator asks for DeleteMessageBatch where AWS asks for DeleteMessage."""


def reading(url: str, key: str = "", endpoint: str = "", chance: float = 0.5) -> EventBridgeSource:
    return EventBridgeSource(EventBridgeConfig(key, url, endpoint), CLOCK.now, lambda: chance)


def samples() -> list[dict[str, Any]]:
    path = SAMPLES / "sdk-eventbridge-journey-voice-blind-transfer.json"
    envelopes: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return envelopes


def test_messages_of_all_forms_are_the_journey_and_are_gone(emulator: Emulator, tmp_path: Path) -> None:
    """Envelopes, their details alone, and both as SNS wraps them; twice, in no order, with poison among them."""
    envelopes = samples()
    bodies = [json.dumps(each) for each in envelopes[::2]]
    bodies += [json.dumps(each["detail"]) for each in envelopes]
    bodies += [json.dumps({"Type": "Notification", "Message": json.dumps(each)}) for each in envelopes[1::2]]
    bodies += ["not JSON", '{"Type":"Notification","Message":"poison"}', "{}", "x" * 100_000]
    url, store = emulator.queue(), Store()
    emulator.send(url, *random.Random(4).sample(bodies, len(bodies)))
    with Ingesting(tmp_path, store, reading(url)) as running:  # type: ignore[arg-type]
        status = running.until_told(lambda status: status.counts.received == len(bodies))
        until(lambda: emulator.left(url) == (0, 0), "the queue is empty")
        status = running.until_told(lambda status: status.counts.quarantined == 4)
    assert status.sources[0].waits_ms == 4 * DAY
    assert status.rejected == {"not-json": 3, "no-type": 1}
    assert status.counts.duplicate >= len(envelopes)
    assert_holds(store, [json.dumps(each).encode() for each in envelopes])


def test_what_was_not_deleted_in_a_crash_comes_again_and_is_one_event(emulator: Emulator, tmp_path: Path) -> None:
    class Crash(BaseException):
        pass

    url, store = emulator.queue(VisibilityTimeout="1"), Store()
    bodies = [json.dumps(each) for each in samples()[:5]]
    emulator.send(url, *bodies)
    with Ingesting(tmp_path, store, reading(url)) as running:  # type: ignore[arg-type]
        take = running.ingest._receiving.take_in

        def take_and_die(*record: Any) -> None:
            take(*record)
            raise Crash

        running.ingest._receiving.take_in = take_and_die  # type: ignore[method-assign]
        assert running.failed.wait(5)
    assert isinstance(running.ingest.failure, Crash)
    assert sum(emulator.left(url)) == 5
    with Ingesting(tmp_path, store, reading(url)) as running:  # type: ignore[arg-type]
        status = running.until_told(lambda status: status.counts.received == 5)
        until(lambda: emulator.left(url) == (0, 0), "the queue is empty")
    assert status.counts.events == 5
    assert status.counts.duplicate == 1
    assert_holds(store, [body.encode() for body in bodies])


def test_many_messages_are_read_by_several_threads_that_end_again(emulator: Emulator) -> None:
    url = emulator.queue()
    texts = [str(number) for number in range(80)]
    for at in range(0, len(texts), 10):
        entries = [{"Id": text, "MessageBody": text} for text in texts[at : at + 10]]
        emulator.sqs.send_message_batch(QueueUrl=url, Entries=entries)
    seen = set()
    source = reading(url)

    def deliver(frame: bytes, _: int) -> None:
        running.frames.append(frame)
        seen.update(thread.name for thread in threading.enumerate() if thread.name.startswith("journeymap-queue"))

    running = Running(source, deliver)
    with running:
        frames = running.wait_for_frames(80, 20)
        until(lambda: emulator.left(url) == (0, 0), "the queue is empty")
        until(lambda: not [t for t in threading.enumerate() if t.name.startswith("journeymap-queue")], "they end")
        assert source.status().state is OPEN
    assert {frame.decode() for frame in frames} == set(texts)  # asked at once, the emulator gives some of them twice
    assert 2 <= len(seen) <= MOST_THREADS - 1


def test_posts_and_the_queue_at_once(emulator: Emulator) -> None:
    url = emulator.queue()
    source = reading(url, key="correct-horse-battery")
    with Running(source) as running:
        running.wait(lambda status: status.state is OPEN)
        emulator.send(url, "from the queue")
        source.door.take(lambda: b"posted").result()
        assert sorted(running.wait_for_frames(2)) == [b"from the queue", b"posted"]
        status = running.wait(lambda status: status.received == 2)
        assert status.queue_waiting is not None
        assert status.waits_ms == DAY  # the shorter one: a queue keeps for four


@pytest.fixture
def guarded(emulator: Emulator) -> Iterator[Emulator]:
    yield emulator
    emulator.open()


def use(monkeypatch: pytest.MonkeyPatch, key: tuple[str, str]) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key[1])


def test_refusals_name_what_to_do_and_end_with_retry(guarded: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    url = guarded.queue()
    guarded.send(url, "x")
    reader, stranger = guarded.user("reader", *READER), guarded.user("stranger")
    guarded.guard()
    for key, words in (
        (stranger, "grant sqs:ReceiveMessage on arn:aws:sqs:*:123456789012:"),
        (("AKIAIOSFODNN7EXAMPLE", "wrong"), "does not accept the credentials (InvalidClientTokenId)"),
        ((reader[0], "wrong"), "does not accept the credentials (SignatureDoesNotMatch)"),
    ):
        use(monkeypatch, key)
        with Running(reading(url, key="correct-horse-battery")) as running:
            status = running.wait(lambda status: status.refused)
            assert status.state is DISCONNECTED
            assert words in (status.error or "")
            assert key[1] not in repr(status)
            running.source.door.take(lambda: b"posted").result()  # type: ignore[attr-defined]
            assert running.frames == [b"posted"]  # one way is closed, the other is open
            if key is stranger:
                running.source.hold("no room")
                assert running.wait(lambda status: status.error == "no room").refused
                running.source.release()
                guarded.open()
                running.source.retry()
                running.wait(lambda status: status.state is OPEN)
                assert running.wait_for_frames(2)[1] == b"x"
                guarded.guard()
    use(monkeypatch, reader)
    with Running(reading(url)) as running:
        running.wait(lambda status: status.state is OPEN)


def test_no_credentials_and_no_queue(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    url = emulator.queue()
    with Running(reading(url + "-other")) as running:
        assert "there is no such queue" in (running.wait(lambda status: status.refused).error or "")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with Running(reading(url)) as running:
        assert "no AWS credentials were found" in (running.wait(lambda status: status.refused).error or "")


class Moody(ThreadingHTTPServer):
    """Answers as SQS would: as many errors as it is told to, then that there is nothing."""

    daemon_threads = True

    def __init__(self, errors: list[tuple[int, bytes]]) -> None:
        self.errors = errors
        self.asked = 0
        super().__init__(("127.0.0.1", 0), _Answering)


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Moody)
        self.rfile.read(int(self.headers["Content-Length"]))
        server.asked += 1
        status, body = server.errors.pop(0) if server.errors else (200, b"{}")
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_throttling_and_outages_pass(emulator: Emulator) -> None:
    throttled = (400, b'{"__type":"com.amazonaws.sqs#RequestThrottled","message":"slow down"}')
    odd = (b"nonsense", b'{"Messages":[{"Body":"x"}]}', b'{"Messages":5}', b'{"Messages":[5]}')
    server = Moody([throttled, (500, b"{}"), (503, b"<html>"), *((200, body) for body in odd), throttled])
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}/123456789012/events"
    try:
        with Running(reading(url, chance=0.0)) as running:
            status = running.wait(lambda status: status.state is OPEN)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    reasons = [change.reason or "" for change in status.changes if change.state is DISCONNECTED]
    assert len(reasons) == 8
    assert ["SQS" in reason for reason in reasons] == [True] * 8
    assert reasons[0] == "SQS cannot do it now (RequestThrottled): slow down"
    with Running(reading(url, chance=0.9)) as running:  # nobody listens there now
        status = running.wait(lambda status: status.next_attempt_at is not None)
        assert (status.state, status.refused) == (DISCONNECTED, False)
        assert "EVENTBRIDGE_QUEUE_URL" in (status.error or "")
        assert running.stop(10) < 10


def test_nothing_is_left_after_five_runs(emulator: Emulator) -> None:
    """Each is stopped in the middle of a wait of twenty seconds for messages."""

    def held() -> tuple[set[str], int]:
        gc.collect()
        return {thread.name for thread in threading.enumerate()}, len(list(Path("/proc/self/fd").iterdir()))

    def once() -> None:
        source = reading(url, key="correct-horse-battery")
        with Running(source) as running:
            emulator.send(url, "x")
            running.wait_for_frames(1, 20)
            source.door.take(lambda: b"y").result()
            running.wait(lambda status: status.state is OPEN, 20)
            assert running.stop(10) < 10

    url = emulator.queue()
    once()
    before = held()
    for _ in range(5):
        once()
    after = held()
    assert after[0] <= before[0]
    assert after[1] <= before[1]


def test_held_and_released_again_and_again_it_reads_on(emulator: Emulator) -> None:
    """Whatever it is doing at that moment."""
    url = emulator.queue()
    source = reading(url)
    chance = random.Random(5)
    with Running(source) as running:
        running.wait(lambda status: status.state is OPEN, 20)
        for number in range(40):
            source.hold("no room")
            if chance.random() < 0.5:
                running.wait(lambda status: status.state is DISCONNECTED, 20)
            source.release()
            if number % 10 == 9:
                emulator.send(url, str(number))
                running.wait_for_frames(number // 10 + 1, 20)
        status = running.wait(lambda status: status.state is OPEN, 20)
    reasons = {change.reason for change in status.changes if change.state is DISCONNECTED}
    assert reasons <= {"no room", None}  # and no error of the poll that was broken off
