"""Stretches of time of which events may be missing: worked out of how the sources stand, kept over restarts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from journeymap.model.status import Gap, GapTotal, IngestStatus, SourceReport
from journeymap.model.time import DAY, SECOND, Millis
from journeymap.source.base import ConnectionState, StateChange

MAX_GAPS: Final = 500
"""So many gaps that have ended are kept; the oldest go first."""

FIRST_CONNECTION: Final[Millis] = 10 * SECOND
"""A first connection that comes within this time of the start is no gap of its own."""

DISCONNECTED: Final = "disconnected"
STOPPED: Final = "stopped"
DROPPED: Final = "dropped"
DISK: Final = "disk"
KINDS: Final = (DISCONNECTED, STOPPED, DROPPED, DISK)


class GapLog:
    """The gaps of all live sources; the kinds are those of `model.status.Gap`. Times given must not run backwards.

    A source whose platform waits for us (`waits_ms`) has a gap only where that was not long enough: the part of an outage that
    was over for longer than that when it was OPEN again. Until then it is not known whether there is one, and none is told.

    - `disconnected` begins at the last sign of life before a source left OPEN, and ends when it is OPEN again. A socket that
      is replaced by one that is open already (make before break) never leaves OPEN: that is no gap.
    - `stopped` begins at the last sign of life before ingest ended, cleanly or not, and ends when the source is OPEN again;
      if that takes more than `FIRST_CONNECTION`, it ends where ingest started, and the source is `disconnected` from there.
      Before its very first start a source has missed nothing.
    - `dropped` reaches from the last look to the one that finds the platform's count of what it left out grown.
    - `disk` lasts while reading is stopped; the sources are `disconnected` as well then.
    """

    def __init__(
        self, kept: Iterable[Gap] = (), before: IngestStatus | None = None, *, retention: Millis = 30 * DAY
    ) -> None:
        """`kept` and `before` are what an earlier process said last."""
        self._retention = retention
        self._ended: list[Gap] = []
        self._open: dict[tuple[str, str], Gap] = {}
        self._started_at: Millis | None = None
        self._opened_at: dict[str, Millis] = {}  # of the sources that are OPEN
        self._was_open: set[str] = set()
        self._dropped: dict[str, int] = {}
        self._totals: dict[tuple[str, str], GapTotal] = {}
        self._waits: dict[str, Millis] = {}  # of the sources whose platform waits
        self._looked_at: Millis = 0
        self._stopping = False
        for gap in kept:
            if gap.end is None:
                self._open[gap.source, gap.kind] = gap
            else:
                self._ended.append(replace(gap, filling=None, problem=""))
        self._take_over(before)

    def _take_over(self, before: IngestStatus | None) -> None:
        """End what an earlier process could not end, and begin the time in which none ran."""
        told_at = 0 if before is None else before.written_at
        for source, kind in list(self._open):
            if kind != STOPPED:
                self._end(source, kind, told_at)
        for report in () if before is None else before.sources:
            self._note_waits(report)
            if report.name in self._waits:
                self._begin(report.name, STOPPED, min(report.down_since or told_at, told_at))
            elif report.live and not report.finished and (report.name, STOPPED) not in self._open:
                heard_at = _heard_at(report)
                was_open = report.state == ConnectionState.OPEN and heard_at is not None
                start = max(heard_at or 0, report.since) if was_open else told_at
                self._begin(report.name, STOPPED, min(start, told_at))

    def gaps(self) -> list[Gap]:
        """All that are kept, by their start."""
        told = [gap for gap in self._open.values() if gap.source not in self._waits]
        return sorted([*self._ended, *told], key=lambda gap: (gap.start, gap.source, gap.kind))

    def totals(self) -> list[GapTotal]:
        """How many ended since this process started: for each live source and kind, also where there were none."""
        none = {(source, kind): GapTotal(source, kind) for source in self._dropped for kind in KINDS}
        rows = {**none, **self._totals}
        unfilled = Counter((gap.source, gap.kind) for gap in self._ended if gap.filled_at is None)
        return [
            replace(row, open=key in self._open and key[0] not in self._waits, unfilled=unfilled[key])
            for key, row in sorted(rows.items())
        ]

    def fill(self, sources: Collection[str], start: Millis, end: Millis, now: Millis, conversations: int) -> None:
        """What happened from `start` to `end`, and these sources would have told, is in the store: gaps in it are closed."""
        for place, gap in enumerate(self._ended):
            if is_filled_by(gap, sources, start, end):
                self._ended[place] = replace(gap, filled_at=now, conversations=conversations)
                total = self._totals.get((gap.source, gap.kind)) or GapTotal(gap.source, gap.kind)
                self._totals[gap.source, gap.kind] = replace(total, filled=total.filled + 1)

    def stop_begins(self) -> None:
        """From now on sources are not OPEN because ingest ends."""
        self._stopping = True

    def look(
        self,
        now: Millis,
        reports: Sequence[SourceReport],
        changes: Mapping[str, Sequence[StateChange]],
        reading_stopped: str | None = None,
    ) -> None:
        """How the sources stand now, and by source the changes of state since the last look, oldest first."""
        now = max(now, self._looked_at)
        if self._started_at is None:
            self._begin_with(now, reports)
        for report in reports:
            self._note_waits(report)
            waits = report.name in self._waits
            if not report.live and not waits:
                continue
            for change in changes.get(report.name, ()):
                self._enter(report.name, change.state, min(change.at, now), change.heard_at, change.reason)
            self._enter(report.name, report.state, min(report.since, now), _heard_at(report), report.error)
            if waits:
                continue
            if report.name not in self._was_open and not report.finished:
                self._await_first(report, now)
            self._count_dropped(report, now)
            self._hold(report, reading_stopped, now)
            if report.finished:
                self._end(report.name, DISCONNECTED, now)
        self._looked_at = now
        self._forget(now)

    def stop(self, now: Millis) -> None:
        """Ingest ends, as it should, after a last look."""
        for source, kind in list(self._open):
            if kind != STOPPED and source in self._waits:
                self._begin(source, STOPPED, self._open.pop((source, kind)).start)
            elif kind != STOPPED:
                self._end(source, kind, now)
                if kind == DISCONNECTED:
                    self._begin(source, STOPPED, now)
        for source in self._opened_at:
            self._begin(source, STOPPED, now)
        self._opened_at.clear()

    def _begin_with(self, now: Millis, reports: Sequence[SourceReport]) -> None:
        self._started_at = self._looked_at = now
        names = {report.name for report in reports}
        for source, kind in list(self._open):
            gap = self._open[source, kind]
            if source not in names:  # nobody asks for its events any more
                self._end(source, kind, now)
            elif gap.start > now:  # the machine's clock was put back
                self._open[source, kind] = replace(gap, start=now)

    def _enter(self, source: str, state: str, at: Millis, heard_at: Millis | None, reason: str | None) -> None:
        opened_at = self._opened_at.get(source)
        if state == ConnectionState.OPEN:
            if opened_at is None:
                self._opened_at[source] = at
                self._was_open.add(source)
                self._end(source, DISCONNECTED, at)
                self._end(source, STOPPED, at)
        elif opened_at is not None:
            del self._opened_at[source]
            # Where the platform waits for us, silence says nothing of the connection.
            start = at if heard_at is None or source in self._waits else min(max(heard_at, opened_at), at)
            self._begin(source, STOPPED if self._stopping else DISCONNECTED, start, reason)
        elif (gap := self._open.get((source, DISCONNECTED))) is not None and not gap.detail and reason:
            self._open[source, DISCONNECTED] = replace(gap, detail=reason)

    def _await_first(self, report: SourceReport, now: Millis) -> None:
        started_at = self._started_at or 0
        if now - started_at > FIRST_CONNECTION and not self._stopping:
            self._end(report.name, STOPPED, started_at)
            self._begin(report.name, DISCONNECTED, started_at, report.error)

    def _count_dropped(self, report: SourceReport, now: Millis) -> None:
        count = report.dropped - self._dropped.get(report.name, 0)
        self._dropped[report.name] = report.dropped
        if count <= 0:
            return
        start, end = self._looked_at, max(now, self._looked_at + 1)
        detail = "the platform left events out to keep to the rate asked for"
        for place in range(len(self._ended) - 1, -1, -1):
            last = self._ended[place]
            if (last.source, last.kind) == (report.name, DROPPED):
                if last.end is not None and last.end >= start and last.filled_at is None:
                    self._ended[place] = replace(last, end=end, dropped=last.dropped + count)
                    self._add_up(report.name, DROPPED, end - last.end, new=False)
                    return
                break
        self._ended.append(Gap(report.name, DROPPED, start, end, count, detail))
        self._add_up(report.name, DROPPED, end - start)

    def _hold(self, report: SourceReport, reading_stopped: str | None, now: Millis) -> None:
        if reading_stopped is None or report.finished:
            self._end(report.name, DISK, now)
        else:
            self._begin(report.name, DISK, now, reading_stopped)

    def _note_waits(self, report: SourceReport) -> None:
        if report.waits_ms is None:
            self._waits.pop(report.name, None)
        else:
            self._waits[report.name] = report.waits_ms

    def _begin(self, source: str, kind: str, start: Millis, detail: str | None = None) -> None:
        self._open.setdefault((source, kind), Gap(source, kind, start, detail=detail or ""))

    def _end(self, source: str, kind: str, end: Millis) -> None:
        gap = self._open.pop((source, kind), None)
        end -= self._waits.get(source, 0)
        if gap is not None and gap.start < end:
            self._ended.append(replace(gap, end=end))
            self._add_up(source, kind, end - gap.start)

    def _add_up(self, source: str, kind: str, length: Millis, *, new: bool = True) -> None:
        total = self._totals.get((source, kind)) or GapTotal(source, kind)
        self._totals[source, kind] = replace(total, ended=total.ended + new, ended_ms=total.ended_ms + length)

    def _forget(self, now: Millis) -> None:
        horizon = now - self._retention
        if len(self._ended) > MAX_GAPS or any((gap.end or 0) < horizon for gap in self._ended):
            self._ended = [gap for gap in self._ended if (gap.end or 0) >= horizon]
            self._ended.sort(key=lambda gap: gap.end or 0)
            del self._ended[:-MAX_GAPS]


def is_filled_by(gap: Gap, sources: Collection[str], start: Millis, end: Millis) -> bool:
    """Whether a gap is closed by what happened from `start` to `end` and these sources would have told."""
    return (
        gap.source in sources
        and gap.filled_at is None
        and start <= gap.start
        and gap.end is not None
        and gap.end <= end
    )


def _heard_at(report: SourceReport) -> Millis | None:
    """When the last sign of life came, as far as it is known."""
    return max((at for at in (report.last_heard_at, report.last_frame_at) if at is not None), default=None)
