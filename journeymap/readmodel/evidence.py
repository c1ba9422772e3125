"""Why the interactions of a journey are one customer's: every id that was joined, by which event and by which rule
(docs/stitching.md, section 2)."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from journeymap.model.change import KeyRecord
from journeymap.model.event import MERGED, RANKS, SPLIT, Event, OrderKey, order_key
from journeymap.model.journey import Journey
from journeymap.model.key import kind_of
from journeymap.model.time import Millis
from journeymap.stitch.identity import (
    INTERACTION,
    UNSAID,
    Evidence,
    aliases_of,
    carried_by,
    own_customer,
    resolve,
    said_of,
    tokens_of,
    wrong_contacts,
)
from journeymap.stitch.rules import IdentityRules


class Rule(enum.StrEnum):
    """How an id came to be the customer's."""

    NAMED = "named"
    """It is the customer id on the earliest of an interaction's events that carry one."""
    BOUND = "bound"
    """A session token, bound to a customer id by the earliest event anywhere that carries both."""
    MERGED = "merged"
    """A `customer.merged` event made it an alias."""
    SPLIT = "split"
    """A `customer.split` event withdrew what made it an alias, or the contact that named an interaction."""
    OTHER = "other"
    """A further customer id in an interaction that another one had named before: shown, and otherwise without effect."""
    PHONE = "phone"
    """A telephone number that this customer's side used: it is one customer's, and so are interactions that only it tells of."""
    EMAIL = "email"
    """Likewise an e-mail address."""
    MESSAGING = "messaging"
    """Likewise what a messaging service calls a person."""
    VISITOR = "visitor"
    """Likewise whom the platform tracks on the web."""
    SHARED = "shared"
    """A key that too many customers use, or that is on too many interactions: it joins nothing."""
    ALONE = "alone"
    """A key that an operator split from itself: it joins nobody."""
    ELSEWHERE = "elsewhere"
    """A key on this journey that leads to another customer: it joins nothing here."""
    UNBOUND = "unbound"
    """A session token of which no event says whose it is."""
    ANONYMOUS = "anonymous"
    """Nothing tells whose it is: the interaction stands for itself."""


class Joined(msgspec.Struct, frozen=True):
    """An id with the rule and the event that joined it. `to` is the id it leads to, where it leads to another one.

    The event's fields are None where no event did it, `type` also where the event is of another journey and of a type
    without a rank. `interactions` are those of this journey that carry the id, `decides` those of them whose customer a key
    alone has told. A `contact` was linked to its one interaction by the platform, not by an event stream.
    `shared_by` is the customer of this journey where that is one of those who share the key.
    """

    id: str
    rule: Rule
    to: str | None = None
    event_id: str | None = None
    type: str | None = None
    at: Millis | None = None
    event_of: str | None = None
    interactions: Sequence[str] = ()
    decides: Sequence[str] = ()
    contact: bool = False
    shared_by: str | None = None

    @property
    def undone_by(self) -> tuple[str, str, str] | None:
        """The event that undoes it, as type, from and to; None where there is nothing to undo."""
        if self.rule is Rule.ALONE:
            return (MERGED, self.id, self.id)
        if self.contact and self.rule is Rule.NAMED and len(self.interactions) == 1:
            return (SPLIT, f"{INTERACTION}{self.interactions[0]}", self.id)
        if self.shared_by is not None:
            return (SPLIT, self.id, self.shared_by)
        if self.to is None:
            return None
        if self.rule in KEY_RULES or self.rule is Rule.MERGED:
            return (SPLIT, self.id, self.to)
        return (MERGED, self.id, self.to) if self.rule is Rule.SPLIT else None


KEY_RULES: Final = frozenset({Rule.PHONE, Rule.EMAIL, Rule.MESSAGING, Rule.VISITOR})
"""The rules of keys. Each is called as the kind of key is."""


