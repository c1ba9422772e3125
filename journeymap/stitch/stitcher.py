"""The incremental engine: computes what `definition` says, event by event, and re-folds only what a batch touches.

It holds open journeys in memory and gets others from its `Shelf` when an event needs them. It does no I/O, keeps no time
and may be dropped at any moment: a new one over the same store, given the same events again, comes to the same journeys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush

import msgspec

from journeymap.model.change import Changes, JourneyRecord, RowChanges
from journeymap.model.event import IDENTITY_TYPES, Event, order_key
from journeymap.model.journey import Journey
from journeymap.model.row import JourneyRow
from journeymap.model.time import MINUTE, SECOND, Millis
from journeymap.stitch import definition
from journeymap.stitch.aliases import Aliases
from journeymap.stitch.bindings import Bindings
from journeymap.stitch.hot import HotInteraction, HotJourney, Shelf, Taken, new_interaction, take
from journeymap.stitch.identity import INTERACTION
from journeymap.stitch.keys import Keys
from journeymap.stitch.machine import ARRIVES, TRANSFERS
from journeymap.stitch.options import StitchOptions
from journeymap.stitch.placing import Places
from journeymap.stitch.rows import OVERSIZED, match_transfers, row_of

CHUNK_EVENTS = 64
"""How many events a sealed chunk holds; fewer wait in the record's tail."""

OVERSIZED_PAUSE: Millis = 5 * SECOND
"""The row of an oversized journey is made again at most this often."""

LINGER: Millis = MINUTE
"""How long a closed journey stays in memory, for copies and stragglers."""


class Applied(msgspec.Struct):
    """What became of the events of a batch. `new` are those not known before."""

    new: int = 0
    duplicate: int = 0
    conflicting: int = 0


def _count(applied: Applied, taken: Taken) -> None:
    applied.new += taken.new
    applied.conflicting += taken.conflicting
    applied.duplicate += not (taken.new or taken.conflicting)


def _goes_on(event: Event, channel: str | None) -> bool:
    """Whether an event at an interaction's end may decide until when its transfers await somebody."""
    return event.rank < 3 or event.type in ARRIVES or channel is None


