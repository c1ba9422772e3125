"""What the stitcher holds in memory while a journey is open: interactions, journeys, customers, and the shelf they come from.

These values change in place, unlike those of `model`. They hold no reference to their owner (they name it by id), so that
there are no cycles and the garbage collector need not look at them (`gc=False`).
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Iterable, Mapping, Sequence
from heapq import nlargest
from typing import Final, Protocol

import msgspec

from journeymap.model.change import JourneyRecord, KeyRecord, Span, TokenRecord
from journeymap.model.event import Event, OrderKey, better_copy, contradicts, order_key, same_copy
from journeymap.model.journey import State, journey_id_of
from journeymap.model.row import ROW_INTERACTIONS, InteractionRow, JourneyRow
from journeymap.model.time import Millis
from journeymap.stitch import handover, identity, machine
from journeymap.stitch.options import Timeouts
from journeymap.stitch.rules import IdentityRules


class Shelved(msgspec.Struct, frozen=True):
    """A journey as it lies in the store, with all its events decoded, in any order."""

    record: JourneyRecord
    events: Sequence[Event]


class Shelf(Protocol):
    """Where journeys lie that are not in memory, as of the last checkpoint. Each method asks for many at once and
    leaves out of its answer what is not there."""

    def journeys(self, journey_ids: Collection[str]) -> Mapping[str, Shelved]:
        """Journeys by their ids or by ids that lead to them; the answer is keyed by the ids asked for."""

    def spans(self, customer_ids: Collection[str]) -> Mapping[str, Sequence[Span]]:
        """Where in time the journeys of these customers lie."""

    def tokens(self, session_tokens: Collection[str]) -> Mapping[str, TokenRecord]:
        """What is known of these session tokens."""

    def keys(self, keys: Collection[str]) -> Mapping[str, KeyRecord]:
        """What is known of these keys."""


class EmptyShelf:
    """A shelf with nothing on it: all journeys stay in memory, as for the offline `stitch`."""

    def journeys(self, journey_ids: Collection[str]) -> Mapping[str, Shelved]:
        return {}

    def spans(self, customer_ids: Collection[str]) -> Mapping[str, Sequence[Span]]:
        return {}

    def tokens(self, session_tokens: Collection[str]) -> Mapping[str, TokenRecord]:
        return {}

    def keys(self, keys: Collection[str]) -> Mapping[str, KeyRecord]:
        return {}


_NO_KEYS: Final[Mapping[str, OrderKey]] = {}


class HotInteraction(msgspec.Struct, gc=False):
    """An interaction in memory.

    `own_id` is the journey id that it gives. `customer` is its identity before aliases, "" until it is known.
    `journey_id` is the journey that it is in, "" while it has none. `pointer` is where the stored pointer of `own_id`
    leads, "" for none. With `stale` the fold has to be made again from `events`. `row` is its part of the journey's row,
    None when that has to be made again. `tokens` and `carried` keys are on its events, the `noted` ones those that the
    records of tokens and keys know of.
    """

    interaction_id: str
    own_id: str
    ids: dict[str, Event]
    events: list[Event]
    fold: machine.Fold
    tokens: dict[str, identity.Evidence | None]
    noted: dict[str, identity.Evidence | None]
    own_customer: str | None = None
    customer: str = ""
    journey_id: str = ""
    pointer: str = ""
    stale: bool = False
    row: InteractionRow | None = None
    carried: identity.Carried | None = None
    noted_keys: tuple[str, ...] = ()

    @property
    def keys(self) -> Mapping[str, OrderKey]:
        """The customer's keys, in the order of its events."""
        return _NO_KEYS if self.carried is None else self.carried.keys

    @property
    def mentioned(self) -> Mapping[str, OrderKey]:
        """All keys on it."""
        return _NO_KEYS if self.carried is None else self.carried.mentioned

    @property
    def start(self) -> Millis:
        """Time of the first event."""
        return self.events[0].timestamp

    @property
    def end(self) -> Millis:
        """Time of the last event."""
        return self.events[-1].timestamp

    def folded(self) -> machine.Fold:
        """The fold, made again if it was stale."""
        if self.stale:
            self.fold = machine.fold(self.events)
            self.stale = False
        return self.fold

    def closed_from(self, timeouts: Timeouts) -> Millis:
        """The moment from which it reads CLOSED if nothing more happens."""
        folded = self.folded()
        return self.end + (0 if folded.state == "CLOSED" else timeouts.close(folded.shown_channel))


class Prominent(msgspec.Struct, gc=False):
    """The interactions of a large journey that its row and its end depend on, kept up from event to event, so that an event
    costs the same however many there are.

    `open` are those not CLOSED, `recent` the closed ones that come next: all whose place is above `floor`. `changed` are
    those that an event went to the end of since the last look.
    """

    open: dict[str, HotInteraction]
    recent: list[HotInteraction]
    floor: tuple[Millis, str]
    started_at: Millis
    changed: dict[str, HotInteraction]

    def take_in(self) -> None:
        """Look at what changed."""
        for name, member in self.changed.items():
            self.recent = [item for item in self.recent if item is not member]
            if member.folded().state != State.CLOSED:
                self.open[name] = member
            else:
                self.open.pop(name, None)
                if _place(member) > self.floor:
                    self.recent.append(member)
            self.started_at = min(self.started_at, member.folded().started_at or self.started_at)
        self.changed = {}
        if len(self.recent) > 2 * ROW_INTERACTIONS:
            self.recent.sort(key=_place, reverse=True)
            self.floor = _place(self.recent[ROW_INTERACTIONS])
            del self.recent[ROW_INTERACTIONS:]

    def first(self, count: int) -> list[HotInteraction]:
        """The `count` that come first in a row."""
        found = nlargest(count, self.open.values(), key=_place)
        return found + nlargest(count - len(found), self.recent, key=_place)