def joined_ids(
    journey: Journey,
    tokens: Mapping[str, Iterable[Evidence | None]],
    identity_events: Iterable[Event],
    rules: IdentityRules,
    keys: Mapping[str, KeyRecord],
) -> list[Joined]:
    """The ids of a journey: first what named its interactions, then tokens, then keys, then merges and splits, each by time.

    `tokens` is the evidence of all interactions, of this journey and of others, for each session token that this one carries,
    `keys` what is known of each key.
    """
    by_interaction: dict[str, list[Event]] = {part.interaction_id: [] for part in journey.interactions}
    for event in journey.events:
        by_interaction.setdefault(event.interaction_id, []).append(event)
    known_events = list(identity_events)
    named = list(_named(by_interaction, rules, wrong_contacts(known_events)))
    known = {each.id for each in named} | {journey.customer_id} | {f"{INTERACTION}{name}" for name in by_interaction}
    bound = list(_tokens(by_interaction, tokens))
    known |= {each.to for each in bound if each.to is not None}
    told = {name for each in (*named, *bound) if each.rule in (Rule.NAMED, Rule.BOUND) for name in each.interactions}
    by_key = list(_by_keys(journey.customer_id, by_interaction, told, keys, rules, known_events))
    known |= {each.id for each in by_key} | {each.to for each in by_key if each.to is not None}
    told |= {name for each in bound for name in each.interactions} | {name for each in by_key for name in each.decides}
    lonely = [
        Joined(f"{INTERACTION}{name}", Rule.ANONYMOUS, interactions=(name,))
        for name in by_interaction
        if name not in told
    ]
    return [*named, *bound, *by_key, *lonely, *_aliases(journey.customer_id, known, known_events)]


def _named(
    by_interaction: Mapping[str, Sequence[Event]], rules: IdentityRules, wrong: Mapping[str, Collection[str]]
) -> Iterator[Joined]:
    """Each customer id of these interactions. Contacts that name one stand by themselves for each: each is a link of its own."""
    first: dict[tuple[str, Rule, str], Event] = {}
    places: dict[tuple[str, Rule, str], list[str]] = {}
    for interaction_id, events in by_interaction.items():
        passed_over = wrong.get(interaction_id, ())
        own = own_customer(events, rules, passed_over)
        linked = all(event.standing for event in events if event.customer_id == own and rules.names(event))
        for event in events:
            name = event.customer_id
            if name is None or not rules.names(event) or (event.standing and name in passed_over):
                continue
            rule = Rule.NAMED if name == own else Rule.OTHER
            key = (name, rule, interaction_id if linked and rule is Rule.NAMED else "")
            if key not in first or order_key(event) < order_key(first[key]):
                first[key] = event
            if interaction_id not in places.setdefault(key, []):
                places[key].append(interaction_id)
    for key, event in sorted(first.items(), key=lambda item: (item[0][1] != Rule.NAMED, order_key(item[1]))):
        found = _by(event, key[0], key[1], None, places[key])
        yield msgspec.structs.replace(found, contact=bool(key[2]))


def _tokens(
    by_interaction: Mapping[str, Sequence[Event]], tokens: Mapping[str, Iterable[Evidence | None]]
) -> Iterator[Joined]:
    carriers: dict[str, list[str]] = {}
    seen: dict[str, Event] = {}
    here: dict[OrderKey, Event] = {}
    evidence: dict[str, list[Evidence]] = {}
    for interaction_id, events in by_interaction.items():
        for token, own in tokens_of(events).items():
            carriers.setdefault(token, []).append(interaction_id)
            evidence.setdefault(token, []).extend([own] if own else [])
        for event in events:
            if event.session_token is not None:
                here[order_key(event)] = event
                known = seen.setdefault(event.session_token, event)
                seen[event.session_token] = min(known, event, key=order_key)
    for token, interactions in sorted(carriers.items(), key=lambda item: order_key(seen[item[0]])):
        found = min([*evidence[token], *(each for each in tokens.get(token, ()) if each)], default=None)
        if found is None:
            yield _by(seen[token], token, Rule.UNBOUND, None, interactions)
            continue
        key, customer = found
        if key in here:
            yield _by(here[key], token, Rule.BOUND, customer, interactions)
        else:
            at, rank, event_id, of = key
            name = next((name for name, other in RANKS.items() if other == rank), None)
            yield Joined(token, Rule.BOUND, customer, event_id, name, at, of, interactions)


