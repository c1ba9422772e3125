"""Why the interactions of a journey are one customer's: every id that was joined, by which event and by which rule
(docs/stitching.md, section 2)."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from journeymap.model.event import MERGED, RANKS, SPLIT, Event, OrderKey, order_key
from journeymap.model.journey import Journey
from journeymap.model.time import Millis
from journeymap.stitch.identity import Evidence, aliases_of, own_customer, resolve, tokens_of


class Rule(enum.StrEnum):
    """How an id came to be the customer's."""

    NAMED = "named"
    """It is the customer id on the earliest of an interaction's events that carry one."""
    BOUND = "bound"
    """A session token, bound to a customer id by the earliest event anywhere that carries both."""
    MERGED = "merged"
    """A `customer.merged` event made it an alias."""
    SPLIT = "split"
    """A `customer.split` event withdrew what made it an alias."""
    OTHER = "other"
    """A further customer id in an interaction that another one had named before: shown, and otherwise without effect."""
    UNBOUND = "unbound"
    """A session token of which no event says whose it is."""
    ANONYMOUS = "anonymous"
    """Neither customer id nor session token: the interaction stands for itself."""


class Joined(msgspec.Struct, frozen=True):
    """An id with the rule and the event that joined it. `to` is the id it leads to, where it leads to another one.

    The event's fields are None where no event did it, `type` also where the event is of another journey and of a type
    without a rank. `interactions` are those of this journey that carry the id.
    """

    id: str
    rule: Rule
    to: str | None = None
    event_id: str | None = None
    type: str | None = None
    at: Millis | None = None
    event_of: str | None = None
    interactions: Sequence[str] = ()


def joined_ids(
    journey: Journey, tokens: Mapping[str, Iterable[Evidence | None]], identity_events: Iterable[Event]
) -> list[Joined]:
    """The ids of a journey: first what named its interactions, then tokens, then merges and splits, each by time.

    `tokens` is the evidence of all interactions, of this journey and of others, for each session token that this one carries.
    """
    by_interaction: dict[str, list[Event]] = {part.interaction_id: [] for part in journey.interactions}
    for event in journey.events:
        by_interaction.setdefault(event.interaction_id, []).append(event)
    named = list(_named(by_interaction))
    known = {each.id for each in named} | {journey.customer_id}
    bound = list(_tokens(by_interaction, tokens))
    known |= {each.to for each in bound if each.to is not None}
    carried = {event.interaction_id for event in journey.events if event.customer_id or event.session_token}
    lonely = [
        Joined(f"interaction:{name}", Rule.ANONYMOUS, interactions=(name,))
        for name in by_interaction
        if name not in carried
    ]
    return [*named, *bound, *lonely, *_aliases(journey.customer_id, known, list(identity_events))]


def _named(by_interaction: Mapping[str, Sequence[Event]]) -> Iterator[Joined]:
    first: dict[tuple[str, Rule], Event] = {}
    places: dict[tuple[str, Rule], list[str]] = {}
    for interaction_id, events in by_interaction.items():
        own = own_customer(events)
        for event in events:
            if event.customer_id is None:
                continue
            key = (event.customer_id, Rule.NAMED if event.customer_id == own else Rule.OTHER)
            if key not in first or order_key(event) < order_key(first[key]):
                first[key] = event
            if interaction_id not in places.setdefault(key, []):
                places[key].append(interaction_id)
    for key, event in sorted(first.items(), key=lambda item: (item[0][1] != Rule.NAMED, order_key(item[1]))):
        yield _by(event, key[0], key[1], None, places[key])


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
        if event.type == MERGED and in_force.get(one) == other:
            yield _by(event, one, Rule.MERGED, other, ())
        elif event.type == SPLIT:
            yield _by(event, one, Rule.SPLIT, other, ())


def _by(event: Event, name: str, rule: Rule, to: str | None, interactions: Sequence[str]) -> Joined:
    return Joined(
        name, rule, to, event.event_id, event.type, event.timestamp, event.interaction_id or None, tuple(interactions)
    )
