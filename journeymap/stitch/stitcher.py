"""The incremental engine: computes what `definition` says, event by event, and re-folds only what a batch touches.

It holds open journeys in memory and gets others from its `Shelf` when an event needs them. It does no I/O, keeps no time
and may be dropped at any moment: a new one over the same store, given the same events again, comes to the same journeys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush

import msgspec

from journeymap.model.change import Changes, JourneyRecord, RowChanges, TokenRecord
from journeymap.model.event import IDENTITY_TYPES, TRANSFERRED, Event, better_copy, order_key, same_copy
from journeymap.model.journey import Journey
from journeymap.model.row import JourneyRow
from journeymap.model.time import MINUTE, SECOND, Millis
from journeymap.stitch import definition, identity
from journeymap.stitch.hot import HotInteraction, HotJourney, Shelf, new_interaction, take
from journeymap.stitch.options import StitchOptions
from journeymap.stitch.placing import Places
from journeymap.stitch.rows import OVERSIZED, match_transfers, row_of

CHUNK_EVENTS = 64
"""How many events a sealed chunk holds; fewer wait in the record's tail."""

OVERSIZED_PAUSE: Millis = 5 * SECOND
"""The row of an oversized journey is made again at most this often."""

LINGER: Millis = MINUTE
"""How long a closed journey stays in memory, for copies and stragglers."""

_GONE = ""  # under this name a token keeps the evidence of interactions that were evicted while others still need it


class Applied(msgspec.Struct):
    """What became of the events of a batch. `new` are those not known before."""

    new: int = 0
    duplicate: int = 0
    conflicting: int = 0


