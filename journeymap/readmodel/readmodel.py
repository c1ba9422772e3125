"""The read model: what a web process knows of the journeys, kept in memory by following the store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from journeymap.decode.event import decode_raw
from journeymap.errors import StoreCorruptError
from journeymap.model.change import JourneyRecord
from journeymap.model.journey import Journey
from journeymap.model.row import JourneyRow
from journeymap.model.status import ConnectionChange, Gap, IngestStatus, Quarantined
from journeymap.model.time import HOUR, SECOND, Millis
from journeymap.readmodel.answer import Answer, StatusInShort, in_short
from journeymap.readmodel.asked import Asked, Rows
from journeymap.readmodel.evidence import Joined, joined_ids
from journeymap.readmodel.held import Held
from journeymap.readmodel.table import Table
from journeymap.readmodel.told import Told, WireGap
from journeymap.stitch.options import Timeouts
from journeymap.stitch.rules import IdentityRules
from journeymap.store.base import Batch, StoreReader
from journeymap.view.masking import Viewer, mask
from journeymap.view.names import NAMED_FIELDS, KnownNames, ids_in
from journeymap.view.question import Question
from journeymap.view.tracks import WireRow

STATUS_EVERY: Final[Millis] = SECOND // 2
"""How often what ingest says of itself is read at most."""

AHEAD_FOR: Final[Millis] = 2 * SECOND
"""A page that knows a newer version, from another process, is left alone this long; then the store was replaced."""

NEIGHBOURS: Final = 20
"""How many other journeys of a customer are shown beside one."""

RENAMED_AT_ONCE: Final = 500
"""So many rows are given other names before pages have their turn again. Where a tenth of all or more is concerned it is all of
them: one rebuilding is then quicker than one change after the other (0.7 s instead of 2.5 s for 20,000)."""

Fold = Callable[[JourneyRecord, list[bytes]], Journey]
"""Folds a stored journey: its record, and the raw events of its chunks and tail in order."""


class ReadModel:
    """Rows of the open and the most recently active journeys, at most `limit`, closed ones no older than `window`.

    `poll` takes in what is new in the store; `Follower` calls it all the time. `answer` only looks things up: it may be
    called on an event loop. From any thread. `clock` tells the time and never runs backwards. `rules` are those that the store
    is stitched by. `beside` says why an ingest side in the same process cannot write the store at the moment: then it cannot
    say so in the store.
    """

    def __init__(
        self,
        store: StoreReader,
        clock: Callable[[], Millis],
        timeouts: Timeouts,
        fold: Fold,
        *,
        rules: IdentityRules = IdentityRules(),  # noqa: B008  # it is frozen
        limit: int = 20_000,
        window: Millis = 24 * HOUR,
        beside: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.timeouts = timeouts
        self._store = store
        self._clock = clock
        self._fold = fold
        self._rules = rules
        self._limit = limit
        self._window = window
        self._beside = beside
        self._table = Table(timeouts, limit, window)
        self._changed = threading.Condition()
        self._version = 0
        self._committed_at: Millis = 0
        self._loaded = False
        self._problem: str | None = None
        self._problem_since: Millis | None = None
        self._told = Told()
        self._names = self._told.names
        self._told_read_at: Millis | None = None
        self._gaps: list[WireGap] = []
        self._gaps_since: Millis = 0
        self._shown: StatusInShort | None = None
        self._shown_since: Millis = 0

    @property
    def version(self) -> int:
        """The store version that the rows are of."""
        return self._version

    @property
    def problem(self) -> str | None:
        """What keeps the store from being read or, as far as this process knows, written; None while all is well."""
        return self._problem or self._beside()

    @property
    def problem_since(self) -> Millis | None:
        """Since when the store cannot be read; None while it can."""
        return self._problem_since

    @property
    def ready(self) -> bool:
        """Whether the store has been read at least once."""
        return self._loaded

    def status(self) -> IngestStatus | None:
        """The ingest side's status document as last read; None before the first."""
        return self._told.status

    def status_in_short(self, now: Millis) -> StatusInShort:
        """How the ingest side stands at `now`."""
        return in_short(self._told.status, self.problem, now)

    @property
    def names(self) -> KnownNames:
        """The names of queues, agents and outcomes, as last read; those that the rows have."""
        return self._names

    def gaps(self, now: Millis) -> Sequence[Gap]:
        """The stretches of time of which events may be missing, oldest first; at `now`, while ingest does not run, one
        since it was last heard of too."""
        return self._told.gaps(now)

    def connections(self) -> Sequence[ConnectionChange]:
        """The latest changes of the sources' connections, oldest first."""
        return self._told.connections

    def quarantine(self) -> Sequence[Quarantined]:
        """The last unusable thing of each reason, latest first. May hold phone numbers and addresses of customers."""
        return self._told.quarantine

    def poll(self) -> bool:
        """Take in what is new in the store; whether there was anything. Raises StoreError. For one thread at a time."""
        now = self._clock()
        self._read_told(now)
        head = self._store.head()
        moved = head != self._version or not self._loaded
        if moved:
            batches = self._store.batches(self._version) if self._loaded else None
            if batches is None:
                self._take_snapshot(now)
            else:
                self._apply(batches, now)
        else:
            with self._changed:
                self._table.advance(now)
                self._tell_status(now)
        self._problem = self._problem_since = None
        return moved

    def fail(self, problem: str) -> None:
        """Remember why the store cannot be read; the next successful `poll` forgets it."""
        self._problem_since = self._clock() if self._problem_since is None else self._problem_since
        self._problem = problem

    def wait_for(self, version: int, timeout: float) -> bool:
        """Wait until the rows are of `version` or a newer one, at most `timeout` seconds; whether they are."""
        with self._changed:
            return self._changed.wait_for(lambda: self._version >= version, timeout)

    def rows(self) -> dict[str, Held]:
        """All that is held, by journey id, as it is now."""
        with self._changed:
            return dict(self._table.held)

    def answer(self, question: Question, viewer: Viewer, now: Millis) -> Answer | None:
        """The answer to a page; None if it would say nothing new. Raises InputError for filters that make no sense."""
        wanted = question.filter().seen_by(viewer)
        order = question.order(viewer)
        with self._changed:
            wanted = self._names.meant(wanted)
            self._table.advance(now)
            now = max(now, self._table.now)
            status = self._tell_status(now)
            asked = Asked(self._table, question, wanted, order, now)
            rows = asked.rows()
            if not asked.news(rows) and self._is_quiet(question, asked, now):
                return None
            counts = asked.counts()
            return Answer(
                version=self._version,
                now=now,
                committed_at=self._committed_at,
                total=len(self._table.held),
                open=self._table.open_count(),
                matched=asked.matches.count(question.since),
                channels=asked.channels(),
                order=rows.order,
                rows=self._rows_to_send(rows, dict(question.have), viewer, now),
                gone=rows.gone,
                status=status,
                gaps=self._gaps if question.at <= self._gaps_since else None,
                listed=rows.listed,
                pinned=rows.pinned,
                groups=asked.groups(rows),
                facets=counts.facets,
                overview=counts.overview,
                counted=counts.as_of,
                news=asked.moved_on(),
                named=self._asked_for(question, viewer),
            )

    def _asked_for(self, question: Question, viewer: Viewer) -> dict[str, str] | None:
        chosen = [each for field in NAMED_FIELDS for each in getattr(question, field) or ()]
        named = self._names.asked_for(chosen) if chosen else {}
        return {each: name for each, name in named.items() if mask(name, viewer) == name} or None

    def detail(self, journey_id: str) -> Journey | None:
        """One whole journey from the store, also by an id that it had before; None if there is none. Reads the disk."""
        for attempt in (1, 2):
            record = self._store.find(journey_id)
            if record is None:
                return None
            try:
                chunks = self._store.chunks(record.chunks)
            except StoreCorruptError:
                # A checkpoint between the two reads may have replaced the chunks; the second time it is damage.
                if attempt == 2:
                    raise
                continue
            folded = self._fold(record, [raw for chunk in chunks for raw in chunk] + list(record.tail))
            return self._names.journey(folded)
        raise AssertionError("the second attempt returns or raises")

    def joined(self, journey: Journey) -> list[Joined]:
        """The ids of a journey, with the events and rules that joined them. Reads the disk."""
        carried = dict.fromkeys(event.session_token for event in journey.events if event.session_token is not None)
        known = self._store.tokens(carried)
        tokens = {token: list(record.evidence.values()) for token, record in known.items()}
        keys = self._store.keys(dict.fromkeys(key for event in journey.events for key in event.keys))
        identity_events = [decode_raw(raw) for raw in self._store.identity().values()]
        return joined_ids(journey, tokens, identity_events, self._rules, keys)

    def neighbours(self, journey: Journey) -> list[JourneyRow]:
        """Rows of the customer's other journeys, latest first, at most `NEIGHBOURS`. Reads the disk."""
        spans = sorted(self._store.spans(journey.customer_id), key=lambda span: span.start, reverse=True)
        others = [span.journey_id for span in spans if span.journey_id != journey.journey_id][:NEIGHBOURS]
        found = self._store.find_many(others)
        return [self._names.row(found[journey_id].row) for journey_id in others if journey_id in found]

    def _rows_to_send(self, wanted: Rows, tags: dict[str, int], viewer: Viewer, now: Millis) -> list[WireRow]:
        rows = []
        for journey_id in dict.fromkeys([*wanted.pinned, *wanted.order, *wanted.watched]):
            row = self._table.held[journey_id].wire(viewer, now, self.timeouts)
            if tags.get(journey_id) != row[1]:
                rows.append(row)
        return rows

    def _is_quiet(self, question: Question, asked: Asked, now: Millis) -> bool:
        """Whether nothing that an answer says has changed since the one that the page has."""
        if question.at <= 0 or self._shown_since >= question.at:
            return False
        ahead = question.version > self._version and now - question.at < AHEAD_FOR
        if question.version != self._version and not ahead:
            return False
        return asked.is_quiet()

    def _tell_status(self, now: Millis) -> StatusInShort:
        # Noted by `poll` too, so that a page that is told of a change asks again later than the moment of the change.
        status = self.status_in_short(now)
        if not status.says_the_same(self._shown):
            self._shown, self._shown_since = status, now
        return status

    def _read_told(self, now: Millis) -> None:
        if self._told_read_at is not None and 0 <= now - self._told_read_at < STATUS_EVERY:
            return
        self._told_read_at = now
        self._told.read(self._store)
        gaps = self._told.wire_gaps(now - self._window, now)
        with self._changed:
            if gaps != self._gaps:
                self._gaps = gaps
                self._gaps_since = self._shown_since = now
            self._table.advance(now)
            self._table.forget_old()
            self._tell_status(now)
        if self._told.names is not self._names:
            self._rename(self._told.names, now)

    def _held(self, row: JourneyRow, now: Millis) -> Held:
        return Held(self._names.row(row), now, self.timeouts, row)

    def _rename(self, names: KnownNames, now: Millis) -> None:
        """Give the rows that are held their new names."""
        changed = names.changed(self._names)
        self._names = names
        stored = [held.stored for held in self.rows().values()]
        concerned = [row for row in stored if not changed.isdisjoint(ids_in(row))]
        step = RENAMED_AT_ONCE if len(concerned) < len(stored) // 10 else len(concerned)
        for start in range(0, len(concerned), max(1, step)):
            renamed = [self._held(row, now) for row in concerned[start : start + step]]
            with self._changed:
                self._table.hold(renamed)

    def _apply(self, batches: Sequence[Batch], now: Millis) -> None:
        for batch in batches:
            held = [self._held(row, now) for row in batch.rows]
            with self._changed:
                self._table.advance(now)
                self._table.hold(held, batch.gone)
                self._version = batch.number
                self._committed_at = batch.committed_at
                self._changed.notify_all()

    def _take_snapshot(self, now: Millis) -> None:
        snapshot = self._store.snapshot(now - self._window, self._limit)
        held = {row.journey_id: self._held(row, now) for row in snapshot.rows}
        newest = self._store.batches(snapshot.head - 1) if snapshot.head else None
        with self._changed:
            self._table.advance(now)
            self._table.replace(held)
            self._version = snapshot.head
            self._committed_at = newest[0].committed_at if newest else now
            self._loaded = True
            self._changed.notify_all()
