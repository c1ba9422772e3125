"""Which customers are the same: the identity events and what they add up to (docs/stitching.md, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from journeymap.model.change import Changes
from journeymap.model.event import Event, better_copy, order_key, same_copy
from journeymap.model.time import Millis
from journeymap.stitch import identity
from journeymap.stitch.hot import COPY, REPLACED, WORSE, Taken


class Aliases:
    """All identity events, and the aliases in force after them."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._events = {event.event_id: event for event in events}
        self._unsaved: dict[str, None] = {}
        self._forgotten: dict[str, None] = {}
        self._in_force = identity.aliases_of(self._events.values())
        self._before = self._in_force
        self._said = identity.said_of(self._events.values(), self._in_force)
        self._said_before = self._said
        self._wrong = identity.wrong_contacts(self._events.values())
        self._wrong_before = self._wrong

    @property
    def unsaved(self) -> int:
        """How many events changed since they were last handed out to be stored."""
        return len(self._unsaved) + len(self._forgotten)

    def resolve(self, customer_id: str) -> str:
        """The customer that an id stands for."""
        return identity.resolve(customer_id, self._in_force)

    def said(self, key: str) -> identity.Said:
        """What an operator said of a key."""
        return self._said.get(key, identity.UNSAID)

    def wrong_contacts(self, interaction_id: str) -> Collection[str]:
        """From whom an operator split an interaction."""
        return self._wrong.get(interaction_id, ())

    def take(self, event: Event) -> Taken:
        """Take an identity event in. It comes into force with `changed`."""
        known = self._events.get(event.event_id)
        if known is not None:
            if same_copy(known, event):
                return COPY
            if better_copy(known, event) is known:
                return WORSE
        self._events[event.event_id] = event
        self._unsaved[event.event_id] = None
        self._forgotten.pop(event.event_id, None)
        self._read()
        return Taken(new=True) if known is None else REPLACED

    def changed(self) -> set[str]:
        """The customers, as they were resolved before, who are now another one in whole or in part."""
        before, self._before = self._before, self._in_force
        if before is self._in_force:
            return set()
        return {
            identity.resolve(name, before)
            for name in before.keys() | self._in_force.keys()
            if identity.resolve(name, before) != identity.resolve(name, self._in_force)
        }

    def said_otherwise(self) -> list[str]:
        """The keys of which something else is said now than before."""
        before, self._said_before = self._said_before, self._said
        if before is self._said:
            return []
        unsaid = identity.UNSAID
        return [key for key in before.keys() | self._said.keys() if before.get(key, unsaid) != self.said(key)]

    def called_wrong_otherwise(self) -> list[str]:
        """The interactions that are split from other contacts now than before."""
        before, self._wrong_before = self._wrong_before, self._wrong
        if before is self._wrong:
            return []
        return [name for name in before.keys() | self._wrong.keys() if before.get(name) != self._wrong.get(name)]

    def forget(self, before: Millis, unused: Callable[[str], bool]) -> int:
        """Drop events older than `before` of what is `unused`, itself and as who it stands for; how many went."""
        old = sorted((event for event in self._events.values() if event.timestamp < before), key=order_key)
        gone = [event for event in old if (one := event.from_customer) and unused(one) and unused(self.resolve(one))]
        for event in gone:
            del self._events[event.event_id]
            self._unsaved.pop(event.event_id, None)
            self._forgotten[event.event_id] = None
        if gone:
            self._read()
            self._before, self._said_before, self._wrong_before = self._in_force, self._said, self._wrong
        return len(gone)

    def _read(self) -> None:
        self._in_force = identity.aliases_of(self._events.values())
        self._said = identity.said_of(self._events.values(), self._in_force)
        self._wrong = identity.wrong_contacts(self._events.values())

    def take_changes(self, changes: Changes) -> None:
        """Add what changed to the changes of a checkpoint."""
        changes.delete_identity = list(self._forgotten)
        changes.identity = {name: self._events[name].raw for name in self._unsaved}
        self._unsaved, self._forgotten = {}, {}
