"""What `doctor` says of the source `eventbridge`: its key, a running endpoint, a queue in an emulator with rights of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from journeymap.model.status import STATUS, IngestStatus, SourceReport
from journeymap.runtime.clock import SystemClock
from journeymap.runtime.doctor.eventbridge import judge_answer
from journeymap.source.door import Door
from journeymap.store.disk import open_disk_store
from tests.doctoring import Doctor
from tests.emulator import Emulator
from tests.integration.eventbridge.serving import KEY, served

NOW = SystemClock().now
CHECKS = ("posts-key", "posts", "queue", "queue-rights", "queue-depth", "dead-letters", "last-event")
HOUR = 3_600_000


def look(doctor: Doctor, *arguments: str) -> dict[str, tuple[str, str, str | None]]:
    """This source's checks: grade, what was found, remedy."""
    reads = "JOURNEYMAP_EVENTBRIDGE_QUEUE_URL" in os.environ
    names = [name for name in CHECKS if reads or name not in ("queue-rights", "queue-depth", "dead-letters")]
    only = [word for name in names for word in ("--only", name)]
    _, checks = doctor.find(*only, *arguments)
    return {name: (check["grade"], check["found"], check["remedy"]) for name, check in checks.items()}


@pytest.fixture
def eventbridge(doctor: Doctor) -> Doctor:
    doctor.set(source="eventbridge")
    return doctor


def test_without_a_key_and_a_queue(eventbridge: Doctor) -> None:
    found = look(eventbridge)
    assert found["posts-key"][:2] == ("fail", "neither EVENTBRIDGE_KEY nor EVENTBRIDGE_QUEUE_URL is set")
    assert "openssl rand" in (found["posts-key"][2] or "")
    assert found["posts"][0] == "skip"
    assert found["queue"][0] == "skip"
    assert found["last-event"][:2] == ("skip", "there is no store yet")


@pytest.mark.parametrize(("key", "grade"), [("k" * 16, "warn"), ("ab" * 30, "warn"), (KEY, "ok")])
def test_a_key_that_can_be_guessed(eventbridge: Doctor, key: str, grade: str) -> None:
    eventbridge.set(eventbridge_key=key)
    found = look(eventbridge)
    assert found["posts-key"][0] == grade
    assert key not in str(found)
    assert found["posts"][0] == "skip"
    assert "no ingest runs here" in found["posts"][1]


def test_a_key_that_others_can_read(eventbridge: Doctor) -> None:
    file = Path("key")
    file.write_text(KEY, encoding="utf-8")
    file.chmod(0o644)
    eventbridge.set(eventbridge_key_file="key")
    assert look(eventbridge)["posts-key"][::2] == ("warn", "chmod 600 key")
    file.chmod(0o600)
    assert look(eventbridge)["posts-key"][0] == "ok"


def test_the_endpoint_that_runs_is_asked(eventbridge: Doctor) -> None:
    door = Door(NOW)
    frames: list[bytes] = []
    eventbridge.set(eventbridge_key=KEY)
    with served(door) as url:
        port = url.split(":")[2].split("/")[0]
        grade, text, _ = look(eventbridge, "--ingest-port", port)["posts"]
        assert (grade, "no ingest is running in this process" in text) == ("warn", True)
        door.open(lambda frame, _: frames.append(frame))
        assert look(eventbridge, "--ingest-port", port)["posts"][:2] == ("ok", f"{url} takes posts with this key")
        eventbridge.set(eventbridge_key=KEY[::-1])
        grade, text, _ = look(eventbridge, "--ingest-port", port)["posts"]
        assert (grade, text) == ("fail", f"{url} has another key")
        door.end()
    assert frames == []


def test_other_answers() -> None:
    assert judge_answer("u", 200, b"<html>").grade == "fail"
    assert judge_answer("u", 400, b"<html>").grade == "fail"
    assert judge_answer("u", 503, b"[]").grade == "fail"


@pytest.fixture
def guarded(emulator: Emulator) -> Iterator[Emulator]:
    yield emulator
    emulator.open()


def test_the_queue_its_depth_and_its_dead_letters(eventbridge: Doctor, emulator: Emulator) -> None:
    dead = emulator.queue()
    arn = emulator.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = msgspec.json.encode({"deadLetterTargetArn": arn, "maxReceiveCount": "100"}).decode()
    url = emulator.queue(RedrivePolicy=redrive)
    emulator.send(url, "a", "b")
    eventbridge.set(eventbridge_queue_url=url)
    found = look(eventbridge)
    assert {name: found[name][0] for name in CHECKS} == {
        "posts-key": "skip", "posts": "skip", "queue": "ok", "queue-rights": "ok", "queue-depth": "ok",
        "dead-letters": "ok", "last-event": "skip",
    }  # fmt: skip
    assert found["queue-rights"][1] == "granted: sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes"
    assert found["queue-depth"][1] == "2 messages wait, 0 are in flight; kept for 4 days"
    assert emulator.left(url) == (2, 0)  # looking took nothing away
    emulator.send(dead, "x")
    grade, text, remedy = look(eventbridge)["dead-letters"]
    assert (grade, text) == ("warn", f"1 messages lie in {dead.rpartition('/')[2]}")
    assert "ERROR_CODE" in (remedy or "")


def test_each_missing_permission_is_named(
    eventbridge: Doctor, guarded: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = guarded.queue()
    eventbridge.set(eventbridge_queue_url=url)
    some = ("sqs:ReceiveMessage",)
    more = ("sqs:ReceiveMessage", "sqs:DeleteMessageBatch")  # so the emulator calls sqs:DeleteMessage here
    users = [guarded.user("some", *some), guarded.user("more", *more)]
    guarded.guard()
    found = []
    for key, secret in users:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        checks = look(eventbridge)
        assert checks["queue"][0] == "ok"
        found.append((*checks["queue-rights"][:2], checks["queue-depth"][0]))
    assert found == [
        ("fail", "not granted: sqs:DeleteMessage, sqs:GetQueueAttributes", "skip"),
        ("warn", "not granted: sqs:GetQueueAttributes; events are read, but how many wait is not known", "skip"),
    ]
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    checks = look(eventbridge)
    assert checks["queue"][0] == "fail"
    assert "check the access key" in str(checks["queue"])
    assert checks["queue-rights"][:2] == ("skip", "needs queue, which failed")


def test_no_such_queue_and_nobody_there(eventbridge: Doctor, emulator: Emulator) -> None:
    eventbridge.set(eventbridge_queue_url=emulator.queue() + "-other")
    assert "there is no such queue" in look(eventbridge)["queue"][1]
    eventbridge.set(eventbridge_queue_url="http://127.0.0.1:9/1/events")
    assert look(eventbridge)["queue"][0] == "fail"


def test_when_the_last_event_came(eventbridge: Doctor) -> None:
    eventbridge.set(eventbridge_key=KEY, store="disk:store")
    for came, grade in ((None, "skip"), (NOW(), "ok"), (NOW() - 7 * HOUR, "warn")):
        report = SourceReport(name="eventbridge", last_frame_at=came)
        store = open_disk_store(Path("store"), source="eventbridge", environment="dev", now=NOW())
        store.write_documents({STATUS: msgspec.json.encode(IngestStatus(sources=[report]))})
        store.close()
        assert look(eventbridge)["last-event"][0] == grade
