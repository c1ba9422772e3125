"""What the ingest side says of itself, at least every second; all that the web side ever learns of it.

It lies in the store as named documents: the status itself, and beside it what changes seldom.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from journeymap.model.backfill import BackfillReport
from journeymap.model.names import NamesReport
from journeymap.model.time import SECOND, Millis

STATUS: Final = "status"
"""Name of the document that is an `IngestStatus`."""

QUARANTINE: Final = "quarantine"
"""Name of the document that is a list of `Quarantined`, one a reason."""

GAPS: Final = "gaps"
"""Name of the document that is a list of `Gap`, oldest first. It outlives restarts."""

CONNECTIONS: Final = "connections"
"""Name of the document that is a list of `ConnectionChange`, oldest first. It outlives restarts."""

ALERTS: Final = "alerts"
"""Name of the document that is a list of `Alert`: the hard errors that people were told of and that are not over."""

STATUS_STALE_AFTER: Final[Millis] = 5 * SECOND
"""A status document older than this reads "ingest is not running"."""


class EventCounts(msgspec.Struct, frozen=True):
    """What became of the events since the process started. `dropped` is what the platform says it left out."""

    received: int = 0
    events: int = 0
    late: int = 0
    duplicate: int = 0
    conflicting: int = 0
    expired: int = 0
    quarantined: int = 0
    throttled: int = 0
    dropped: int = 0


class SourceReport(msgspec.Struct, frozen=True):
    """How one source stands; the fields are those of `source.base.SourceStatus`. Never holds a secret.

    `live` says that what happens while it is not connected may be lost. `down_since` is when it left OPEN, or was started,
    however often it has tried since; None while it is OPEN or has finished.
    """

    name: str = ""
    state: str = "DISCONNECTED"
    since: Millis = 0
    error: str | None = None
    refused: bool = False
    finished: bool = False
    live: bool = True
    down_since: Millis | None = None
    token_obtained_at: Millis | None = None
    token_renewal_at: Millis | None = None
    token_expires_at: Millis | None = None
    subscription_id: str | None = None
    connection_id: str | None = None
    max_events_per_second: int | None = None
    configured_events_per_second: int | None = None
    last_frame_at: Millis | None = None
    last_heard_at: Millis | None = None
    next_attempt_at: Millis | None = None
    reconnects: int = 0
    received: int = 0
    throttled: int = 0
    dropped: int = 0
    posts_refused: Mapping[str, int] = {}
    queue_waiting: int | None = None
    queue_in_flight: int | None = None
    waits_ms: Millis | None = None
    topic_channels: int | None = None
    topics: int | None = None
    topics_refused: int | None = None
    notes: list[str] = []


class Gap(msgspec.Struct, frozen=True):
    """A stretch of time of which events may be missing: `[start, end)` on our clock, `end` None while it lasts.

    `kind` is `disconnected` (the source was not OPEN), `stopped` (ingest did not run), `dropped` (the platform says that it
    left events out; `dropped` of them) or `disk` (reading was stopped because the disk is nearly full).
    `filled_at` is when back-fill had brought what happened in it, of so many `conversations`. Until then `filling` is how much of
    that is done, from 0 to 1, None where nothing is fetched; `problem` is why it does not go on.
    """

    source: str
    kind: str
    start: Millis
    end: Millis | None = None
    dropped: int = 0
    detail: str = ""
    filled_at: Millis | None = None
    conversations: int = 0
    filling: float | None = None
    problem: str = ""


class GapTotal(msgspec.Struct, frozen=True):
    """How many gaps of one source and kind have ended since ingest started, how long they were together, and whether one
    lasts. `filled` were filled since then, whenever they ended; `unfilled` are kept that are not."""

    source: str
    kind: str
    ended: int = 0
    ended_ms: Millis = 0
    open: bool = False
    filled: int = 0
    unfilled: int = 0


class Durations(msgspec.Struct, frozen=True):
    """How long something took, each time since ingest started: `counts` by the upper `bounds` (ms) that they did not exceed,
    the last one for all above; `sum_ms` together."""

    bounds_ms: list[float] = []
    counts: list[int] = []
    sum_ms: float = 0.0


class Alert(msgspec.Struct, frozen=True):
    """A hard error: its kind (`runtime.alerts`), the source that has it (empty if none), and in a sentence what to do."""

    kind: str
    source: str
    since: Millis
    summary: str


class AlertCounts(msgspec.Struct, frozen=True):
    """What became of messages to the web hook of `ALERT_URL` since ingest started; `discarded` ones found the queue full."""

    delivered: int = 0
    failed: int = 0
    discarded: int = 0


class ConnectionChange(msgspec.Struct, frozen=True):
    """A source entered a state; `reason` is what went wrong, where something did."""

    at: Millis
    source: str
    state: str
    reason: str | None = None


class Quarantined(msgspec.Struct, frozen=True):
    """The unusable things of one reason: how many since ingest started, and the last one.

    `detail` is a sentence on it. `sample` is its beginning as text, what could be a secret masked; `bytes` is its whole
    length, `truncated` whether `sample` is only a part.
    """

    reason: str
    count: int
    last_at: Millis
    source: str = ""
    detail: str = ""
    sample: str = ""
    bytes: int = 0
    truncated: bool = False


class IngestStatus(msgspec.Struct, frozen=True):
    """The status document. Unknown fields are ignored and missing ones have a default, so that the two sides may be of
    different releases. Never holds a secret.

    `last_event_at` is our clock when the newest event arrived; `lag_ms` is how far folding is behind arrival.
    `source` is the source's name, `state` a `ConnectionState`; the fields after it are those of `SourceStatus`.
    `rejected` counts by reason. Sizes are bytes; `journal_lag_bytes` is what of the journal is not in the store yet,
    `waiting_bytes` what of it has not been folded yet.
    `flush_ms` is how long the last flush took, `flushes` says it of all. `gap_totals` has a row for each source and kind.
    `sources` reports on each source, where the fields above are of the one that is worst off. `events_per_second` is a
    mean over the last ten seconds. `reading_stopped` says why sources are not read although they could be.
    `stitching_outdated` says why the store's journeys are not what today's settings or code would make of its events.
    `release` is Journeymap's own, of the process that wrote this. `names` says how each kind of names stands, empty where none
    are asked for; `names_mark` is the mark of the names document, empty while there is none. `backfill` is None where nothing is
    fetched from records.
    """

    written_at: Millis = 0
    pid: int = 0
    started_at: Millis = 0
    source: str = ""
    state: str = "DISCONNECTED"
    since: Millis = 0
    error: str | None = None
    refused: bool = False
    token_expires_at: Millis | None = None
    subscription_id: str | None = None
    connection_id: str | None = None
    next_attempt_at: Millis | None = None
    reconnects: int = 0
    last_event_at: Millis | None = None
    lag_ms: Millis = 0
    counts: EventCounts = EventCounts()
    rejected: Mapping[str, int] = {}
    journeys: int = 0
    open_journeys: int = 0
    hot_journeys: int = 0
    store_bytes: int = 0
    journal_bytes: int = 0
    journal_lag_bytes: int = 0
    flush_ms: float = 0.0
    flushes: Durations = Durations()
    sources: list[SourceReport] = []
    events_per_second: float = 0.0
    waiting_bytes: int = 0
    reading_stopped: str | None = None
    disk_free_bytes: int | None = None
    journal_oldest_at: Millis | None = None
    journal_torn_bytes: int = 0
    journal_damaged_bytes: int = 0
    stitching_outdated: str | None = None
    release: str = ""
    gap_totals: list[GapTotal] = []
    alerts: AlertCounts = AlertCounts()
    names: list[NamesReport] = []
    names_mark: str = ""
    backfill: BackfillReport | None = None

    def is_stale(self, now: Millis) -> bool:
        """Whether whoever wrote this no longer does."""
        return now - self.written_at > STATUS_STALE_AFTER


def still_missing(gaps: Iterable[Gap]) -> list[Gap]:
    """Those of the gaps that are not filled."""
    return [gap for gap in gaps if gap.filled_at is None]


decode_gaps = msgspec.json.Decoder(list[Gap]).decode
decode_connections = msgspec.json.Decoder(list[ConnectionChange]).decode
decode_alerts = msgspec.json.Decoder(list[Alert]).decode
decode_quarantine = msgspec.json.Decoder(list[Quarantined]).decode

decode_status = msgspec.json.Decoder(IngestStatus).decode
"""A status document from its JSON. Raises msgspec.DecodeError or msgspec.ValidationError where it is not one."""
