"""What each reader promises, whatever it is given, as a check of one input. A broken promise is an AssertionError; anything
else that comes out of a check is one that the reader should not have raised."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from benchmarks.fuzz import corpus
from journeymap.decode.event import REASONS, decode_frame, decode_raw
from journeymap.decode.sample import MASKED, sample_text
from journeymap.errors import InputError, JournalError, RefusedError, TransientSourceError
from journeymap.journal.journal import Journal
from journeymap.journal.replay import read_journal
from journeymap.model.change import JourneyRecord
from journeymap.model.event import IDENTITY_TYPES, RANKS, UNKNOWN_RANK, Event, better_copy, same_copy
from journeymap.model.row import JourneyRow
from journeymap.model.time import DAY, HOUR, MINUTE, SECOND, is_usable
from journeymap.protocol.backoff import MAX_RETRY_AFTER, parse_retry_after, retry_after_in
from journeymap.protocol.exchange import Subscribed, SubscribeFailed
from journeymap.protocol.frames import MAX_DROPPED, MAX_ID, Heartbeat, Opened, Throttle, classify, count_events
from journeymap.protocol.httpdate import parse_http_date
from journeymap.protocol.matching import mismatch
from journeymap.protocol.token import life_of, schedule
from journeymap.protocol.websocket import CLOSE, Message, MessageReader, read_close
from journeymap.source.lines import read_lines
from journeymap.source.oauth import TokenClient
from journeymap.source.pacing import timestamp_of
from journeymap.source.subscriptions import SubscriptionClient
from journeymap.source.transport import Answer
from journeymap.stitch.definition import journeys
from journeymap.stitch.hot import EmptyShelf
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.stitch.stitcher import Stitcher
from journeymap.store import codec

CONTROL_TYPES = {"heartbeat", "throttle", "connection.opened"}
SAMPLE = 2_000
HEAD = 80
"""By so many bytes of its beginning a file of the journal is known again."""
OPTIONS = StitchOptions(Timeouts(5 * MINUTE, 30 * MINUTE), DAY)


class Target(Protocol):
    """A reader under test."""

    @property
    def corpus(self) -> Sequence[bytes]:
        """What it is given in changed form."""

    def check(self, data: bytes, rng: Random) -> str:
        """Give it this input; what it made of it, in a word. Raises where it breaks a promise."""


class Frames:
    """`decode_frame`, `decode_raw`, `classify`, `timestamp_of`: a frame is events, or rejected for a known reason."""

    def __init__(self, _: Path) -> None:
        self.corpus = corpus.frames()

    def check(self, data: bytes, rng: Random) -> str:
        if rng.random() < 1e-5:
            data = data[:40] + b" " * (1 << 20) + data[40:]
        events, rejected = decode_frame(data, 1)
        for item in rejected:
            assert item.detail == REASONS[item.reason], item
            assert item.sample == item.sample[:SAMPLE] and item.sample in data, item
        for event in events:
            _check_event(event)
        control = _check_control(classify(data))
        if control:
            assert all(event.type in CONTROL_TYPES for event in events), "an event was taken for a control frame"
        elif not events and not rejected:
            value = json.loads(data)
            assert value == [] or value["events"] == [], "it vanished"
        at = timestamp_of(data)
        assert at is None or is_usable(at), at
        assert 0 <= count_events(data) <= max(1, len(data)), "more events than bytes"
        return control or ("events" if events else rejected[0].reason if rejected else "nothing")


def _check_control(control: Heartbeat | Throttle | Opened | None) -> str:
    match control:
        case None:
            return ""
        case Throttle(wait, dropped):
            assert wait is None or (type(wait) is int and 0 <= wait <= HOUR), control
            assert type(dropped) is int and 0 <= dropped <= MAX_DROPPED, control
        case Opened():
            for name in (control.connection_id, control.callback_url):
                assert name is None or (0 < len(name) <= MAX_ID and name.isprintable()), control
    return type(control).__name__


def _check_event(event: Event) -> None:
    """It is what it says, and what is stored of it says the same again, however it is spelled."""
    assert event.arrived_at == 1 and is_usable(event.timestamp), event
    assert event.rank == RANKS.get(event.type, UNKNOWN_RANK) and event.event_id, event
    assert (event.interaction_id == "") == (event.type in IDENTITY_TYPES) == (event.from_customer is not None), event
    assert event.duration is None or event.duration >= 0, event
    assert decode_raw(event.raw) == replace(event, arrived_at=0), event
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(event), type=Event) == event, event
    spelled = json.dumps(json.loads(event.raw), indent=1, sort_keys=True).encode()
    again = decode_raw(spelled)
    assert replace(again, raw=b"") == replace(event, raw=b"", arrived_at=0), (event, again)
    assert same_copy(event, again) and better_copy(event, again).timestamp == event.timestamp, event


class Folding:
    """Whatever decodes can be folded, like the definition says, and can be kept in a store."""

    def __init__(self, _: Path) -> None:
        self.corpus = corpus.frames()

    def check(self, data: bytes, rng: Random) -> str:
        events = decode_frame(data)[0]
        if not events:
            return "nothing"
        events += rng.sample(events, 1) + [_elsewhen(event, rng) for event in events[:3]]
        rng.shuffle(events)
        stitcher = Stitcher(OPTIONS, EmptyShelf())
        applied = stitcher.apply(events)
        assert applied.new + applied.duplicate + applied.conflicting == len(events), applied
        assert stitcher.journeys() == journeys(events, OPTIONS), "the engine and the definition differ"
        for row in stitcher.take_rows(0, last=True).rows:
            assert msgspec.msgpack.decode(codec.encode(row), type=JourneyRow) == row, row
        changes = stitcher.take_changes()
        for record in changes.journeys:
            kept = msgspec.msgpack.decode(codec.encode(record), type=JourneyRecord)
            assert kept == record and codec.key_of(codec.JOURNEY, record.journey_id).isascii(), record
        for event_id, raw in changes.identity.items():
            assert codec.identity_event("x", codec.identity_value(event_id, raw)) == (event_id, raw)
        return "events"


def _elsewhen(event: Event, rng: Random) -> Event:
    """The same interaction or identity event at another time, or another copy of the same event."""
    value = json.loads(event.raw)
    value["timestamp"] = (
        event.timestamp + rng.choice((-1, 1)) if is_usable(event.timestamp + 1) else event.timestamp - 1
    )
    if rng.random() < 0.5:
        value["eventId"] = f"{event.event_id}+"
    found = decode_frame(json.dumps(value).encode())[0]
    return found[0] if found else event


class Streams:
    """`MessageReader`, `read_close`: the same messages however the bytes are cut, and none longer than the limit."""

    LIMIT = 4_096

    def __init__(self, _: Path) -> None:
        self.corpus = corpus.streams()

    def check(self, data: bytes, rng: Random) -> str:
        if rng.random() < 0.2:
            self._check_spelled(rng)
        messages = MessageReader(self.LIMIT).feed(data)
        assert messages == self._in_pieces(data, rng), "it depends on how the bytes are cut"
        for opcode, payload in messages:
            assert len(payload) <= self.LIMIT + 1, len(payload)
            if opcode == CLOSE:
                code, reason = read_close(payload)
                assert 0 <= code < 1 << 16
                reason.encode()
                _check_wait(retry_after_in(reason))
        return "broken" if messages and messages[-1][0] == CLOSE else "messages" if messages else "nothing"

    def _in_pieces(self, data: bytes, rng: Random) -> list[Message]:
        reader = MessageReader(self.LIMIT)
        found = []
        at = 0
        while at < len(data):
            length = 1 + int(rng.random() ** 4 * 2_000)
            found += reader.feed(data[at : at + length])
            at += length
        return found

    def _check_spelled(self, rng: Random) -> None:
        """Messages in fragments, with control frames between them, come out as they went in."""
        wire, controls, texts = b"", [], []
        for _ in range(rng.randint(1, 4)):
            opcode, text = rng.choice((1, 2)), rng.randbytes(rng.choice((0, 1, 125, 126, 300, self.LIMIT)))
            ends = sorted(rng.randint(0, len(text)) for _ in range(rng.randint(0, 3)))
            parts = [text[begin:end] for begin, end in zip([0, *ends], [*ends, len(text)], strict=True)]
            for number, part in enumerate(parts):
                wire += corpus.ws_frame(0 if number else opcode, part, final=number == len(parts) - 1)
                if rng.random() < 0.3:
                    controls.append((rng.choice((9, 10)), rng.randbytes(rng.choice((0, 8, 125)))))
                    wire += corpus.ws_frame(*controls[-1])
            texts.append((opcode, text))
        found = self._in_pieces(wire, rng)
        assert [message for message in found if message[0] < CLOSE] == texts, (texts, found)
        assert [message for message in found if message[0] > CLOSE] == controls, (controls, found)


class Headers:
    """`parse_retry_after`, `retry_after_in`: a wait within bounds, or None."""

    def __init__(self, _: Path) -> None:
        self.corpus = corpus.headers()

    def check(self, data: bytes, _: Random) -> str:
        text = data.decode("latin-1")
        wait = parse_retry_after(text, corpus.NOON)
        _check_wait(wait)
        _check_wait(retry_after_in(data.decode("utf-8", "replace")))
        date = parse_http_date(text)
        assert date is None or type(date) is int, date
        return "nothing" if wait is None else "wait"


def _check_wait(wait: int | None) -> None:
    assert wait is None or (type(wait) is int and 0 <= wait <= MAX_RETRY_AFTER), wait


class Answers:
    """`Answer.fields`, `life_of` and the clients on top of them: what a server answers never makes them fall over."""

    where = "login.example"

    def __init__(self, _: Path) -> None:
        self.corpus = corpus.answers()
        self._answer = Answer(200, b"", None)

    def request(self, *_: Any, **__: Any) -> Answer:
        """What `HttpClient` would answer."""
        return self._answer

    def check(self, data: bytes, rng: Random) -> str:
        self._answer = Answer(rng.choice((200, 200, 201, 400, 401, 403, 429, 500)), data, None)
        fields = self._answer.fields()
        life = life_of(fields.get("expires_in"))
        times = schedule(0, life, rng.random())
        assert SECOND <= life <= 365 * DAY and SECOND <= times.refresh_at <= times.expires_at, (life, times)
        answered = SubscriptionClient("", (), 50, self).subscribe(1, "token", corpus.CALLBACK_URL)  # type: ignore[arg-type]
        if isinstance(answered, Subscribed):
            assert 0 < len(answered.subscription) <= MAX_ID
            assert isinstance(mismatch(answered, corpus.CALLBACK_URL, corpus.CONNECTION_ID), str)
        else:
            assert isinstance(answered, SubscribeFailed)
        try:
            token = TokenClient("https://login.example", "id", "pass-word", (), self).fetch()  # type: ignore[arg-type]
        except (RefusedError, TransientSourceError):
            return "fields" if fields else "nothing"
        assert token.value.isascii() and token.value.isprintable() and " " not in token.value
        return "token"


class Samples:
    """`sample_text`: whatever was set aside becomes text that can be shown, in time, and what a key calls secret is not in it."""

    SECRET = "Zq7xHead-9.~kWv9kTail"
    SLOW = 2.0
    """Seconds of CPU time that only a pattern gone wild takes for a sample."""

    def __init__(self, _: Path) -> None:
        self.corpus = corpus.secrets()

    def check(self, data: bytes, rng: Random) -> str:
        if rng.random() < 0.01:
            data *= SAMPLE // max(1, len(data))
        began = time.thread_time()
        text = sample_text(data, cut=rng.random() < 0.3)
        assert time.thread_time() - began < self.SLOW, "it took too long"
        assert all(char.isprintable() or char in "\n\t" for char in text), ascii(text)
        text.encode()
        at = rng.randint(0, len(data))
        key = rng.choice((b"access_token", b"client_secret", b"Authorization", b"password"))
        planted = data[:at] + b'\n{"' + key + b'":"' + self.SECRET.encode() + b'"}\n' + data[at:]
        assert self.SECRET not in sample_text(planted), "a secret is shown"
        return "masked" if MASKED in text else "nothing masked"


class Journals:
    """The journal's reading: of a damaged file it gives what is intact, in order, and counts the rest."""

    def __init__(self, scratch: Path) -> None:
        self._folder = scratch / "journal"
        texts = tuple(frame for frame in corpus.frames() if frame)[-60:]
        corpus.journal_files(self._folder, texts)
        self._files = {path: path.read_bytes() for path in sorted(self._folder.iterdir()) if path.stat().st_size}
        self._whole = [(record.source, record.arrived_at, record.data) for record in read_journal(self._folder)]
        assert [text for _, _, text in self._whole] == list(texts)
        self._known = set(self._whole)
        self.corpus = list(self._files.values())

    def check(self, data: bytes, rng: Random) -> str:
        path = next((path for path, whole in self._files.items() if data[:HEAD] == whole[:HEAD]), max(self._files))
        path.write_bytes(data)
        replay = read_journal(self._folder)
        found = list(replay)
        ends = [record.end for record in found]
        assert ends == sorted(set(ends)), "records out of turn"
        texts = [(record.source, record.arrived_at, record.data) for record in found]
        assert self._known.issuperset(texts), "a record that never was"
        lost = len(self._known) - len(set(texts))
        if lost and path != max(self._files):
            assert replay.damage.bytes or replay.missing, "records are lost and nobody says so"
        if rng.random() < 0.02:
            self._check_going_on(texts)
        self._restore(path)
        return "nothing lost" if not lost else "one lost" if lost == 1 else "more lost"

    def _check_going_on(self, texts: list[tuple[str, int, bytes]]) -> None:
        """A damaged journal can be written on, and read from where it was written on."""
        try:
            journal = Journal.open(self._folder)
        except JournalError:
            return  # said in a sentence, and nothing was changed
        try:
            begin = journal.end
            end = journal.append("file", b"after the damage", corpus.NOON)
            after = [(record.end, record.data) for record in journal.replay(begin)]
            assert after == [(end, b"after the damage")], after
            again = {(record.source, record.arrived_at, record.data) for record in journal.replay(0)}
            assert again.issuperset(texts), "writing on has lost what could be read before"
        finally:
            journal.close()
            for path in self._folder.iterdir():
                path.unlink()
            for path in self._files:
                self._restore(path)

    def _restore(self, path: Path) -> None:
        path.write_bytes(self._files[path])


class Lines:
    """`read_lines`: only a damaged gzip file is an error, and only after what could be read."""

    def __init__(self, scratch: Path) -> None:
        self._path = scratch / "lines"
        self.corpus = corpus.lines()

    def check(self, data: bytes, _: Random) -> str:
        self._path.write_bytes(data)
        found = []
        try:
            for number, line in read_lines(self._path, 1_000):
                assert number >= 1 and 0 < len(line) <= 1_001 and b"\n" not in line, (number, line)
                found.append(line)
        except InputError:
            assert data.startswith(b"\x1f\x8b"), "plain text was refused"
            return "damaged"
        return "lines" if found else "nothing"


class Share(NamedTuple):
    """A target and how many of a hundred inputs it gets."""

    make: Callable[[Path], Target]
    percent: int


TARGETS = {
    "frames": Share(Frames, 46),
    "streams": Share(Streams, 21),
    "headers": Share(Headers, 12),
    "answers": Share(Answers, 10),
    "folding": Share(Folding, 4),
    "samples": Share(Samples, 4),
    "lines": Share(Lines, 2),
    "journals": Share(Journals, 1),
}
