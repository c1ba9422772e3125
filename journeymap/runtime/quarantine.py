"""What of the received could not be used: counted by reason, and the last of each reason kept to look at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from journeymap.decode.sample import sample_text
from journeymap.model.record import Rejected
from journeymap.model.status import Quarantined
from journeymap.model.time import Millis

MAX_REASONS: Final = 40
"""So many reasons are told apart."""

SHOWN: Final = 2_000
"""So many characters of a sample are kept."""

OTHER: Final = "other"
"""Stands for all further reasons."""


class _SetAside(msgspec.Struct, frozen=True):
    rejected: Rejected
    source: str
    at: Millis


class Quarantine:
    """Counts what is set aside. Samples of an earlier process stay until there is a newer one, with a count of 0."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._last: dict[str, _SetAside] = {}
        self._shown: dict[str, tuple[_SetAside, Quarantined]] = {}
        self._earlier: dict[str, Quarantined] = {}

    def recall(self, earlier: Iterable[Quarantined]) -> None:
        """Show these too, as they were kept by an earlier process."""
        newest = sorted(earlier, key=lambda entry: entry.last_at, reverse=True)
        self._earlier = {entry.reason: msgspec.structs.replace(entry, count=0) for entry in newest[:MAX_REASONS]}

    def set_aside(self, rejected: Rejected, source: str, at: Millis) -> None:
        """Count this, and keep it in place of the one before."""
        reason = rejected.reason
        if reason not in self.counts and len(self.counts) >= MAX_REASONS:
            reason = OTHER
        self.counts[reason] = self.counts.get(reason, 0) + 1
        # Kept as it is: what is sent to us in a flood must not cost us the time of making it presentable.
        self._last[reason] = _SetAside(rejected, source, at)

    @property
    def total(self) -> int:
        """How many unusable things were set aside."""
        return sum(self.counts.values())

    def entries(self) -> list[Quarantined]:
        """The last of each reason, latest first, with secrets masked."""
        entries = {reason: entry for reason, entry in self._earlier.items() if reason not in self._last}
        for reason, last in self._last.items():
            entries[reason] = msgspec.structs.replace(self._presented(reason, last), count=self.counts[reason])
        return sorted(entries.values(), key=lambda entry: (-entry.last_at, entry.reason))[:MAX_REASONS]

    def _presented(self, reason: str, last: _SetAside) -> Quarantined:
        known, entry = self._shown.get(reason, (None, None))
        if entry is None or known is not last:
            rejected = last.rejected
            cut = rejected.size > len(rejected.sample)
            text = sample_text(rejected.sample, cut=cut)
            entry = Quarantined(
                reason=reason,
                count=0,
                last_at=last.at,
                source=last.source,
                detail=rejected.detail,
                sample=text[:SHOWN],
                bytes=rejected.size,
                truncated=cut or len(text) > SHOWN,
            )
            self._shown[reason] = (last, entry)
        return entry
