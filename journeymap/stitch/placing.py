"""Which journey an interaction is in: customers' journeys in memory, joined, split and fetched as their spans demand."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from journeymap.model.change import Span
from journeymap.model.event import Event, order_key
from journeymap.model.journey import journey_id_of
from journeymap.model.time import Millis
from journeymap.stitch import windows
from journeymap.stitch.hot import (
    HotCustomer,
    HotInteraction,
    HotJourney,
    Shelf,
    Shelved,
    new_interaction,
    read_again,
)
from journeymap.stitch.options import StitchOptions


class Places:
    """All interactions, journeys and customers in memory, consistent with each other and with the shelf.

    `touched` collects the ids of journeys whose row has to be made again, `unsaved` of those whose record has to be
    written. `moved` are interactions that came into another journey, `admitted` journeys that came from the shelf. `gone`
    are journeys that no longer stand, each with the interaction that gave it its id; `dropped` are the chunks and `deleted`
    the records to delete from the store.
    """

    def __init__(self, shelf: Shelf, options: StitchOptions) -> None:
        self._shelf = shelf
        self._window = options.engagement_window
        self._rules = options.identity
        self.interactions: dict[str, HotInteraction] = {}
        self.journeys: dict[str, HotJourney] = {}
        self.customers: dict[str, HotCustomer] = {}
        self.touched: dict[str, None] = {}
        self.unsaved: dict[str, None] = {}
        self.moved: dict[str, HotInteraction] = {}
        self.admitted: list[str] = []
        self._fetched: list[str] = []
        self.gone: dict[str, str] = {}
        self.deleted: dict[str, None] = {}
        self.dropped: dict[str, None] = {}

    # Bringing in what is not in memory

    def fetch(self, interaction_ids: Collection[str]) -> None:
        """Bring the journeys of these interactions into memory, where the shelf has them."""
        wanted = {journey_id_of(item): item for item in interaction_ids if item not in self.interactions}
        if wanted:
            self.admit_journeys(wanted.keys())

    def fetch_customers(self, customer_ids: Collection[str]) -> None:
        """Learn where all journeys of these customers lie."""
        wanted = [item for item in customer_ids if item not in self.customers]
        if not wanted:
            return
        spans = self._shelf.spans(wanted)
        for customer_id in wanted:
            cold = {
                span.journey_id: span
                for span in spans.get(customer_id, ())
                if span.journey_id not in self.journeys and span.journey_id not in self.deleted
            }
            self.customers[customer_id] = HotCustomer({}, cold)
        self._fetched += wanted

    def customer(self, customer_id: str) -> HotCustomer:
        """A customer, with all journeys known at least by their spans."""
        if customer_id not in self.customers:
            self.fetch_customers([customer_id])
        return self.customers[customer_id]

    def warm(self, customer_id: str, journey_ids: Collection[str]) -> None:
        """Bring these cold journeys of a customer into memory."""
        customer = self.customer(customer_id)
        found = self._shelf.journeys(journey_ids)
        for journey_id in journey_ids:
            if journey_id in found:
                self._admit(found[journey_id])
            customer.cold.pop(journey_id, None)

    def admit_journeys(self, journey_ids: Collection[str]) -> None:
        """Bring these journeys into memory, where the shelf has them."""
        for shelved in self._shelf.journeys(journey_ids).values():
            self._admit(shelved)

    def _admit(self, shelved: Shelved) -> None:
        record = shelved.record
        if record.journey_id in self.journeys or record.journey_id in self.deleted:
            return
        own: dict[str, list[Event]] = {}
        for event in shelved.events:
            own.setdefault(event.interaction_id, []).append(event)
        journey = HotJourney(
            record.journey_id,
            record.customer_id,
            {},
            record.first_event_at,
            record.last_event_at,
            len(shelved.events),
            list(record.tail),
            record.chunks,
            chunk_serial=_next_serial(record.chunks),
            stored=True,
            arrived_at=record.row.arrived_at,
            row=record.row,
        )
        for interaction_id, events in own.items():
            member = new_interaction(interaction_id)
            member.events = sorted(events, key=order_key)
            member.ids = {event.event_id: event for event in events}
            read_again(member, self._rules)
            member.noted = dict(member.tokens)
            member.noted_keys = tuple(member.mentioned)
            member.journey_id = record.journey_id
            member.pointer = "" if member.own_id == record.journey_id else record.journey_id
            self.interactions[interaction_id] = journey.members[interaction_id] = member
        self.journeys[record.journey_id] = journey
        self.admitted.append(record.journey_id)
        if record.row.event_count != journey.event_count:  # the process ended while the row of this journey waited
            self.touched[record.journey_id] = None
        customer = self.customer(record.customer_id)
        customer.cold.pop(record.journey_id, None)
        customer.journeys[record.journey_id] = None

    # Putting interactions into journeys

    def join(self, interaction: HotInteraction, customer_id: str) -> bool:
        """Put a new interaction where it simply lengthens one journey or begins one of its own.

        False, with nothing done, if that would join journeys or change a journey's id: then `rebuild` is needed.
        """
        customer = self.customers.get(customer_id) or self.customer(customer_id)
        start, end = interaction.start, interaction.end
        near: list[Span] = []
        if customer.journeys or customer.cold:
            near = [
                span
                for span in (*self._spans(customer), *customer.cold.values())
                if start <= span.end + self._window and span.start <= end + self._window
            ]
        if not near:
            journey = HotJourney(interaction.own_id, customer_id, {}, start, end, 0, [], rematch=False)
            self._add(customer, journey)
        elif len(near) == 1 and near[0].journey_id in self.journeys and start > near[0].start:
            journey = self.journeys[near[0].journey_id]
        else:
            return False
        journey.members[interaction.interaction_id] = interaction
        journey.changed(interaction, tail=True)
        journey.end = max(journey.end, end)
        journey.event_count += len(interaction.events)
        journey.tail += [event.raw for event in interaction.events]
        journey.arrived_at = max(journey.arrived_at, interaction.events[-1].arrived_at)
        journey.rematch |= bool(journey.transfer_count or interaction.stale or interaction.fold.handings)
        self._settle(interaction, journey.journey_id)
        return True

    def reaches_next(self, journey: HotJourney) -> bool:
        """Whether a journey that grew now reaches another one of its customer."""
        customer = self.customers[journey.customer_id]
        if len(customer.journeys) + len(customer.cold) == 1:
            return False
        return any(
            span.journey_id != journey.journey_id
            and journey.start <= span.end + self._window
            and span.start <= journey.end + self._window
            for span in (*self._spans(customer), *customer.cold.values())
        )

    def rebuild(self, arrivals: dict[str, list[HotInteraction]]) -> None:
        """Make the journeys of these customers anew out of their members and of interactions that come to them."""
        pools = {customer_id: self._pool(customer_id, coming) for customer_id, coming in arrivals.items()}
        before: dict[str, HotJourney] = {}
        for customer_id in pools:
            for journey_id in self.customers[customer_id].journeys:
                before[journey_id] = self.journeys.pop(journey_id)
            self.customers[customer_id].journeys.clear()
        arrived = {
            member.interaction_id: journey.arrived_at
            for journey in before.values()
            for member in journey.members.values()
        }
        for customer_id, (members, sessions) in pools.items():
            for session in sessions:
                self._make(customer_id, [members[name] for _, name, _ in session], before, arrived)
            if not self.customers[customer_id].journeys:
                self._drop_customer(customer_id)
        for journey_id, journey in before.items():
            if journey_id not in self.journeys:
                self._remove(journey)

    def _pool(
        self, customer_id: str, coming: list[HotInteraction]
    ) -> tuple[dict[str, HotInteraction], list[list[windows.SpanOf]]]:
        """All interactions of a customer whose journeys may change, and how they join; cold journeys in reach are fetched."""
        customer = self.customer(customer_id)
        while True:
            members = {item.interaction_id: item for item in coming}
            for journey_id in customer.journeys:
                members.update(
                    (name, member)
                    for name, member in self.journeys[journey_id].members.items()
                    if member.journey_id == journey_id
                )
            cold: dict[str, Span] = {}
            for span in customer.cold.values():
                name = span.journey_id
                while name in members:  # an interaction may be called like a journey
                    name = "-" + name
                cold[name] = span
            joined = windows.sessions(
                [
                    *((member.start, name, member.end) for name, member in members.items()),
                    *((span.start, name, span.end) for name, span in cold.items()),
                ],
                self._window,
            )
            reached = [
                cold[name].journey_id
                for session in joined
                if len(session) > 1
                for _, name, _ in session
                if name in cold
            ]
            if not reached:
                return members, [session for session in joined if session[0][1] in members]
            self.warm(customer_id, reached)

    def _make(
        self, customer_id: str, members: list[HotInteraction], before: dict[str, HotJourney], arrived: dict[str, Millis]
    ) -> None:
        journey_id = members[0].own_id
        names = {member.interaction_id for member in members}
        journey = before.get(journey_id)
        start, end = members[0].start, max(member.end for member in members)
        same = journey is not None and journey.customer_id == customer_id and journey.members.keys() == names
        if journey is None or not same:
            stored = journey is not None and journey.stored
            if journey is not None:
                self._drop_chunks(journey)
            raws = [event.raw for member in members for event in member.events]
            journey = HotJourney(journey_id, customer_id, {}, start, end, len(raws), raws, stored=stored)
            journey.members = {member.interaction_id: member for member in members}
            journey.arrived_at = max(
                max(arrived.get(member.interaction_id, 0), member.events[-1].arrived_at) for member in members
            )
        journey.start, journey.end = start, end
        journey.rematch = True
        journey.ahead = None
        for member in members:
            member.row = None
            self._settle(member, journey_id)
        self._add(self.customers[customer_id], journey)

    def rewrite(self, journey: HotJourney) -> None:
        """Have all events of a journey written again, after one of them was replaced by a better copy."""
        self._drop_chunks(journey)
        journey.tail = [event.raw for member in journey.members.values() for event in member.events]

    def _settle(self, interaction: HotInteraction, journey_id: str) -> None:
        if interaction.journey_id != journey_id:
            interaction.journey_id = journey_id
            self.moved[interaction.interaction_id] = interaction
        self.interactions[interaction.interaction_id] = interaction
        self.touched[journey_id] = self.unsaved[journey_id] = None

    def _add(self, customer: HotCustomer, journey: HotJourney) -> None:
        customer.journeys[journey.journey_id] = None
        self.journeys[journey.journey_id] = journey
        self.gone.pop(journey.journey_id, None)
        if self.deleted.pop(journey.journey_id, self) is None:
            journey.stored = True

    def _remove(self, journey: HotJourney) -> None:
        named_by = next(name for name, item in journey.members.items() if item.own_id == journey.journey_id)
        self.gone[journey.journey_id] = named_by
        self._drop_chunks(journey)
        self.touched.pop(journey.journey_id, None)
        self.unsaved.pop(journey.journey_id, None)
        if journey.stored:
            self.deleted[journey.journey_id] = None

    def _drop_chunks(self, journey: HotJourney) -> None:
        self.dropped.update(dict.fromkeys(journey.chunks))
        journey.chunks = ()

    def _spans(self, customer: HotCustomer) -> Iterable[Span]:
        for journey_id in customer.journeys:
            journey = self.journeys[journey_id]
            yield Span(journey_id, journey.start, journey.end)

    def _drop_customer(self, customer_id: str) -> None:
        if not self.customers[customer_id].journeys:
            del self.customers[customer_id]

    # Letting go

    def release(self, journey: HotJourney) -> None:
        """Let a journey whose record is written leave memory."""
        for interaction_id in journey.members:
            del self.interactions[interaction_id]
        del self.journeys[journey.journey_id]
        customer = self.customers[journey.customer_id]
        del customer.journeys[journey.journey_id]
        customer.cold[journey.journey_id] = Span(journey.journey_id, journey.start, journey.end)
        self._drop_customer(journey.customer_id)

    def release_customers(self) -> None:
        """Let customers leave memory that were looked up and turned out to have no journey there."""
        for customer_id in self._fetched:
            if customer_id in self.customers:
                self._drop_customer(customer_id)
        self._fetched.clear()

    def forget(self, journey: HotJourney) -> None:
        """Remove a journey for good."""
        for interaction_id in journey.members:
            del self.interactions[interaction_id]
        del self.journeys[journey.journey_id]
        del self.customers[journey.customer_id].journeys[journey.journey_id]
        self._drop_customer(journey.customer_id)
        for member in journey.members.values():
            member.journey_id = ""
        self._remove(journey)


def _next_serial(chunks: Iterable[str]) -> int:
    return max((int(name.rpartition(":")[2]) + 1 for name in chunks), default=0)
