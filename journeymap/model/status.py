"""What the ingest side says of itself, at least every second; all that the web side ever learns of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from journeymap.model.time import SECOND, Millis

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


class IngestStatus(msgspec.Struct, frozen=True):
    """The status document. Unknown fields are ignored and missing ones have a default, so that the two sides may be of
    different releases. Never holds a secret.

    `last_event_at` is our clock when the newest event arrived; `lag_ms` is how far folding is behind arrival.
    `source` is the source's name, `state` a `ConnectionState`; the fields after it are those of `SourceStatus`.
    `rejected` counts by reason. Sizes are bytes; `journal_lag_bytes` is what of the journal is not in the store yet.
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

    def is_stale(self, now: Millis) -> bool:
        """Whether whoever wrote this no longer does."""
        return now - self.written_at > STATUS_STALE_AFTER


decode_status = msgspec.json.Decoder(IngestStatus).decode
"""A status document from its JSON. Raises msgspec.DecodeError or msgspec.ValidationError where it is not one."""