def _by_keys(
    customer_id: str,
    by_interaction: Mapping[str, Sequence[Event]],
    told: Collection[str],
    keys: Mapping[str, KeyRecord],
    rules: IdentityRules,
    identity_events: Sequence[Event],
) -> Iterator[Joined]:
    """Each key that these interactions carry. Those in `told` were named without one."""
    aliases = aliases_of(identity_events)
    said = said_of(identity_events, aliases)
    events = {order_key(event): event for own in by_interaction.values() for event in own if event.keys}
    carried = {name: carried_by(own, rules).keys for name, own in by_interaction.items()}
    carriers: dict[str, dict[str, OrderKey]] = {}
    decided: dict[str, list[str]] = {}
    for name, own in carried.items():
        for key, at in own.items():
            carriers.setdefault(key, {})[name] = at
        if name not in told and (telling := deciding(own, keys, rules)) is not None:
            decided.setdefault(telling, []).append(name)
    places = {kind: place for place, kind in enumerate(rules.kinds)}
    for key, where in sorted(carriers.items(), key=lambda item: (places[kind_of(item[0])], min(item[1].values()))):
        if key in said and said[key].alone:
            yield _by(_split_from_itself(key, identity_events), key, Rule.ALONE, None, tuple(where))
            continue
        known = keys.get(key)
        leads_to = None if known is None else known.leads_to
        shared = known is not None and leads_to is None
        at = _shown_by(known) or min(where.values())
        seen = events.get(at)
        event_type = seen.type if seen else next((name for name, rank in RANKS.items() if rank == at[1]), None)
        rule = Rule.ELSEWHERE if leads_to and leads_to != customer_id else Rule(kind_of(key))
        rule = Rule.SHARED if shared else rule
        by_alias = leads_to is not None and leads_to == resolve(key, aliases)
        to = aliases.get(key, leads_to) if by_alias else leads_to
        found = Joined(key, rule, to, at[2], event_type, at[0], at[3], tuple(where), tuple(decided.get(key, ())))
        counted = shared and customer_id in seen_with(known, aliases) - said.get(key, UNSAID).apart
        yield msgspec.structs.replace(found, shared_by=customer_id if counted else None)


def seen_with(known: KeyRecord | None, aliases: Mapping[str, str]) -> set[str]:
    """The customers whose interactions carry a key, by what is stronger than it, after aliases."""
    told = () if known is None else (*known.carriers.values(), *known.gone)
    return {resolve(each.customer, aliases) for each in told if each.customer is not None}


def _split_from_itself(key: str, identity_events: Iterable[Event]) -> Event:
    """The event by which an operator said that a key joins nobody."""
    pair = (SPLIT, key, key)
    found = [event for event in identity_events if (event.type, event.from_customer, event.to_customer) == pair]
    return max(found, key=order_key)


def _shown_by(known: KeyRecord | None) -> OrderKey | None:
    """The event that carries a key on the side of the customer whom it leads to."""
    if known is None:
        return None
    told = [each.at for each in (*known.carriers.values(), *known.gone) if each.customer == known.leads_to]
    return min(told, default=None)


def deciding(carried: Iterable[str], keys: Mapping[str, KeyRecord], rules: IdentityRules) -> str | None:
    """Of the keys of an interaction that nothing else names, the one that tells whose it is; None if none does."""
    ordered = list(carried)
    for first in (True, False):
        for kind in rules.kinds:
            for key in ordered:
                known = keys.get(key)
                if kind_of(key) == kind and known is not None and known.leads_to is not None and known.first == first:
                    return key
    return None


def _aliases(customer_id: str, known: set[str], identity_events: Sequence[Event]) -> Iterator[Joined]:
    """The merges that lead to this customer, and the splits that concern its ids."""
    in_force = aliases_of(identity_events)
    concerned = known | {name for name in in_force if resolve(name, in_force) == customer_id}
    latest: dict[tuple[str, str], Event] = {}
    for event in sorted(identity_events, key=order_key):
        assert event.from_customer is not None and event.to_customer is not None
        if {event.from_customer, event.to_customer} & concerned:
            latest[event.from_customer, event.to_customer] = event
    for (one, other), event in sorted(latest.items(), key=lambda item: order_key(item[1])):
        if one == other:
            continue  # it joins nothing; of a key that is split from itself it is said where keys are
        if event.type == MERGED and in_force.get(one) == other:
            yield _by(event, one, Rule.MERGED, other, ())
        elif event.type == SPLIT:
            yield _by(event, one, Rule.SPLIT, other, ())


def _by(event: Event, name: str, rule: Rule, to: str | None, interactions: Sequence[str]) -> Joined:
    return Joined(
        name, rule, to, event.event_id, event.type, event.timestamp, event.interaction_id or None, tuple(interactions)
    )