class Stitcher:
    """Folds events, in any order and number of batches, into journeys."""

    def __init__(self, options: StitchOptions, shelf: Shelf, identity_events: Iterable[Event] = ()) -> None:
        self._options = options
        self._timeouts = options.timeouts
        self._shelf = shelf
        self._places = Places(shelf, options.engagement_window)
        self._tokens: dict[str, dict[str, identity.Evidence | None]] = {}
        self._unsaved_tokens: dict[str, None] = {}
        self._identity = {event.event_id: event for event in identity_events}
        self._unsaved_identity: dict[str, None] = {}
        self._forgotten_identity: dict[str, None] = {}
        self._forgotten_pointers: dict[str, None] = {}
        self._aliases = identity.aliases_of(self._identity.values())
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
        return (
            len(places.unsaved)
            + len(places.deleted)
            + len(places.dropped)
            + len(self._unsaved_tokens)
            + len(self._unsaved_identity)
            + len(self._forgotten_identity)
        )

    # Taking events in

    def apply(self, events: Sequence[Event]) -> Applied:
        """Take a batch of events into the journeys they belong to."""
        self._fetch_for(events)
        applied = Applied()
        unplaced: dict[str, HotInteraction] = {}
        spread: set[str] = set()  # customers whose journeys may have to be joined or split
        aliases_before = self._aliases
        for event in events:
            if event.type in IDENTITY_TYPES:
                self._take_identity(event, applied)
            else:
                self._take(event, applied, unplaced, spread)
        if self._aliases is not aliases_before:
            unplaced.update(self._realias(aliases_before))
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
                identity.resolve(event.customer_id, self._aliases)
                for name, event in strangers.items()
                if event.customer_id is not None and name not in interactions
            }
        )
        self._load_tokens({event.session_token for event in events if event.session_token is not None})

    def _take(self, event: Event, applied: Applied, unplaced: dict[str, HotInteraction], spread: set[str]) -> None:
        name = event.interaction_id
        interaction = self._places.interactions.get(name) or unplaced.get(name)
        if interaction is None:
            interaction = unplaced[name] = new_interaction(name)
        start = interaction.start if interaction.events else None
        customer, tokens, channel = interaction.own_customer, len(interaction.tokens), interaction.fold.channel
        taken = take(interaction, event)
        if taken.conflicting:
            applied.conflicting += 1
        if taken.new:
            applied.new += 1
        elif not taken.replaced:
            applied.duplicate += not taken.conflicting
            return
        if not interaction.journey_id:
            return
        journey = self._places.journeys[interaction.journey_id]
        self._places.touched[journey.journey_id] = self._places.unsaved[journey.journey_id] = None
        if taken.replaced:
            self._places.rewrite(journey)
        else:
            journey.tail.append(event.raw)
            journey.event_count += 1
        journey.arrived_at = max(journey.arrived_at, event.arrived_at)
        if not taken.tail:
            journey.rematch = True
            unplaced[name] = interaction
            if taken.replaced or interaction.start != start:
                spread.add(journey.customer_id)
        elif event.type == TRANSFERRED or (journey.transfer_count and (event.rank < 3 or channel is None)):
            journey.rematch = True
        if interaction.end > journey.end:
            journey.end = interaction.end
            if self._places.reaches_next(journey):
                spread.add(journey.customer_id)
        if interaction.own_customer != customer or len(interaction.tokens) != tokens or event.session_token is not None:
            unplaced[name] = interaction

    def _take_identity(self, event: Event, applied: Applied) -> None:
        known = self._identity.get(event.event_id)
        if known is not None:
            if same_copy(known, event):
                applied.duplicate += 1
                return
            applied.conflicting += 1
            if better_copy(known, event) is known:
                return
        else:
            applied.new += 1
        self._identity[event.event_id] = event
        self._unsaved_identity[event.event_id] = None
        self._forgotten_identity.pop(event.event_id, None)
        self._aliases = identity.aliases_of(self._identity.values())

    # Whose they are

    def _load_tokens(self, tokens: Iterable[str]) -> None:
        wanted = [token for token in tokens if token not in self._tokens]
        if wanted:
            found = self._shelf.tokens(wanted)
            for token in wanted:
                self._tokens[token] = dict(found[token].evidence) if token in found else {}

    def _identify(self, asked: Mapping[str, HotInteraction]) -> dict[str, HotInteraction]:
        """Work out whose these interactions are; the answer holds them and all others that it changes."""
        rebound: set[str] = set()
        for interaction in asked.values():
            if interaction.noted != interaction.tokens:
                rebound.update(self._note(interaction))
        affected = dict(asked)
        if rebound:
            names = {
                name for token in rebound for name in self._tokens[token] if name != _GONE and name not in affected
            }
            self._places.fetch(names)
            affected.update(
                (name, self._places.interactions[name]) for name in names if name in self._places.interactions
            )
        self._load_tokens({token for item in affected.values() if item.own_customer is None for token in item.tokens})
        for interaction in affected.values():
            interaction.customer = self._customer_of(interaction)
        return affected

    def _customer_of(self, interaction: HotInteraction) -> str:
        tokens = tuple(interaction.tokens)
        bindings = {}
        if interaction.own_customer is None:
            bindings = {token: identity.bound_to(self._tokens[token].values()) for token in tokens}
        return identity.customer_of(interaction.interaction_id, interaction.own_customer, tokens, bindings)

    def _note(self, interaction: HotInteraction) -> list[str]:
        """Tell the session tokens what an interaction knows of them; those that are now bound otherwise."""
        self._load_tokens(interaction.noted.keys() | interaction.tokens.keys())
        rebound = []
        for token in interaction.noted.keys() | interaction.tokens.keys():
            evidence = self._tokens[token]
            before = identity.bound_to(evidence.values())
            if token in interaction.tokens:
                evidence[interaction.interaction_id] = interaction.tokens[token]
            else:
                evidence.pop(interaction.interaction_id, None)
            self._unsaved_tokens[token] = None
            if identity.bound_to(evidence.values()) != before:
                rebound.append(token)
        interaction.noted = dict(interaction.tokens)
        return rebound

    def _realias(self, before: Mapping[str, str]) -> dict[str, HotInteraction]:
        """All interactions of customers whose aliases changed, brought into memory."""
        changed = {
            identity.resolve(name, before)
            for name in before.keys() | self._aliases.keys()
            if identity.resolve(name, before) != identity.resolve(name, self._aliases)
        }
        found: dict[str, HotInteraction] = {}
        self._places.fetch_customers(changed)
        for customer_id in changed:
            customer = self._places.customer(customer_id)
            self._places.warm(customer_id, list(customer.cold))
            for journey_id in customer.journeys:
                found.update(self._places.journeys[journey_id].members)
            if not customer.journeys:
                del self._places.customers[customer_id]
        return found

    # Where they belong

    def _place(self, interactions: Mapping[str, HotInteraction], spread: set[str]) -> None:
        """Put interactions into journeys of their customers, and make the journeys of `spread` customers anew."""
        arrivals: dict[str, list[HotInteraction]] = {customer_id: [] for customer_id in spread}
        waiting = []
        for interaction in interactions.values():
            customer_id = identity.resolve(interaction.customer, self._aliases)
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

    def take_rows(self, now: Millis) -> RowChanges:
        """Rows that changed since the last call, and journeys that are gone. Oversized journeys take their turn later."""
        places = self._places
        later: dict[str, None] = {}
        rows = []
        for journey_id in places.touched:
            journey = places.journeys[journey_id]
            if journey.event_count > OVERSIZED:
                if now < journey.row_due:
                    later[journey_id] = None
                    continue
                journey.row_due = now + OVERSIZED_PAUSE
            rows.append(self._row(journey))
        gone = {journey_id: self._heir(name) for journey_id, name in places.gone.items()}
        places.touched, places.gone = later, {}
        return RowChanges(rows, gone)

    def _heir(self, journey_id: str | None) -> str | None:
        """Where a journey that took in another one is now, should it have been taken in itself since."""
        seen = set()
        while journey_id is not None and journey_id in self._places.gone and journey_id not in seen:
            seen.add(journey_id)
            journey_id = self._places.gone[journey_id]
        return journey_id

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
            delete_identity=list(self._forgotten_identity),
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
        for token in self._unsaved_tokens:
            if self._tokens[token].keys() - {_GONE}:
                changes.tokens.append(TokenRecord(token, dict(self._tokens[token])))
            else:
                changes.delete_tokens.append(token)
        changes.identity = {name: self._identity[name].raw for name in self._unsaved_identity}
        places.unsaved, places.moved, places.deleted, places.dropped = {}, {}, {}, {}
        self._unsaved_tokens, self._unsaved_identity = {}, {}
        self._forgotten_identity, self._forgotten_pointers = {}, {}
        return changes

    def _record(self, journey: HotJourney, changes: Changes) -> JourneyRecord:
        while len(journey.tail) > CHUNK_EVENTS:
            name = f"{journey.journey_id}:{journey.chunk_serial}"
            journey.chunk_serial += 1
            changes.chunks[name] = tuple(journey.tail[:CHUNK_EVENTS])
            del journey.tail[:CHUNK_EVENTS]
            journey.chunks.append(name)
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
            tuple(journey.chunks),
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
        self._tokens = {token: self._tokens[token] for token in self._unsaved_tokens}
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
            closed_from = journey.closed_from(self._timeouts)
            if closed_from + LINGER > now or journey_id in self._places.touched or journey_id in self._places.unsaved:
                again.append((max(closed_from, now - LINGER + SECOND), journey_id))
                continue
            self._scheduled.discard(journey_id)
            self._places.release(journey)
            released += 1
        for entry in again:
            heappush(self._closing, entry)
        for customer_id in [name for name, item in self._places.customers.items() if not item.journeys]:
            del self._places.customers[customer_id]
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
                self._forget_tokens(member)
                if member.pointer:
                    self._forgotten_pointers[member.own_id] = None
            places.forget(journey)
            forgotten += 1
        return forgotten

    def _forget_tokens(self, member: HotInteraction) -> None:
        self._load_tokens(member.noted)
        for token in member.noted:
            evidence = self._tokens[token]
            last = [item for item in (evidence.pop(member.interaction_id, None), evidence.get(_GONE)) if item]
            if last:
                evidence[_GONE] = min(last)
            self._unsaved_tokens[token] = None

    def forget_identity(self, before: Millis) -> int:
        """Drop identity events older than `before` of customers of whom no journey is left; how many went."""
        old = [event for event in self._identity.values() if event.timestamp < before]
        forgotten = 0
        for event in sorted(old, key=order_key):
            assert event.from_customer is not None
            root = identity.resolve(event.from_customer, self._aliases)
            customer = self._places.customer(root)
            if not customer.journeys and not customer.cold:
                del self._identity[event.event_id]
                self._unsaved_identity.pop(event.event_id, None)
                self._forgotten_identity[event.event_id] = None
                forgotten += 1
        if forgotten:
            self._aliases = identity.aliases_of(self._identity.values())
        return forgotten

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
