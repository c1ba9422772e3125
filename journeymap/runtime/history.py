"""How the sources' connections stood over time: every change of state with its reason, kept over restarts. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from journeymap.model.status import ConnectionChange, IngestStatus
from journeymap.model.time import Millis
from journeymap.source.base import ConnectionState, SourceStatus, StateChange

MAX_CHANGES: Final = 200
"""So many changes are kept; the oldest go first."""

STOPPED: Final = "ingest was stopped"
DIED: Final = "ingest ended without a word"


class Changes:
    """What has changed since the last look at a source, however often it did."""

    def __init__(self) -> None:
        self._seen = 0
        self.down_since: Millis | None = None
        """When it left OPEN, or was first looked at; None while it is OPEN."""

    def are_there(self, status: SourceStatus) -> bool:
        """Whether anything has changed since the last look."""
        return status.change_count != self._seen

    def since_last(self, status: SourceStatus) -> Sequence[StateChange]:
        """The changes of state that were not answered before, oldest first; of very many only the latest."""
        new = status.change_count - self._seen
        self._seen = status.change_count
        changes = status.changes[-new:] if new > 0 else ()
        for state, at in (*((change.state, change.at) for change in changes), (status.state, status.since)):
            if state is ConnectionState.OPEN:
                self.down_since = None
            elif self.down_since is None:
                self.down_since = at
        return changes


class ConnectionLog:
    """The changes of all sources. Where an earlier process ended without saying so, that is told too."""

    def __init__(self, kept: Iterable[ConnectionChange] = (), before: IngestStatus | None = None) -> None:
        """`kept` and `before` are what an earlier process said last."""
        self._changes = deque(kept, MAX_CHANGES)
        self._stopping = False
        for report in () if before is None else before.sources:
            if before is not None and report.state != ConnectionState.DISCONNECTED:
                self._add(before.written_at, report.name, ConnectionState.DISCONNECTED, DIED)

    def stop_begins(self) -> None:
        """From now on sources disconnect because ingest ends."""
        self._stopping = True

    def look(self, changes: Mapping[str, Sequence[StateChange]]) -> None:
        """By source, what has changed since the last look, oldest first."""
        together = [(change.at, source, change) for source, some in changes.items() for change in some]
        for at, source, change in sorted(together, key=lambda item: item[0]):
            ends = self._stopping and change.state is ConnectionState.DISCONNECTED
            self._add(at, source, change.state, change.reason or (STOPPED if ends else None))

    def changes(self) -> list[ConnectionChange]:
        """All that are kept, oldest first."""
        return list(self._changes)

    def _add(self, at: Millis, source: str, state: str, reason: str | None) -> None:
        self._changes.append(ConnectionChange(at, source, str(state), reason))
