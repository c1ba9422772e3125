"""What the page is answered (docs/architecture.md gives the form)."""

from __future__ import annotations

from typing import Final

import msgspec

from journeymap.model.status import IngestStatus
from journeymap.model.time import SECOND, Millis
from journeymap.readmodel.told import WireGap
from journeymap.view.tracks import WireRow

NOT_RUNNING: Final = "ingest is not running"
SIMULATOR: Final = "simulator"
"""The name of the source that is the simulated platform."""


class StatusInShort(msgspec.Struct, frozen=True):
    """How the ingest side stands, as far as every page shows it.

    `problem` keeps the store from being read or written, `reading_stopped` the sources from being read; `finished` says
    that all of them have delivered all they had. `down_since` is since when there is no connection, over all attempts.
    The counts are those of `EventCounts`, of a running ingest since it started. `simulated` says that a source is the simulated
    platform, whose customers are nobody.
    """

    state: str
    since: Millis
    error: str | None
    refused: bool
    lag_ms: Millis
    ingest_running: bool
    problem: str | None = None
    reading_stopped: str | None = None
    finished: bool = False
    down_since: Millis | None = None
    events_per_second: float = 0.0
    late: int = 0
    duplicate: int = 0
    quarantined: int = 0
    dropped: int = 0
    simulated: bool = False

    def says_the_same(self, other: StatusInShort | None) -> bool:
        """Whether nobody would notice the difference. Lag and rate move all the time; they count in whole numbers."""
        return other is not None and _noticed(self) == _noticed(other)


class OverTime(msgspec.Struct, frozen=True):
    """For each bin of `[start, end)`, how many matching journeys were active in it and how many waits went on; and when the
    first of all that match began."""

    start: Millis
    end: Millis
    active: list[int]
    waiting: list[int]
    first: Millis | None


class Answer(msgspec.Struct, frozen=True):
    """One answer. `rows` are wire rows; `gaps` is None where the page has them. All of it is what JSON can carry."""

    version: int
    now: Millis
    committed_at: Millis
    total: int
    open: int
    matched: int
    channels: dict[str, int]
    order: list[str]
    rows: list[WireRow]
    gone: dict[str, str | None]
    status: StatusInShort
    gaps: list[WireGap] | None
    listed: int
    pinned: list[str]
    groups: list[tuple[str, int]] | None = None
    facets: dict[str, list[tuple[str, int]]] | None = None
    overview: OverTime | None = None
    counted: Millis | None = None
    news: int | None = None
    named: dict[str, str] | None = None

    def encode(self) -> bytes:
        """The answer as JSON."""
        return _encode(self)


def in_short(status: IngestStatus | None, problem: str | None, now: Millis) -> StatusInShort:
    """The status at `now`. `problem` is what keeps this process from reading the store; it goes before all else."""
    if status is None:
        return StatusInShort("DISCONNECTED", 0, problem or NOT_RUNNING, False, 0, False, problem)
    if status.is_stale(now):
        return StatusInShort("DISCONNECTED", status.written_at, problem or NOT_RUNNING, False, 0, False, problem)
    counts = status.counts
    return StatusInShort(
        status.state,
        status.since,
        problem or status.error,
        status.refused,
        status.lag_ms,
        True,
        problem,
        status.reading_stopped,
        bool(status.sources) and all(report.finished for report in status.sources),
        next((report.down_since for report in status.sources if report.name == status.source), None),
        round(status.events_per_second, 1),
        counts.late,
        counts.duplicate,
        counts.quarantined,
        counts.dropped,
        any(report.name == SIMULATOR for report in status.sources),
    )


def _noticed(status: StatusInShort) -> StatusInShort:
    return msgspec.structs.replace(
        status, lag_ms=status.lag_ms // SECOND, events_per_second=round(status.events_per_second)
    )


_encode = msgspec.json.Encoder().encode
