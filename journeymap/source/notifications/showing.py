"""What is shown of a notifications source: the machine's view of things in wall time, and counts."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from journeymap.model.time import Millis
from journeymap.protocol.notifications.machine import Notifications
from journeymap.source.base import ConnectionState, SourceStatus, followed
from journeymap.source.publicapi.client import Grant


class Showing:
    """Puts the status together: by the thread of `run` alone, for any thread to read. `clock` is wall time, which is shown;
    `steady` is the machine's."""

    def __init__(self, clock: Callable[[], Millis], steady: Callable[[], Millis]) -> None:
        self.received = 0
        self.last_frame_at: Millis | None = None
        self.last_heard_at: Millis | None = None
        self._clock = clock
        self._steady = steady
        self._status = SourceStatus(since=clock())

    def status(self) -> SourceStatus:
        """How it stands now."""
        return replace(
            self._status,
            received=self.received,
            last_frame_at=self.last_frame_at,
            last_heard_at=self.last_heard_at,
        )

    def look_at(self, machine: Notifications, grant: Grant | None) -> tuple[ConnectionState | None, tuple[str, ...]]:
        """Take over what the machine says now; the state before, if that has changed, and notes that are new."""
        before = self._status
        offset = self._clock() - self._steady()

        def wall(at: Millis | None) -> Millis | None:
            return None if at is None else at + offset

        state, notes = ConnectionState(machine.state), machine.notes()
        status = SourceStatus(
            state=state,
            since=before.since if state is before.state else machine.since + offset,
            error=machine.error,
            refused=machine.refused,
            token_obtained_at=wall(None if grant is None else grant.obtained_at),
            token_renewal_at=wall(None if grant is None else grant.refresh_at),
            token_expires_at=wall(None if grant is None else grant.expires_at),
            next_attempt_at=wall(machine.retry_at),
            reconnects=machine.reconnects,
            topic_channels=machine.channels,
            topics=machine.topics,
            topics_refused=len(machine.refusals),
            notes=notes,
        )
        lost = before.state is ConnectionState.OPEN and state is not ConnectionState.OPEN
        self._status = followed(before, status, (wall(machine.heard_at) if lost else None) or self.last_heard_at)
        news = tuple(note for note in notes if note not in before.notes)
        return None if state is before.state else before.state, news