class Stitcher:
    """Folds events, in any order and number of batches, into journeys."""

    def __init__(self, options: StitchOptions, shelf: Shelf, identity_events: Iterable[Event] = ()) -> None:
        self._options = options
        self._timeouts = options.timeouts
        self._rules = options.identity
        self._places = Places(shelf, options)
        self._aliases = Aliases(identity_events)
        self._bindings = Bindings(shelf, options.identity, self._aliases)
        self._keys = Keys(shelf, options.identity, self._places, self._bindings, self._aliases)
        self._forgotten_pointers: dict[str, None] = {}
        self._closing: list[tuple[Millis, str]] = []  # when journeys in memory may close: a heap, one entry each
        self._scheduled: set[str] = set()

    @property
    def hot_journeys(self) -> int:
        """How many journeys are in memory."""
        return len(self._places.journeys)

    @property
    def unsaved(self) -> int:
        """How many records the next `take_changes` has to write or delete."""
        places = self._places
        changed = len(places.unsaved) + len(places.deleted) + len(places.dropped)
        return changed + self._bindings.unsaved + self._keys.unsaved + self._aliases.unsaved

    # Taking events in

    def apply(self, events: Sequence[Event]) -> Applied:
        """Take a batch of events into the journeys they belong to."""
        self._fetch_for(events)
        applied = Applied()
        unplaced: dict[str, HotInteraction] = {}
        spread: set[str] = set()  # customers whose journeys may have to be joined or split
        for event in events:
            if event.type in IDENTITY_TYPES:
                _count(applied, self._aliases.take(event))
            else:
                self._take(event, applied, unplaced, spread)
        unplaced.update(self._realias())
        self._place(self._identify(unplaced), spread)
        return applied

    def _fetch_for(self, events: Sequence[Event]) -> None:
        """Bring in at once what the events of a batch will ask for."""
        interactions = self._places.interactions
        strangers = {event.interaction_id: event for event in events if event.interaction_id not in interactions}
        strangers.pop("", None)
        if not strangers:
            return
        self._places.fetch(strangers.keys())
        self._places.fetch_customers(
            {
                self._aliases.resolve(event.customer_id)
                for name, event in strangers.items()
                if event.customer_id is not None and name not in interactions
            }
        )
        self._bindings.load({event.session_token for event in events if event.session_token is not None})

    def _take(self, event: Event, applied: Applied, unplaced: dict[str, HotInteraction], spread: set[str]) -> None:
        name = event.interaction_id
        interaction = self._places.interactions.get(name) or unplaced.get(name)
        if interaction is None:
            interaction = unplaced[name] = new_interaction(name)
        first = interaction.events[0] if interaction.events else None
        channel = interaction.fold.channel
        taken = take(interaction, event, self._rules)
        _count(applied, taken)
        if not (taken.new or taken.replaced) or not interaction.journey_id:
            return
        places = self._places
        journey = places.journeys[interaction.journey_id]
        places.touched[journey.journey_id] = places.unsaved[journey.journey_id] = None
        if taken.replaced:
            places.rewrite(journey)
        else:
            journey.tail.append(event.raw)
            journey.event_count += 1
        journey.arrived_at = max(journey.arrived_at, event.arrived_at)
        if not taken.tail:
            journey.rematch = True
            if taken.replaced or interaction.events[0] is not first:
                spread.add(journey.customer_id)
        elif event.type in TRANSFERS or (journey.transfer_count and _goes_on(event, channel)):
            journey.rematch = True
        journey.changed(interaction, tail=taken.tail)
        if event.timestamp > journey.end:
            journey.end = event.timestamp
            if places.reaches_next(journey):
                spread.add(journey.customer_id)
        if taken.telling or self._aliases.wrong_contacts(name):
            unplaced[name] = interaction

    # Whose they are

    def _identify(self, asked: Mapping[str, HotInteraction]) -> Mapping[str, HotInteraction]:
        """Work out whose these interactions are; the answer holds them and all others that it changes."""
        concerned = dict(asked)
        others: set[str] = set()
        for interaction in asked.values():
            if interaction.noted != interaction.tokens:
                others.update(self._bindings.note(interaction))
        others -= concerned.keys()
        if others:
            self._places.fetch(others)
            held = self._places.interactions
            concerned.update((name, held[name]) for name in others if name in held)
        self._bindings.load_for(concerned.values())
        return self._keys.identify(concerned)

    def _realias(self) -> dict[str, HotInteraction]:
        """All interactions of customers whose aliases changed, of keys of which an operator said something, and those split
        from a contact, brought into memory."""
        changed = self._aliases.changed()
        said = self._aliases.said_otherwise()
        found = self._keys.carriers(said) if said else {}
        split = self._aliases.called_wrong_otherwise()
        self._places.fetch(split)
        held = self._places.interactions
        found.update((name, held[name]) for name in split if name in held)
        self._places.fetch_customers(changed)
        for customer_id in changed:
            customer = self._places.customer(customer_id)
            self._places.warm(customer_id, list(customer.cold))
            for journey_id in customer.journeys:
                found.update(self._places.journeys[journey_id].members)
        return found

    # Where they belong

    def _place(self, interactions: Mapping[str, HotInteraction], spread: set[str]) -> None:
        """Put interactions into journeys of their customers, and make the journeys of `spread` customers anew."""
        arrivals: dict[str, list[HotInteraction]] = {customer_id: [] for customer_id in spread}
        waiting = []
        for interaction in interactions.values():
            customer_id = self._aliases.resolve(interaction.customer)
            if interaction.journey_id:
                current = self._places.journeys[interaction.journey_id].customer_id
                if current == customer_id:
                    continue
                arrivals.setdefault(current, [])
                interaction.journey_id = ""
                arrivals.setdefault(customer_id, []).append(interaction)
            else:
                waiting.append((interaction, customer_id))
        for interaction, customer_id in waiting:
            if customer_id in arrivals:
                arrivals[customer_id].append(interaction)
            elif not self._places.join(interaction, customer_id):
                arrivals[customer_id] = [interaction]
        if arrivals:
            self._places.rebuild(arrivals)

    # Handing out what changed

    def take_rows(self, now: Millis, *, last: bool = False) -> RowChanges:
        """Rows that changed since the last call, and journeys that are gone. Oversized journeys take their turn later, but
        not if this is the `last` call."""
        places = self._places
        later: dict[str, None] = {}
        rows = []
        for journey_id in places.touched:
            journey = places.journeys[journey_id]
            if journey.event_count > OVERSIZED:
                if now < journey.row_due and not last:
                    later[journey_id] = None
                    continue
                journey.row_due = now + OVERSIZED_PAUSE
                # Its record may have been written while the row waited; then it has to be written again, with the row.
                places.unsaved[journey_id] = None
            rows.append(self._row(journey))
        gone = {journey_id: self._heir(name) for journey_id, name in places.gone.items()}
        places.touched, places.gone = later, {}
        return RowChanges(rows, gone)

    def _heir(self, interaction_id: str) -> str | None:
        """The journey in which the interaction is that gave a gone journey its id; None if it was evicted.

        A journey that changed leaves memory only after its row was handed out, so what is not here was evicted.
        """
        interaction = self._places.interactions.get(interaction_id)
        return interaction.journey_id if interaction else None

    def _row(self, journey: HotJourney) -> JourneyRow:
        journey.row = row_of(journey, self._timeouts)
        return journey.row

    def next_due(self) -> Millis | None:
        """When a row that had to wait may be made; None if none waits."""
        return min((self._places.journeys[name].row_due for name in self._places.touched), default=None)

    def take_changes(self) -> Changes:
        """Everything the store needs to hold all events applied so far, given all changes handed out before."""
        places = self._places
        changes = Changes(
            delete_journeys=list(places.deleted),
            delete_chunks=list(places.dropped),
            delete_pointers=list(self._forgotten_pointers),
        )
        for journey_id in places.unsaved:
            changes.journeys.append(self._record(places.journeys[journey_id], changes))
        for member in places.moved.values():
            if member.journey_id == member.own_id:
                if member.pointer:
                    changes.delete_pointers.append(member.own_id)
                member.pointer = ""
            elif member.journey_id and member.pointer != member.journey_id:
                changes.pointers[member.own_id] = member.pointer = member.journey_id
        self._bindings.take_changes(changes)
        self._keys.take_changes(changes)
        self._aliases.take_changes(changes)
        places.unsaved, places.moved, places.deleted, places.dropped = {}, {}, {}, {}
        self._forgotten_pointers = {}
        return changes

    def _record(self, journey: HotJourney, changes: Changes) -> JourneyRecord:
        while len(journey.tail) > CHUNK_EVENTS:
            name = f"{journey.journey_id}:{journey.chunk_serial}"
            journey.chunk_serial += 1
            changes.chunks[name] = tuple(journey.tail[:CHUNK_EVENTS])
            del journey.tail[:CHUNK_EVENTS]
            journey.chunks += (name,)
        row = journey.row
        if row is None or (journey.journey_id in self._places.touched and journey.event_count <= OVERSIZED):
            row = self._row(journey)
        closed_from = journey.closed_from(self._timeouts)
        journey.stored = True
        self._schedule(journey)
        return JourneyRecord(
            journey.journey_id,
            journey.customer_id,
            journey.start,
            journey.end,
            closed_from,
            row,
            journey.chunks,
            tuple(journey.tail),
        )

    # Letting go

    def _schedule(self, journey: HotJourney) -> None:
        if journey.journey_id not in self._scheduled:
            self._scheduled.add(journey.journey_id)
            heappush(self._closing, (journey.closed_from(self._timeouts), journey.journey_id))

    def release(self, now: Millis) -> int:
        """Let journeys that have read CLOSED for a while leave memory; how many did.

        Call it only when everything from `take_changes` is in the store.
        """
        released = 0
        again = []
        self._bindings.release()
        self._keys.release()
        for journey_id in self._places.admitted:
            if journey_id in self._places.journeys:
                self._schedule(self._places.journeys[journey_id])
        self._places.admitted.clear()
        while self._closing and self._closing[0][0] + LINGER <= now:
            _, journey_id = heappop(self._closing)
            journey = self._places.journeys.get(journey_id)
            if journey is None:
                self._scheduled.discard(journey_id)
                continue
            # What is touched now may be old, when old events are replayed: it lingers from its arrival too.
            closed_from = max(journey.closed_from(self._timeouts), journey.arrived_at)
            if closed_from + LINGER > now or journey_id in self._places.touched or journey_id in self._places.unsaved:
                again.append((max(closed_from, now - LINGER + SECOND), journey_id))
                continue
            self._scheduled.discard(journey_id)
            self._places.release(journey)
            released += 1
        for entry in again:
            heappush(self._closing, entry)
        self._places.release_customers()
        return released

    def forget(self, journey_ids: Iterable[str], now: Millis) -> int:
        """Evict journeys for good, except those that do not read CLOSED at `now`; how many went."""
        forgotten = 0
        places = self._places
        wanted = list(journey_ids)
        missing = [journey_id for journey_id in wanted if journey_id not in places.journeys]
        if missing:
            places.admit_journeys(missing)
        for journey_id in wanted:
            journey = places.journeys.get(journey_id)
            if journey is None or journey.closed_from(self._timeouts) > now:
                continue
            for member in journey.members.values():
                self._bindings.forget(member)
                self._keys.forget(member)
                if member.pointer:
                    self._forgotten_pointers[member.own_id] = None
            places.forget(journey)
            forgotten += 1
        return forgotten

    def forget_identity(self, before: Millis) -> int:
        """Drop identity events older than `before` of customers of whom no journey is left; how many went."""

        def unused(customer_id: str) -> bool:
            if customer_id.startswith(INTERACTION):
                name = customer_id.removeprefix(INTERACTION)
                self._places.fetch([name])
                if name in self._places.interactions:
                    return False
            customer = self._places.customer(customer_id)
            return not customer.journeys and not customer.cold and not self._keys.carried(customer_id)

        return self._aliases.forget(before, unused)

    # Looking at the whole

    def journeys(self) -> list[Journey]:
        """All journeys in memory, whole, sorted by customer, start and journey id."""
        found = [self._journey(journey) for journey in self._places.journeys.values()]
        return sorted(found, key=lambda journey: (journey.customer_id, journey.started_at, journey.journey_id))

    def _journey(self, journey: HotJourney) -> Journey:
        if journey.rematch:
            match_transfers(journey, self._timeouts)
        folded = [
            definition.interaction(name, member.events, member.folded(), journey.began.get(name, {}))
            for name, member in journey.members.items()
        ]
        events = [event for member in journey.members.values() for event in member.events]
        return Journey(
            journey_id=journey.journey_id,
            customer_id=journey.customer_id,
            started_at=min(journey.start, *(item.started_at for item in folded)),
            first_event_at=journey.start,
            last_event_at=journey.end,
            interactions=tuple(sorted(folded, key=lambda item: (item.started_at, item.interaction_id))),
            transfers=tuple(item.transfer for item in journey.handovers),
            events=tuple(sorted(events, key=order_key)),
        )
