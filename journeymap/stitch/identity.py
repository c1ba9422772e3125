"""Identity: whose interaction is it (docs/stitching.md, section 2)?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from journeymap.model.event import MERGED, Event, OrderKey, order_key
from journeymap.model.key import is_key
from journeymap.stitch.rules import IdentityRules

Evidence: TypeAlias = tuple[OrderKey, str]
"""An event that carries a session token and a customer id, as its order key and the customer id. Of a key: the event that
carries it, and the customer whose interaction that is."""

SHARED: Final = ""
"""Where a key leads that too many customers use, or that an operator took from everybody: to nobody."""


class Said(msgspec.Struct, frozen=True):
    """What an operator said of a key: whose it is (`joined`), that it joins nobody (`alone`), and whose it is not (`apart`).
    All after aliases."""

    joined: str | None = None
    alone: bool = False
    apart: frozenset[str] = frozenset()


UNSAID: Final = Said()

INTERACTION: Final = "interaction:"
"""What the name of an interaction begins with, as that of a customer of whom nothing is known and in what operators say."""


def own_customer(events: Iterable[Event], rules: IdentityRules, wrong: Collection[str] = ()) -> str | None:
    """The customer id of an interaction's earliest event that carries one; `events` are in order. Contacts that an operator
    called `wrong` are passed over."""
    return next(
        (
            event.customer_id
            for event in events
            if event.customer_id is not None
            and rules.names(event)
            and not (event.standing and event.customer_id in wrong)
        ),
        None,
    )


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
    return f"session:{tokens[0]}" if tokens else f"{INTERACTION}{interaction_id}"


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


def leads_to(evidence: Iterable[Evidence], limit: int, said: Said) -> str | None:
    """The customer that a key leads to, whose interactions are named in `evidence`, after aliases: `SHARED` if it is nobody's for
    good, None if nobody's as yet.

    A customer to whom an operator joined it has it. Otherwise those from whom it was taken do not count, and of up to `limit`
    that are left it is that of the earliest evidence. Where it was joined to another key, nobody may be known by either yet:
    that only says where it leads instead of nowhere.
    """
    if said.joined is not None and not is_key(said.joined):
        return said.joined
    if said.alone:
        return SHARED
    left = [item for item in evidence if item[1] not in said.apart]
    if len({customer for _, customer in left}) > limit:
        return said.joined or SHARED
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


def said_of(identity_events: Iterable[Event], aliases: Mapping[str, str]) -> dict[str, Said]:
    """What is said of each key. Of a pair, from and to, the latest event decides; an alias in force decides before all splits."""
    said: dict[str, Said] = {}
    for key, taken in _splits(identity_events).items():
        if not is_key(key):
            continue
        joined = resolve(key, aliases) if aliases.get(key, key) != key else None
        apart = frozenset(resolve(other, aliases) for other in taken if other != key)
        said[key] = Said(joined, joined is None and key in taken, apart)
    return said


def wrong_contacts(identity_events: Iterable[Event]) -> dict[str, set[str]]:
    """By interaction: the contacts from whom an operator split it, spelled as its events spell them."""
    return {
        one.removeprefix(INTERACTION): taken
        for one, taken in _splits(identity_events).items()
        if one.startswith(INTERACTION) and taken
    }


def _splits(identity_events: Iterable[Event]) -> dict[str, set[str]]:
    """By each id that was merged or split: from whom it is split, as the latest event of the pair says."""
    splits: dict[str, set[str]] = {}
    for event in sorted(identity_events, key=order_key):
        assert event.from_customer is not None and event.to_customer is not None
        taken = splits.setdefault(event.from_customer, set())
        if event.type == MERGED:
            taken.discard(event.to_customer)
        else:
            taken.add(event.to_customer)
    return splits


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
