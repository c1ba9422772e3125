"""What is learned of a platform's limits on queries: its documentation does not settle them."""

from __future__ import annotations

import re
from typing import Final

from journeymap.model.time import DAY, MINUTE, Millis
from journeymap.protocol.backfill.slices import Slice
from journeymap.protocol.backfill.stamps import iso
from journeymap.protocol.backfill.steps import Refusal

_FAR_BACK: Final = re.compile(
    r"\bago\b|in the past|too (old|far)|look.?back|earlier than|before the|\bjobs?\b", re.IGNORECASE
)
_TOO_MANY: Final = re.compile(r"pagination|results|page", re.IGNORECASE)
_SHORTEST: Final = MINUTE
_OLD: Final = 7 * DAY
"""What is refused without saying why is taken to be too old from this age on, and too long before."""


class Limits:
    """Remembers what queries were refused for. `notes` are sentences for people, each once."""

    def __init__(self) -> None:
        self.beyond: Millis | None = None
        """What begins longer ago than this is refused by queries."""
        self.notes: list[str] = []

    def note(self, sentence: str) -> None:
        """Tell people."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def is_beyond(self, part: Slice, now: Millis) -> bool:
        """Whether a query for this slice would be refused as too far back."""
        return self.beyond is not None and now - part.start >= self.beyond

    def too_far_back(self, part: Slice, refusal: Refusal) -> bool:
        """Whether the refusal of the first page means that queries do not reach so far back; learned, if so."""
        age = refusal.now - part.start
        if not _FAR_BACK.search(refusal.message) and (_TOO_MANY.search(refusal.message) or age < _OLD):
            return False
        self.beyond = age if self.beyond is None else min(self.beyond, age)
        self.note(
            f"queries are refused for what began {age // DAY} days ago ({refusal.message.rstrip('.')}): jobs were asked"
        )
        return True

    def split(self, part: Slice, refusal: Refusal) -> tuple[Slice, Slice] | None:
        """The halves to be asked for instead of a slice that is too long or holds too much; None where that cannot be why."""
        if part.end - part.start <= _SHORTEST:
            return None
        self.note(
            f"queries had to be made for shorter intervals, as of {iso(part.start)} ({refusal.message.rstrip('.')})"
        )
        return part.halves()