def prominent(members: Mapping[str, HotInteraction]) -> Prominent:
    """The prominent ones of all members of a journey."""
    begun = [member.folded().started_at for member in members.values()]
    found = Prominent({}, [], (0, ""), min(at for at in begun if at is not None), dict(members))
    found.take_in()
    return found


def _place(member: HotInteraction) -> tuple[Millis, str]:
    return (member.end, member.interaction_id)


class HotJourney(msgspec.Struct, gc=False):
    """A journey in memory: `members` by interaction id, its span, and how it is stored.

    `chunks` and `tail` are as in `JourneyRecord`; `chunk_serial` numbers the next chunk. `stored` says that the store has
    a record of it. `handovers` are its transfers with targets, `began` the same by source interaction; with `rematch`
    they have to be found again. `row` is its row as last handed out; `row_due` is when that of an oversized journey may
    next be made. `ahead` is there once the journey is large.
    """

    journey_id: str
    customer_id: str
    members: dict[str, HotInteraction]
    start: Millis
    end: Millis
    event_count: int
    tail: list[bytes]
    chunks: tuple[str, ...] = ()
    chunk_serial: int = 0
    stored: bool = False
    transfer_count: int = 0
    rematch: bool = True
    handovers: Sequence[handover.Handover] = ()
    began: dict[str, dict[OrderKey, Millis]] = {}
    arrived_at: Millis = 0
    row: JourneyRow | None = None
    row_due: Millis = 0
    ahead: Prominent | None = None

    def closed_from(self, timeouts: Timeouts) -> Millis:
        """The moment from which it reads CLOSED if nothing more happens."""
        members: Iterable[HotInteraction] = self.members.values()
        if len(self.members) > ROW_INTERACTIONS:
            members = self.prominent().open.values()
        return max([self.end, *(member.closed_from(timeouts) for member in members)])

    def prominent(self) -> Prominent:
        """The prominent interactions, as they stand."""
        if self.ahead is not None:
            self.ahead.take_in()
            fewer = len(self.ahead.open) + len(self.ahead.recent) < len(self.members)
            if fewer and len(self.ahead.recent) < ROW_INTERACTIONS:
                self.ahead = None
        if self.ahead is None:
            self.ahead = prominent(self.members)
        return self.ahead

    def changed(self, interaction: HotInteraction, *, tail: bool) -> None:
        """An event went into a member, or a member joined: at its end (`tail`), or anywhere."""
        if self.ahead is not None:
            self.ahead.changed[interaction.interaction_id] = interaction
            if not tail:
                self.ahead = None


class HotCustomer(msgspec.Struct, gc=False):
    """A customer with at least one journey in memory: ids of those, and the spans of the others."""

    journeys: dict[str, None]
    cold: dict[str, Span]


class Taken(msgspec.Struct, frozen=True, gc=False):
    """What taking an event in did: it was `new`, or a copy that differs (`conflicting`), which may have `replaced` the other.

    `tail` says that it went to the end of its interaction, `telling` that it told something of whose that is.
    """

    new: bool = False
    conflicting: bool = False
    replaced: bool = False
    tail: bool = False
    telling: bool = False


COPY = Taken()
_TAIL = Taken(new=True, tail=True)
_TELLING = Taken(new=True, tail=True, telling=True)
_LATE = Taken(new=True, telling=True)
REPLACED = Taken(conflicting=True, replaced=True, telling=True)
WORSE = Taken(conflicting=True)
_BETTER = Taken(replaced=True, telling=True)


def new_interaction(interaction_id: str) -> HotInteraction:
    """An interaction without events."""
    return HotInteraction(interaction_id, journey_id_of(interaction_id), {}, [], machine.Fold(), {}, {})


def take(into: HotInteraction, event: Event, rules: IdentityRules) -> Taken:
    """Take an event into an interaction, whatever its place in the order of events."""
    known = into.ids.get(event.event_id)
    if known is not None:
        if same_copy(known, event):
            return COPY
        if better_copy(known, event) is known:
            return WORSE if contradicts(known, event) else COPY
        into.events.remove(known)
        into.ids[event.event_id] = event
        insort(into.events, event, key=order_key)
        read_again(into, rules)
        return REPLACED if contradicts(known, event) else _BETTER
    into.ids[event.event_id] = event
    events = into.events
    if events and event.timestamp <= events[-1].timestamp and order_key(event) < order_key(events[-1]):
        insort(events, event, key=order_key)
        read_again(into, rules)
        return _LATE
    events.append(event)
    into.row = None
    if not into.stale:
        machine.step(into.fold, event)
    telling = False
    if into.own_customer is None and event.customer_id is not None and (not event.standing or rules.names(event)):
        into.own_customer = event.customer_id
        telling = True
    if event.session_token is not None and identity.note_token(into.tokens, event):
        telling = True
    if event.party is not None and _note_keys(into, event, rules):
        telling = True
    return _TELLING if telling else _TAIL


def _note_keys(into: HotInteraction, event: Event, rules: IdentityRules) -> bool:
    if into.carried is None:
        into.carried = identity.Carried()
    return into.carried.take(event, rules)


def read_again(interaction: HotInteraction, rules: IdentityRules) -> None:
    """Read everything off the events again, after one was put in among them. The fold follows when it is asked for."""
    interaction.stale = True
    interaction.row = None
    interaction.own_customer = identity.own_customer(interaction.events, rules)
    interaction.tokens = identity.tokens_of(interaction.events)
    interaction.carried = None
    for event in interaction.events:
        if event.party is not None:
            _note_keys(interaction, event, rules)
