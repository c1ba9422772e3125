"""Whose interactions are by their keys, brought up to date interaction by interaction (docs/stitching.md, section 2).

The rules are gone through twice, as in `definition`, but only for the interactions that a batch touches, and from there for the
interactions that carry a key which came to lead elsewhere. What a key leads to depends on names that stronger rules gave, so one
way through all rules, forwards, settles everything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

import msgspec

from journeymap.model.change import Carrier, Changes, KeyRecord
from journeymap.model.key import kind_of
from journeymap.stitch import identity
from journeymap.stitch.aliases import Aliases
from journeymap.stitch.bindings import Bindings
from journeymap.stitch.hot import HotInteraction, Shelf
from journeymap.stitch.placing import Places
from journeymap.stitch.rules import IdentityRules

FIRST: Final = True
"""The first time through the rules: anonymous customers are left aside. The second time is `not FIRST`."""


class HotKey(msgspec.Struct, gc=False):
    """A key in memory, as in `KeyRecord`."""

    leads_to: str | None
    first: bool
    carriers: dict[str, Carrier]
    gone: tuple[Carrier, ...] = ()
    busy: int = 0

    def leading(self, first: bool) -> str | None:
        """The customer that it gives to interactions at this time through the rules."""
        return self.leads_to if self.first == first else None


def left_behind(record: KeyRecord, rules: IdentityRules) -> KeyRecord | None:
    """What a key knows from interactions that were evicted, which no event says any more; None if there is nothing."""
    if not record.gone or not rules.keeps(record.key):
        return None
    return KeyRecord(record.key, None, False, {}, record.gone)


class _Way(msgspec.Struct):
    """One way through all rules, twice: the interactions `found` so far that it changes, what each is named by now, and where
    the keys that were told something led before."""

    found: dict[str, HotInteraction] = {}
    names: dict[str, str | None] = {}
    before: dict[str, tuple[str | None, bool]] = {}


class Keys:
    """All keys that are in memory, and what follows from them."""

    def __init__(
        self, shelf: Shelf, rules: IdentityRules, places: Places, bindings: Bindings, aliases: Aliases
    ) -> None:
        self._shelf = shelf
        self._rules = rules
        self._places = places
        self._bindings = bindings
        self._aliases = aliases
        self._keys: dict[str, HotKey] = {}
        self._unsaved: dict[str, None] = {}

    @property
    def unsaved(self) -> int:
        """How many keys changed since they were last handed out to be stored."""
        return len(self._unsaved)

    def carried(self, name: str) -> bool:
        """Whether a name is that of a key that an interaction carries."""
        self._load([name])
        return bool(self._keys[name].carriers or self._keys[name].busy)

    def carriers(self, keys: Collection[str]) -> dict[str, HotInteraction]:
        """All interactions that carry these keys, brought into memory. None of a key that has too many."""
        self._load(keys)
        names = {name for key in keys for name in self._keys[key].carriers}
        self._places.fetch(names)
        held = self._places.interactions
        return {name: held[name] for name in names if name in held}

    def _load(self, keys: Iterable[str]) -> None:
        wanted = [key for key in dict.fromkeys(keys) if key not in self._keys]
        if not wanted:
            return
        found = self._shelf.keys(wanted)
        for key in wanted:
            known = found.get(key)
            self._keys[key] = (
                HotKey(None, False, {})
                if known is None
                else HotKey(known.leads_to, known.first, dict(known.carriers), known.gone, known.busy)
            )

    # Whose interactions are

    def identify(self, asked: Mapping[str, HotInteraction]) -> Mapping[str, HotInteraction]:
        """Give all of these interactions their customer; the answer holds them and all others that this may give another one.

        The tokens of those that name no customer themselves must be loaded.
        """
        named_by = self._bindings.named
        for item in asked.values():
            if item.carried is not None or item.noted_keys:
                return self._go(asked)
            item.customer = named_by(item) or identity.anonymous(item.interaction_id, tuple(item.tokens))
        return asked

    def _go(self, asked: Mapping[str, HotInteraction]) -> Mapping[str, HotInteraction]:
        """The way through the rules with these interactions and all that follow from them."""
        way = _Way()
        self._add(way, asked)
        for first in (FIRST, not FIRST):
            for kind in self._rules.kinds:
                affected: dict[str, HotInteraction] = {}
                for key in self._hear(way, kind, first):
                    affected.update(self._settle(key, way.before[key], first))
                self._add(way, {name: item for name, item in affected.items() if name not in way.found}, (first, kind))
                self._lead(way.found, way.names, kind, first)
        for name, item in way.found.items():
            named = way.names[name]
            item.customer = named or self._aliases.resolve(identity.anonymous(name, tuple(item.tokens)))
            item.noted_keys = tuple(item.mentioned)
        return way.found

    def _add(self, way: _Way, items: Mapping[str, HotInteraction], until: tuple[bool, str] | None = None) -> None:
        """Take interactions in, each with the name that it has when it comes to this rule."""
        self._load(key for item in items.values() for key in (*item.mentioned, *item.noted_keys))
        self._bindings.load_for(items.values())
        names: dict[str, str | None] = {}
        for name, item in items.items():
            named = self._bindings.named(item)
            names[name] = None if named is None else self._aliases.resolve(named)
        rules = [(first, kind) for first in (FIRST, not FIRST) for kind in self._rules.kinds]
        for first, kind in rules[: rules.index(until)] if until else ():
            self._lead(items, names, kind, first)
        way.found.update(items)
        way.names.update(names)

    def _lead(self, items: Mapping[str, HotInteraction], names: dict[str, str | None], kind: str, first: bool) -> None:
        """Name those that have no name by the first key of this kind that leads somewhere."""
        for name, item in items.items():
            if names[name] is None and item.keys:
                led = (self._keys[key].leading(first) for key in item.keys if kind_of(key) == kind)
                names[name] = next((customer for customer in led if customer is not None), None)

    def _hear(self, way: _Way, kind: str, first: bool) -> Iterable[str]:
        """Tell the keys of this kind what their carriers are named now; all that were told anything."""
        heard: dict[str, None] = {}
        for name, item in way.found.items():
            for key in dict.fromkeys((*item.mentioned, *item.noted_keys)):
                if kind_of(key) != kind:
                    continue
                heard[key] = None
                known = self._keys[key]
                way.before.setdefault(key, (known.leads_to, known.first))
                if not known.busy:
                    self._tell(key, item, way.names[name], first)
                elif first and (more := (key in item.mentioned) - (key in item.noted_keys)):
                    known.busy += more
                    self._unsaved[key] = None
        return heard

    def _tell(self, key: str, item: HotInteraction, customer: str | None, first: bool) -> None:
        known, name = self._keys[key], item.interaction_id
        old = known.carriers.get(name)
        at = item.keys.get(key)
        if key not in item.mentioned:
            new = None
        elif at is None:
            new = Carrier(item.mentioned[key], None, False)  # somebody else's, which counts only as one more
        elif first and customer is None and old is not None and not old.first and old.at == at:
            new = old  # what it is named the second time comes then
        elif not first and old is not None and old.first:
            new = old
        else:
            new = Carrier(at, customer, first and customer is not None)
        if new == old:
            return
        if new is None:
            del known.carriers[name]
        else:
            known.carriers[name] = new
        self._unsaved[key] = None

    def _settle(self, key: str, before: tuple[str | None, bool], first: bool) -> dict[str, HotInteraction]:
        """See where a key leads now; its carriers, if that is elsewhere than before."""
        known = self._keys[key]
        carriers = known.carriers
        if len(carriers) > self._rules.busy:
            found = self.carriers([key])
            known.leads_to, known.first = None, FIRST
            known.carriers, known.gone, known.busy = {}, (), len(carriers)
            return found
        if known.busy:
            return {}
        if first:
            customer = self._customer(key, [each for each in (*carriers.values(), *known.gone) if each.first])
            known.leads_to, known.first = customer or None, customer is not None
        elif not known.first:
            customer = self._customer(key, [*carriers.values(), *known.gone])
            known.leads_to = self._aliases.resolve(key) if customer is None else customer or None
        if (known.leads_to, known.first) != before:
            self._unsaved[key] = None
        led = before[0] if before[1] == first else None
        return self.carriers([key]) if known.leading(first) != led else {}

    def _customer(self, key: str, told: Iterable[Carrier]) -> str | None:
        resolve = self._aliases.resolve
        evidence = [(each.at, resolve(each.customer)) for each in told if each.customer is not None]
        return identity.leads_to(evidence, self._rules.key_limit, self._aliases.said(key))

    # Letting go

    def forget(self, interaction: HotInteraction) -> None:
        """An interaction is evicted. What it told of its keys stays while others carry them."""
        self._load(interaction.noted_keys)
        for key in interaction.noted_keys:
            known = self._keys[key]
            self._unsaved[key] = None
            if known.busy:
                known.busy -= 1
                continue
            last = known.carriers.pop(interaction.interaction_id, None)
            if last is not None and last.customer is not None:
                told, apart = (*known.gone, last), self._aliases.said(key).apart
                aside = {
                    each.customer for each in told if each.customer and self._aliases.resolve(each.customer) in apart
                }
                known.gone = _merged(told, self._rules.key_limit, aside)

    def take_changes(self, changes: Changes) -> None:
        """Add what changed to the changes of a checkpoint."""
        for key in self._unsaved:
            known = self._keys[key]
            if known.carriers or known.busy:
                record = KeyRecord(key, known.leads_to, known.first, dict(known.carriers), known.gone, known.busy)
                changes.keys.append(record)
            else:
                known.gone = ()
                changes.delete_keys.append(key)
        self._unsaved = {}

    def release(self) -> None:
        """Let all keys that are stored leave memory."""
        self._keys = {key: self._keys[key] for key in self._unsaved}


def _merged(told: Iterable[Carrier], limit: int, aside: Collection[str]) -> tuple[Carrier, ...]:
    """The earliest carrier of each customer. More customers than the limit are as good as one more than it, beside those who do
    not count."""
    earliest: dict[tuple[bool, str | None], Carrier] = {}
    for each in sorted(told, key=lambda one: one.at):
        earliest.setdefault((each.first, each.customer), each)
    kept = [each for each in earliest.values() if each.customer in aside]
    counting = [each for each in earliest.values() if each.customer not in aside]
    by_time = [[each for each in counting if each.first == first] for first in (FIRST, not FIRST)]
    return (*kept, *(each for some in by_time for each in some[: limit + 1]))
