"""Real parts for tests: a clock to advance, a source with a script, a shelf in memory, and builders of events."""

from __future__ import annotations

import enum
import json
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from journeymap.decode.event import decode_frame, decode_raw
from journeymap.model.change import Changes, JourneyRecord, KeyRecord, Span, TokenRecord
from journeymap.model.event import Event
from journeymap.model.time import Millis
from journeymap.source.base import ConnectionState, Deliver, SourceStatus, followed
from journeymap.stitch.hot import Shelved


class ManualClock:
    """A clock that stands still until it is advanced."""

    def __init__(self, now: Millis = 1_700_000_000_000) -> None:
        self._now = now

    def now(self) -> Millis:
        return self._now

    def advance(self, length: Millis) -> None:
        """Move time on by `length` milliseconds."""
        self._now += length


class Cue(enum.Enum):
    """What a script says beside its frames."""

    PAUSE = "wait until told to go on"
    EOF = "end as a finite source does that has delivered all"
    ABORT = "end by an error"


PAUSE, EOF, ABORT = Cue.PAUSE, Cue.EOF, Cue.ABORT


class ScriptAbortedError(Exception):
    """What comes out of a scripted source at ABORT."""


class ScriptedSource:
    """A source that does what its script says, item by item: bytes are frames to deliver, the others are `Cue`s.

    With nothing left to do it stays connected and waits for `add` or `stop`. `retries` counts how often an operator said
    "try again".
    """

    live = True

    def __init__(self, *script: bytes | Cue, clock: Callable[[], Millis], name: str = "scripted") -> None:
        self.name = name
        self.retries = 0
        self._clock = clock
        self._script = deque(script)
        self._turn = threading.Condition()
        self._stopped = False
        self._paused = False
        self._held: str | None = None
        self._status = SourceStatus(since=clock())

    def run(self, deliver: Deliver) -> None:
        try:
            while (item := self._next()) is not EOF:
                if item is ABORT:
                    raise ScriptAbortedError("the script says so")
                assert isinstance(item, bytes)
                now = self._clock()
                deliver(item, now)
                received = self._status.received + 1
                self._status = replace(self._status, received=received, last_frame_at=now, last_heard_at=now)
        except BaseException:
            self._enter(ConnectionState.DISCONNECTED)
            raise
        self._enter(ConnectionState.DISCONNECTED, finished=not self._stopped)

    def _next(self) -> bytes | Cue:
        """The next frame or end; a stop is an end too."""
        with self._turn:
            while not self._stopped:
                self._show_hold()
                if self._held is not None:
                    self._turn.wait()
                    continue
                if self._script and self._script[0] is PAUSE:
                    self._paused = True
                    self._turn.notify_all()
                elif self._script:
                    return self._script.popleft()
                self._turn.wait()
            return EOF

    def _show_hold(self) -> None:
        state = ConnectionState.OPEN if self._held is None else ConnectionState.DISCONNECTED
        if (self._status.state, self._status.error) != (state, self._held):
            self._enter(state, error=self._held)

    def _enter(self, state: ConnectionState, error: str | None = None, finished: bool = False) -> None:
        status = replace(self._status, state=state, since=self._clock(), error=error, finished=finished)
        self._status = followed(self._status, status, self._status.last_heard_at)

    def add(self, *items: bytes | Cue) -> None:
        """Write the script on."""
        with self._turn:
            self._script += items
            self._turn.notify_all()

    def wait_for_pause(self, timeout: float = 10) -> None:
        """Wait until it has come to a PAUSE; what stands before has been delivered then."""
        with self._turn:
            if not self._turn.wait_for(lambda: self._paused, timeout):
                raise TimeoutError(f"no pause within {timeout} s")

    def go_on(self) -> None:
        """End the pause that it is in."""
        with self._turn:
            if not self._paused:
                raise RuntimeError("it is not in a pause")
            self._script.popleft()
            self._paused = False
            self._turn.notify_all()

    def stop(self) -> None:
        with self._turn:
            self._stopped = True
            self._turn.notify_all()

    def retry(self) -> None:
        self.retries += 1

    def hold(self, reason: str) -> None:
        with self._turn:
            self._held = reason
            self._turn.notify_all()

    def release(self) -> None:
        with self._turn:
            self._held = None
            self._turn.notify_all()

    def status(self) -> SourceStatus:
        return self._status


