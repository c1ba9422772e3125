"""Keys, contacts, merges and splits: the engine agrees with the definition under any rules, order, batching and restarts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymap.decode.genesys.address import keys_of
from journeymap.model.event import ATTRIBUTES, CONTACT, CUSTOMER_END, CUSTOMER_START, MERGED, SPLIT, Event
from journeymap.model.key import KEY_KINDS
from journeymap.model.time import MINUTE
from journeymap.stitch.definition import journeys
from journeymap.stitch.hot import EmptyShelf
from journeymap.stitch.rules import IdentityRules
from journeymap.stitch.stitcher import Stitcher
from journeymap.testing import DictShelf, event

from .soups import OPTIONS, START
from .test_stitcher import FOREVER, batches, shuffled, stored
from .test_stitcher_retention import Life as LongLife
from .test_stitcher_retention import check_store

PHONES = ["+15555550101", "+15555550102", "+15555550103"]
EMAILS = ["ann@example.com", "office@example.com"]
ADDRESSES: list[dict[str, Any]] = [
    *({"channelType": "voice", "direction": "inbound", "ani": f"tel:{phone}"} for phone in PHONES),
    {"channelType": "callback", "callbackNumbers": PHONES[:2]},
    *({"channelType": "email", "direction": "inbound", "addressFrom": address} for address in EMAILS),
    {"channelType": "message", "direction": "inbound", "messageType": "LINE", "addressFrom": "U1"},
    {"channelType": "voice", "direction": "inbound", "ani": "tel:anonymous"},
]
NAMES = ["ann", "bob", "cat", f"phone:{PHONES[0]}", f"phone:{PHONES[1]}", f"email:{EMAILS[0]}", "messaging:line:U1"]


def soup_of(seed: int, *, copies: bool = True) -> list[Event]:
    """A soup by chance. Drawn piece by piece, hardly any would have all that a split key takes: who is named, who is not, the
    key on both, and the split of just these."""
    chance = random.Random(seed)
    names = "abcdefgh"[: chance.randint(2, 8)]
    some = chance.sample(ADDRESSES, chance.randint(1, 4))
    named = chance.choice([0.05, 0.2])
    makers = [_customer_event] * 6 + [_late_contact, _operators_event, _operators_event]
    makers += [_stream_event] * chance.randrange(2)
    soup = [chance.choice(makers)(chance, names, some, named) for _ in range(chance.randint(2, 24))]
    return soup if copies else [item for item in soup if not item.event_id.startswith("e")]


def _customer_event(chance: random.Random, names: str, some: list[dict[str, Any]], named: float) -> Event:
    fields = dict(chance.choice(some))
    fields |= {"seenIn": chance.choice(["detail", "analytics"]), "participantId": chance.choice("pppq")}
    if chance.random() < 0.2:
        fields |= {"journeyCustomerId": chance.choice(["v1", "v2"]), "journeyCustomerIdType": "cookie"}
    if chance.random() < named:
        fields["customerId"] = chance.choice(["ann", "bob"])
    if chance.random() < 0.3:
        fields["event_id"] = f"e{chance.randrange(12)}"  # a copy that knows other things than another
    return event(chance.choice([CUSTOMER_START, CUSTOMER_END]), _time(chance), chance.choice(names), **fields)


def _late_contact(chance: random.Random, names: str, some: list[dict[str, Any]], named: float) -> Event:
    who = {"customerId": chance.choice(["ann", "bob"])} if chance.random() < 4 * named else {}
    return event(
        chance.choice([CONTACT, ATTRIBUTES]), _time(chance), chance.choice(names), seenIn="detail", sessionId="s", **who
    )


def _operators_event(chance: random.Random, names: str, some: list[dict[str, Any]], named: float) -> Event:
    keys = [key for fields in some for key in keys_of(fields)] or NAMES
    one = chance.choice(keys) if chance.random() < 0.7 else chance.choice(NAMES)
    other = chance.choice(["ann", "bob"]) if chance.random() < 0.7 else chance.choice([*keys, *NAMES])
    if chance.random() < 0.3:
        other = one  # a key that joins nobody, or does so again
    kind = chance.choice([MERGED, SPLIT, SPLIT])
    if chance.random() < 0.3:
        one, other = f"interaction:{chance.choice(names)}", chance.choice(["ann", "bob"])  # a wrong contact
    return event(kind, _time(chance), event_id=f"m{chance.randrange(10)}", fromCustomerId=one, toCustomerId=other)


def _stream_event(chance: random.Random, names: str, some: list[dict[str, Any]], named: float) -> Event:
    fields = {"sessionToken": chance.choice("st")} if chance.random() < 0.7 else {}
    if chance.random() < 0.4:
        fields["customerId"] = chance.choice(["ann", "cat"])
    return event("conversation.started", _time(chance), chance.choice(names), **fields)


def _time(chance: random.Random) -> int:
    return START + chance.randrange(90) * MINUTE


rules = st.builds(
    IdentityRules,
    order=st.one_of(
        st.just(("contact", *KEY_KINDS)),
        st.permutations(KEY_KINDS).map(lambda kinds: ("contact", *kinds)),
        st.lists(st.sampled_from(KEY_KINDS), unique=True, max_size=4).map(tuple),
    ),
    key_limit=st.sampled_from([1, 1, 1, 2]),
    ignore=st.sampled_from([(), (), ("office@*",), ("phone:*103", "u1")]),
)
seeds = st.integers(0, 2**32)
soups = seeds.map(soup_of)
plain_soups = seeds.map(lambda seed: soup_of(seed, copies=False))


class Life:
    """A stitcher over a shelf that is dropped and begun again now and then."""

    def __init__(self, chosen: IdentityRules) -> None:
        self.options = msgspec.structs.replace(OPTIONS, identity=chosen)
        self.shelf = DictShelf()
        self.stitcher = Stitcher(self.options, self.shelf)

    def run(self, soup: Sequence[Event], seed: int) -> None:
        chance = random.Random(seed)
        since: list[Event] = []
        for batch in batches(shuffled([*soup, *soup[::3]], seed), seed):
            self.stitcher.apply(batch)
            since += batch
            self.stitcher.take_rows(FOREVER)
            action = chance.random()
            if action < 0.5:
                self.shelf.commit(self.stitcher.take_changes())
                check_store(self.shelf)
                since = []
            if action < 0.3:
                self.stitcher.release(FOREVER)
            elif action > 0.8:
                self.stitcher = Stitcher(self.options, self.shelf, self.shelf.identity_events())
                self.stitcher.apply(since)
        self.stitcher.take_rows(FOREVER)
        self.shelf.commit(self.stitcher.take_changes())


@given(soups, rules, st.integers(0, 99))
def test_the_definition_does_not_depend_on_order_or_copies(soup: list[Event], chosen: IdentityRules, seed: int) -> None:
    options = msgspec.structs.replace(OPTIONS, identity=chosen)
    assert journeys(soup, options) == journeys(shuffled(soup + soup[::2], seed), options)


@given(soups, rules, st.integers(0, 999))
@settings(max_examples=200)
def test_any_order_copies_batches_and_restarts_give_the_definition(
    soup: list[Event], chosen: IdentityRules, seed: int
) -> None:
    life = Life(chosen)
    life.run(soup, seed)
    assert stored(life.shelf) == journeys(soup, life.options)


@given(soups, rules, st.integers(0, 999))
@settings(max_examples=150)
def test_in_memory_too(soup: list[Event], chosen: IdentityRules, seed: int) -> None:
    options = msgspec.structs.replace(OPTIONS, identity=chosen)
    stitcher = Stitcher(options, EmptyShelf())
    for batch in batches(shuffled(soup + soup[::3], seed), seed):
        stitcher.apply(batch)
    assert stitcher.journeys() == journeys(soup, options)


@given(plain_soups, rules, st.integers(0, 999))
@settings(max_examples=150)
def test_a_key_on_too_many_interactions_is_none(soup: list[Event], chosen: IdentityRules, seed: int) -> None:
    life = Life(msgspec.structs.replace(chosen, busy=2))
    life.run(soup, seed)
    assert stored(life.shelf) == journeys(soup, life.options)
    assert all(len(record.carriers) <= 2 for record in life.shelf.key_records.values())


@given(soups, rules)
@settings(max_examples=40)
def test_forgetting_everything_leaves_nothing(soup: list[Event], chosen: IdentityRules) -> None:
    for busy in (100, 1):
        life = Life(msgspec.structs.replace(chosen, busy=busy))
        life.run(soup, 0)
        life.stitcher.release(FOREVER)
        life.stitcher.forget(list(life.shelf.records), FOREVER)
        life.stitcher.forget_identity(FOREVER)
        life.shelf.commit(life.stitcher.take_changes())
        assert not (life.shelf.records or life.shelf.token_records or life.shelf.key_records or life.shelf.identity)


@given(soups, seeds)
@settings(max_examples=80)
def test_evictions_leave_keys_that_fit_what_is_left(soup: list[Event], seed: int) -> None:
    life = LongLife(seed, exact=False)
    life.run(batches(shuffled(soup + soup[::3], seed), seed))
    left = {item.interaction_id for record in life.shelf.records.values() for item in life.shelf.events_of(record)}
    for known in life.shelf.key_records.values():
        assert known.carriers
        assert known.carriers.keys() <= left
