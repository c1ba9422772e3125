"""Identity: whose interaction is it (docs/stitching.md, section 2)?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from journeymap.model.event import MERGED, Event, OrderKey, order_key
from journeymap.stitch.rules import IdentityRules

Evidence: TypeAlias = tuple[OrderKey, str]
"""An event that carries a session token and a customer id, as its order key and the customer id. Of a key: the event that
carries it, and the customer whose interaction that is."""

SHARED: Final = ""
"""Where a key leads that too many customers use: to nobody."""


def own_customer(events: Iterable[Event], rules: IdentityRules) -> str | None:
    """The customer id of an interaction's earliest event that carries one; `events` are in order."""
    return next((event.customer_id for event in events if event.customer_id is not None and rules.names(event)), None)


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


def anonymous(interaction_id: str, tokens: Sequence[str]) -> str:
    """What the customer of an interaction is called of whom nothing is known; `tokens` are its session tokens in order."""
    return f"session:{tokens[0]}" if tokens else f"interaction:{interaction_id}"


class Carried:
    """The keys of an interaction, each with the first event that carries it. Its events are taken in order.

    Only those of the participant that is there first on the customer's side are the customer's `keys`: others are called in by
    an agent, or by the customer. `mentioned` are all.
    """

    __slots__ = ("keys", "mentioned", "party")

    def __init__(self) -> None:
        self.party: str | None = None
        self.keys: dict[str, OrderKey] = {}
        self.mentioned: dict[str, OrderKey] = {}

    def take(self, event: Event, rules: IdentityRules) -> bool:
        """Take an event, later than all before it; whether it tells of a further key."""
        if event.party is None:
            return False
        if self.party is None:
            self.party = event.party
        known = len(self.keys) + len(self.mentioned)
        for key in event.keys:
            if rules.keeps(key):
                self.mentioned.setdefault(key, order_key(event))
                if event.party == self.party:
                    self.keys.setdefault(key, order_key(event))
        return len(self.keys) + len(self.mentioned) > known


def carried_by(events: Iterable[Event], rules: IdentityRules) -> Carried:
    """The keys of an interaction; `events` are in order."""
    carried = Carried()
    for event in events:
        carried.take(event, rules)
    return carried


def leads_to(evidence: Iterable[Evidence], limit: int, apart: Collection[str]) -> str | None:
    """The customer that a key leads to: that of the earliest evidence, leaving out those whom an operator took `apart` from
    it; `SHARED` if it is more than `limit` customers', None if it is nobody's. `evidence` names customers after aliases."""
    known = list(evidence)
    if len({customer for _, customer in known}) > limit:
        return SHARED
    left = [item for item in known if item[1] not in apart]
    return min(left)[1] if left else None


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


def apart_of(identity_events: Iterable[Event]) -> dict[str, set[str]]:
    """Whom an operator took apart: the pairs, as from and to, of which the latest event is a `customer.split`."""
    latest: dict[tuple[str, str], Event] = {}
    for event in sorted(identity_events, key=order_key):
        assert event.from_customer is not None and event.to_customer is not None
        latest[event.from_customer, event.to_customer] = event
    apart: dict[str, set[str]] = {}
    for (one, other), event in latest.items():
        if event.type != MERGED:
            apart.setdefault(one, set()).add(other)
    return apart


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