def frame(event_type: str, timestamp: Millis | str, interaction_id: str | None = None, **fields: Any) -> bytes:
    """One event as a source delivers it. `event_id` goes to the top, all other fields into the payload."""
    event: dict[str, Any] = {"type": event_type, "timestamp": timestamp}
    if (event_id := fields.pop("event_id", None)) is not None:
        event["eventId"] = event_id
    event["payload"] = {**({"interactionId": interaction_id} if interaction_id else {}), **fields}
    return json.dumps(event).encode()


def event(event_type: str, timestamp: Millis | str, interaction_id: str | None = None, **fields: Any) -> Event:
    """One event as decoded; arguments as in `frame`."""
    events, rejected = decode_frame(frame(event_type, timestamp, interaction_id, **fields))
    if rejected:
        raise ValueError(rejected[0].detail)
    return events[0]


class DictShelf:
    """A shelf that keeps what the stitcher's changes say in dictionaries, as a store does."""

    def __init__(self) -> None:
        self.records: dict[str, JourneyRecord] = {}
        self.chunks: dict[str, tuple[bytes, ...]] = {}
        self.pointers: dict[str, str] = {}
        self.token_records: dict[str, TokenRecord] = {}
        self.key_records: dict[str, KeyRecord] = {}
        self.identity: dict[str, bytes] = {}

    def commit(self, changes: Changes) -> None:
        """Take in the changes of a checkpoint: first all deletions, then the rest."""
        for names, table in (
            (changes.delete_journeys, self.records),
            (changes.delete_chunks, self.chunks),
            (changes.delete_pointers, self.pointers),
            (changes.delete_tokens, self.token_records),
            (changes.delete_keys, self.key_records),
            (changes.delete_identity, self.identity),
        ):
            for name in names:
                table.pop(name, None)
        self.records.update((record.journey_id, record) for record in changes.journeys)
        self.chunks.update(changes.chunks)
        self.pointers.update(changes.pointers)
        self.token_records.update((record.session_token, record) for record in changes.tokens)
        self.key_records.update((record.key, record) for record in changes.keys)
        self.identity.update(changes.identity)

    def events_of(self, record: JourneyRecord) -> list[Event]:
        """All events of a stored journey."""
        raws = [raw for name in record.chunks for raw in self.chunks[name]]
        return [decode_raw(raw) for raw in (*raws, *record.tail)]

    def identity_events(self) -> list[Event]:
        """All stored identity events."""
        return [decode_raw(raw) for raw in self.identity.values()]

    def journeys(self, journey_ids: Collection[str]) -> Mapping[str, Shelved]:
        found = {}
        for asked in journey_ids:
            record = self.records.get(asked) or self.records.get(self.pointers.get(asked, ""))
            if record is not None:
                found[asked] = Shelved(record, self.events_of(record))
        return found

    def spans(self, customer_ids: Collection[str]) -> Mapping[str, Sequence[Span]]:
        found: dict[str, list[Span]] = {}
        for record in self.records.values():
            if record.customer_id in customer_ids:
                span = Span(record.journey_id, record.first_event_at, record.last_event_at)
                found.setdefault(record.customer_id, []).append(span)
        return found

    def tokens(self, session_tokens: Collection[str]) -> Mapping[str, TokenRecord]:
        return {token: self.token_records[token] for token in session_tokens if token in self.token_records}

    def keys(self, keys: Collection[str]) -> Mapping[str, KeyRecord]:
        return {key: self.key_records[key] for key in keys if key in self.key_records}
