"""What is shown of an Event Streams source: the machine's view of things in wall time, and counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from journeymap.model.time import Millis
from journeymap.protocol.eventstreams import EventStreams
from journeymap.source.base import ConnectionState, SourceStatus, followed


class Showing:
    """Puts the status together: by the thread of `run` alone, for any thread to read.

    `clock` is wall time, which is shown; `steady` is the machine's. `configured` is the rate that the settings allow.
    """

    def __init__(self, clock: Callable[[], Millis], steady: Callable[[], Millis], configured: int) -> None:
        self.received = self.throttled = self.dropped = 0
        self.last_frame_at: Millis | None = None
        self.last_heard_at: Millis | None = None
        self._clock = clock
        self._steady = steady
        self._configured = configured
        self._status = SourceStatus(since=clock(), configured_events_per_second=configured)
        self._shown: tuple[Any, ...] = ()

    def status(self) -> SourceStatus:
        """How it stands now."""
        return replace(
            self._status,
            received=self.received,
            throttled=self.throttled,
            dropped=self.dropped,
            last_frame_at=self.last_frame_at,
            last_heard_at=self.last_heard_at,
        )

    def look_at(self, machine: EventStreams) -> ConnectionState | None:
        """Take over what the machine says now; the state before, if that has changed."""
        shown = (
            machine.state,
            machine.since,
            machine.error,
            machine.refused,
            machine.token,
            machine.subscription_id,
            machine.connection_id,
            machine.max_events_per_second,
            machine.retry_at,
            machine.reconnects,
        )
        if shown == self._shown:
            return None
        before, self._shown = self._status, shown
        offset = self._clock() - self._steady()

        def wall(at: Millis | None) -> Millis | None:
            return None if at is None else at + offset

        state, token = ConnectionState(machine.state), machine.token
        status = SourceStatus(
            state=state,
            since=before.since if state is before.state else machine.since + offset,
            error=machine.error,
            refused=machine.refused,
            token_obtained_at=wall(token.obtained_at if token is not None else None),
            token_renewal_at=wall(token.refresh_at if token is not None else None),
            token_expires_at=wall(token.expires_at if token is not None else None),
            subscription_id=machine.subscription_id,
            connection_id=machine.connection_id,
            max_events_per_second=machine.max_events_per_second,
            configured_events_per_second=self._configured,
            next_attempt_at=wall(machine.retry_at),
            reconnects=machine.reconnects,
        )
        self._status = followed(before, status, self.last_heard_at)
        return None if state is before.state else before.state
