"""A record: one thing that a source delivered, exactly as it came, before anyone has looked inside."""

from __future__ import annotations

from typing import Final

import msgspec

from journeymap.model.time import Millis

BACKFILL_SOURCE: Final = "backfill"
"""As whose records stand in the journal that were fetched afterwards."""

RETELLING: Final = frozenset({BACKFILL_SOURCE, "notifications"})
"""Sources that tell what was before: records hold all of a conversation, and so do snapshots, of which most of what the
Notification Service sends consists. They come in no order of events, and nothing of them is late."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """One frame (or line, or message) as received.

    `data` is the text of one event, an array of events or `{"events": […]}`, in UTF-8 if the sender kept to the protocol.
    `arrived_at` is our clock when it came. `end` is the journal offset just behind it; 0 where no journal is kept.
    """

    data: bytes
    source: str
    arrived_at: Millis
    end: int = 0


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """Something that cannot be used, with the reason as a short stable word (a metrics label) and a sentence for people.

    `sample` is its beginning, at most 2,000 bytes, for the quarantine; `size` is its whole length in bytes.
    """

    reason: str
    detail: str
    sample: bytes
    size: int = 0
