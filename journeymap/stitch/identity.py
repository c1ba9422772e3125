"""Identity: whose interaction is it (docs/stitching.md, section 2)?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from journeymap.model.event import MERGED, Event, OrderKey, order_key

Evidence: TypeAlias = tuple[OrderKey, str]
"""An event that carries a session token and a customer id, as its order key and the customer id."""


def own_customer(events: Iterable[Event]) -> str | None:
    """The customer id of an interaction's earliest event that carries one; `events` are in order."""
    return next((event.customer_id for event in events if event.customer_id is not None), None)


def tokens_of(events: Iterable[Event]) -> dict[str, Evidence | None]:
    """The session tokens of an interaction in order, each with its earliest evidence in there, if there is any."""
    found: dict[str, Evidence | None] = {}
    for event in events:
        if event.session_token is not None:
            note_token(found, event)
    return found


def note_token(found: dict[str, Evidence | None], event: Event) -> bool:
    """Take an event with a session token, later than all before it, into `found`; whether that changed anything."""
    token = event.session_token
    assert token is not None
    if token in found and (found[token] is not None or event.customer_id is None):
        return False
    found[token] = None if event.customer_id is None else (order_key(event), event.customer_id)
    return True


def bound_to(evidence: Iterable[Evidence | None]) -> str | None:
    """The customer that a session token is bound to: that of the earliest evidence anywhere."""
    known = [item for item in evidence if item is not None]
    return min(known)[1] if known else None


def customer_of(interaction_id: str, own: str | None, tokens: Sequence[str], bindings: Mapping[str, str | None]) -> str:
    """The customer of an interaction before aliases; `tokens` are its session tokens in order."""
    if own is not None:
        return own
    for token in tokens:
        bound = bindings.get(token)
        if bound is not None:
            return bound
    return f"session:{tokens[0]}" if tokens else f"interaction:{interaction_id}"


def aliases_of(identity_events: Iterable[Event]) -> dict[str, str]:
    """The aliases in force after all `customer.merged` and `customer.split` events, which are taken in order."""
    aliases: dict[str, str] = {}
    for event in sorted(identity_events, key=order_key):
        assert event.from_customer is not None and event.to_customer is not None
        if event.type == MERGED:
            aliases[event.from_customer] = event.to_customer
        elif aliases.get(event.from_customer) == event.to_customer:
            del aliases[event.from_customer]
    return aliases


def resolve(customer_id: str, aliases: Mapping[str, str]) -> str:
    """The customer that an id stands for: the end of its chain of aliases, or the first id of the cycle it runs into."""
    if customer_id not in aliases:
        return customer_id
    path: dict[str, int] = {}
    while customer_id in aliases:
        if customer_id in path:
            cycle = list(path)[path[customer_id] :]
            return min(cycle)
        path[customer_id] = len(path)
        customer_id = aliases[customer_id]
    return customer_id
