"""What the ingest side says of itself, as a web process last read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias, TypeVar

import msgspec

from journeymap.errors import StoreError
from journeymap.model.names import NAMES, decode_names
from journeymap.model.status import (
    CONNECTIONS,
    GAPS,
    QUARANTINE,
    STATUS,
    ConnectionChange,
    Gap,
    IngestStatus,
    Quarantined,
    decode_connections,
    decode_gaps,
    decode_quarantine,
    decode_status,
    still_missing,
)
from journeymap.model.time import Millis
from journeymap.store.base import StoreReader
from journeymap.view.names import NO_NAMES, KnownNames

T = TypeVar("T")

WireGap: TypeAlias = tuple[Millis, Millis | None, str, int, str, float | None, str]
"""A gap for the chart: start, end or None while it lasts, kind, events left out, why, how much of it is filled (0 to 1, None
where nothing is fetched), and why that does not go on."""

GAPS_SHOWN: Final = 200
"""So many gaps a page is told of at most, the latest ones."""

_OPEN: Final = "OPEN"


class Told:
    """The documents of `model.status`, each None or empty before it was first written, and the names."""

    def __init__(self) -> None:
        self.status: IngestStatus | None = None
        self.connections: Sequence[ConnectionChange] = ()
        self.quarantine: Sequence[Quarantined] = ()
        self.names: KnownNames = NO_NAMES
        self._names_mark = ""
        self._gaps: Sequence[Gap] = ()
        self._read: dict[str, bytes] = {}

    def read(self, store: StoreReader) -> None:
        """Read what is new. Raises StoreError, also where a document cannot be understood."""
        self.status = self._document(store, STATUS, decode_status, self.status)
        self._gaps = self._document(store, GAPS, decode_gaps, self._gaps)
        self.connections = self._document(store, CONNECTIONS, decode_connections, self.connections)
        self.quarantine = self._document(store, QUARANTINE, decode_quarantine, self.quarantine)
        self._read_names(store)

    def _read_names(self, store: StoreReader) -> None:
        # It may be large, so it is read only when the status says that it is another.
        mark = "" if self.status is None else self.status.names_mark
        if mark and mark != self._names_mark:
            found = store.document(NAMES)
            self.names = NO_NAMES if found is None else KnownNames(self._decoded(NAMES, found, decode_names))
            self._names_mark = mark

    def _document(self, store: StoreReader, name: str, decode: Callable[[bytes], T], known: T) -> T:
        document = store.document(name)
        if document is None or document == self._read.get(name):
            return known
        found = self._decoded(name, document, decode)
        self._read[name] = document
        return found

    def _decoded(self, name: str, document: bytes, decode: Callable[[bytes], T]) -> T:
        try:
            return decode(document)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise StoreError(f"the ingest's {name} document cannot be read: {error}") from error

    def gaps(self, now: Millis) -> list[Gap]:
        """The gaps, oldest first; while ingest does not run and could not say so, with one since it was last heard of."""
        found = list(self._gaps)
        if self.status is not None and self.status.is_stale(now):
            missing = {gap.source for gap in found if gap.end is None}
            for report in self.status.sources:
                if report.live and not report.finished and report.name not in missing:
                    heard_at = report.last_heard_at if report.state == _OPEN else None
                    start = self.status.written_at if heard_at is None else min(heard_at, self.status.written_at)
                    found.append(Gap(report.name, "stopped", start))
        return found

    def wire_gaps(self, since: Millis, now: Millis) -> list[WireGap]:
        """What the chart shows of them: those that are not filled and reach beyond `since`, at most `GAPS_SHOWN`; of one kind
        none overlap."""
        return wired([gap for gap in self.gaps(now) if gap.end is None or gap.end > since])


def wired(gaps: Iterable[Gap]) -> list[WireGap]:
    """Gaps in the form in which pages get them."""
    merged: dict[str, list[WireGap]] = {}
    for gap in sorted(still_missing(gaps), key=lambda gap: gap.start):
        same = merged.setdefault(gap.kind, [])
        if same and ((end := same[-1][1]) is None or end >= gap.start):
            start, _, kind, dropped, detail, filling, problem = same[-1]
            later = None if end is None or gap.end is None else max(end, gap.end)
            both = None if filling is None or gap.filling is None else min(filling, gap.filling)
            same[-1] = (start, later, kind, dropped + gap.dropped, detail or gap.detail, both, problem or gap.problem)
        else:
            same.append((gap.start, gap.end, gap.kind, gap.dropped, gap.detail, gap.filling, gap.problem))
    return sorted((gap for same in merged.values() for gap in same), key=lambda gap: gap[0])[-GAPS_SHOWN:]
