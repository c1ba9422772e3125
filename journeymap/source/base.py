"""The source's port: something that delivers records and says truthfully how its connection stands."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import msgspec

from journeymap.model.time import Millis


class ConnectionState(enum.StrEnum):
    """The three states of a connection (docs: contract of the Event Streams protocol)."""

    DISCONNECTED = "DISCONNECTED"
    CONNECTING = "CONNECTING"
    OPEN = "OPEN"


CHANGES_KEPT: Final = 40
"""A status tells of so many changes of state at most."""


class StateChange(msgspec.Struct, frozen=True):
    """A source entered `state` at `at`. `reason` is what went wrong, where something did; `heard_at` is when the last sign
    of life had come."""

    at: Millis
    state: ConnectionState
    reason: str | None = None
    heard_at: Millis | None = None


class SourceStatus(msgspec.Struct, frozen=True):
    """How a source stands, as one immutable value. Never holds a secret or a token.

    `since` is when `state` was entered. `error` is what went wrong last, one line, None while all is well; `refused`
    says that it is a hard error: no reconnect before an operator acts. `last_frame_at` is when a frame came last,
    data or control; `last_heard_at` when any sign of life did, pongs too. `max_events_per_second` is what the
    subscription asks for now, `configured_events_per_second` what the settings allow; `token_renewal_at` is when a
    new token is to be had. `received` counts data frames, `throttled` throttle frames, `dropped` events that the
    platform says it left out. `topic_channels` is how many channels of the Notification Service are live, `topics` how many
    topics are coming on them, `topics_refused` how many the platform does not grant; `notes` are lines on what cannot be
    seen although all is well. `finished` is true once a finite source has delivered all. `changes` are the latest
    changes of state, oldest first; `change_count` is how many there were. `posts_refused` counts by reason what was posted and
    not taken; `queue_waiting` messages wait in the queue that is read, `queue_in_flight` were handed out and not deleted yet.
    `waits_ms` is how long the platform keeps what it could not deliver, where it does.
    """

    state: ConnectionState = ConnectionState.DISCONNECTED
    since: Millis = 0
    error: str | None = None
    refused: bool = False
    token_obtained_at: Millis | None = None
    token_renewal_at: Millis | None = None
    token_expires_at: Millis | None = None
    subscription_id: str | None = None
    connection_id: str | None = None
    max_events_per_second: int | None = None
    configured_events_per_second: int | None = None
    last_heard_at: Millis | None = None
    last_frame_at: Millis | None = None
    next_attempt_at: Millis | None = None
    reconnects: int = 0
    received: int = 0
    throttled: int = 0
    dropped: int = 0
    topic_channels: int | None = None
    topics: int | None = None
    topics_refused: int | None = None
    notes: tuple[str, ...] = ()
    finished: bool = False
    posts_refused: Mapping[str, int] = {}
    queue_waiting: int | None = None
    queue_in_flight: int | None = None
    waits_ms: Millis | None = None
    changes: tuple[StateChange, ...] = ()
    change_count: int = 0


def followed(before: SourceStatus, after: SourceStatus, heard_at: Millis | None = None) -> SourceStatus:
    """`after` as what follows `before`: with the changes of state known before, and the one between the two if there is one.

    Whoever looks only now and then misses none then. `heard_at` is when the last sign of life came.
    """
    changes, count = before.changes, before.change_count
    if after.state is not before.state:
        # What went wrong before is no reason for an attempt to go well.
        leaves = before.state is ConnectionState.OPEN or after.state is ConnectionState.DISCONNECTED
        change = StateChange(after.since, after.state, after.error if leaves else None, heard_at)
        changes, count = (*changes, change)[-CHANGES_KEPT:], count + 1
    return msgspec.structs.replace(after, changes=changes, change_count=count)


Deliver = Callable[[bytes, Millis], None]
"""Takes one data frame and our clock on its arrival. Returns only when the frame is safe; may block (backpressure)."""


class Source(Protocol):
    """Delivers frames until it is stopped. Reconnecting is its own business."""

    @property
    def name(self) -> str:
        """Short stable name (`eventstreams`, `file`), used for positions and metrics."""

    @property
    def live(self) -> bool:
        """Whether what happens while it is not connected may be lost. A file waits; a platform's stream does not."""

    def run(self, deliver: Deliver) -> None:
        """Connect and deliver until `stop` is called or a finite source has ended. Blocks; give it a thread of its own.

        Passing failures are retried inside and shown in `status`; a refusal leaves it waiting for `retry` or `stop`.
        What comes out is only an error that is a defect, that `deliver` raised, or that says that the input of a finite
        source cannot be used (`InputError`, after all that could be read was delivered). Once it was stopped, a source
        does not run again.
        """

    def stop(self) -> None:
        """Make `run` return soon. From any thread; calling it again does nothing."""

    def retry(self) -> None:
        """An operator says "try again": end any wait, also after a refusal. From any thread."""

    def hold(self, reason: str) -> None:
        """Stop reading, in order, and stay DISCONNECTED until `release`; `reason` (one line) is shown as the error.

        Before `run`, too. What was read already may still be delivered, no more than is in memory. A refusal stays
        visible; `retry` ends it, but not the hold. Calling it again changes the reason. From any thread, also from
        within `deliver`.
        """

    def release(self) -> None:
        """Read again. From any thread; does nothing if it is not held."""

    def status(self) -> SourceStatus:
        """How it stands now. From any thread."""
