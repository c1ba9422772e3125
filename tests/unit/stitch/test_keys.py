"""Keys in the long run: what evicted interactions leave behind, and switchboards that are called without end."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from journeymap.decode.event import decode_frame
from journeymap.model.event import CONTACT, MERGED, SPLIT, STARTED, Event
from journeymap.model.journey import journey_id_of
from journeymap.model.time import DAY, HOUR, MINUTE
from journeymap.stitch.hot import Shelved
from journeymap.stitch.keys import left_behind
from journeymap.stitch.options import StitchOptions
from journeymap.stitch.rules import IdentityRules
from journeymap.stitch.stitcher import Stitcher
from journeymap.testing import DictShelf, event
from tests.telling import call

START = 1_795_000_000_000
NUMBER = "+15555550123"
KEY = f"phone:{NUMBER}"
FOREVER = 10**15


class CountingShelf(DictShelf):
    """Counts the journeys that were brought in."""

    fetched = 0

    def journeys(self, journey_ids: Collection[str]) -> Mapping[str, Shelved]:
        found = super().journeys(journey_ids)
        self.fetched += len(found)
        return found


class Line:
    """A stitcher over a shelf; after each of its deeds everything is stored and let go of."""

    def __init__(self, rules: IdentityRules = IdentityRules()) -> None:  # noqa: B008  # it is frozen
        self.shelf = CountingShelf()
        self.stitcher = Stitcher(StitchOptions(identity=rules), self.shelf)

    def call(self, name: str, at: int, contact: str | None = None, number: str = NUMBER) -> None:
        self.apply(*(found for frame in call(name, START + at, number, contact) for found in decode_frame(frame)[0]))

    def apply(self, *events: Event) -> None:
        self.stitcher.apply(events)
        self.store()

    def evict(self, *names: str) -> None:
        self.stitcher.forget([journey_id_of(name) for name in names], FOREVER)
        self.store()

    def store(self) -> None:
        self.stitcher.take_rows(FOREVER, last=True)
        self.shelf.commit(self.stitcher.take_changes())
        self.stitcher.release(FOREVER)

    def customers(self) -> dict[str, str]:
        return {
            item.interaction_id: record.customer_id
            for record in self.shelf.records.values()
            for item in self.shelf.events_of(record)
        }


def test_what_an_evicted_call_told_stays_while_others_carry_the_number() -> None:
    line = Line()
    line.call("a", 0, "ann")
    line.call("b", 10 * DAY)
    line.evict("a")
    assert line.customers() == {"b": "ann"}
    line.call("c", 20 * DAY)
    assert line.customers() == {"b": "ann", "c": "ann"}
    left = left_behind(line.shelf.key_records[KEY], IdentityRules())
    assert left is not None
    assert [each.customer for each in left.gone] == ["ann"]
    assert left_behind(line.shelf.key_records[KEY], IdentityRules(("contact",))) is None
    line.call("d", 21 * DAY, "bob")
    assert line.customers() == {"b": "interaction:b", "c": "interaction:c", "d": "bob"}
    line.evict("b", "c", "d")
    assert line.shelf.key_records == {}


def test_what_is_left_behind_is_bounded() -> None:
    line = Line()
    for number in range(12):
        line.call(f"c{number}", number * 2 * DAY, f"contact-{number}")
        line.evict(f"c{number - 1}")
    assert len(line.shelf.key_records[KEY].gone) == 2


def test_a_split_stays_while_the_number_is_in_use() -> None:
    line = Line()
    line.call("a", 0, "ann")
    line.apply(event(SPLIT, START + HOUR, event_id="x", fromCustomerId=KEY, toCustomerId="ann"))
    line.apply(event(MERGED, START + HOUR, event_id="y", fromCustomerId="nobody", toCustomerId="no one"))
    line.stitcher.forget_identity(FOREVER)
    line.store()
    assert set(line.shelf.identity) == {"x"}
    line.call("b", 2 * HOUR)
    assert line.customers() == {"a": "ann", "b": KEY}
    line.evict("a", "b")
    line.stitcher.forget_identity(FOREVER)
    line.store()
    assert line.shelf.identity == {}


def test_who_was_taken_apart_does_not_hide_another_from_what_is_left_behind() -> None:
    line = Line()
    line.call("open", 0)
    line.apply(event(SPLIT, START, event_id="x", fromCustomerId=KEY, toCustomerId="ann"))
    for place, contact in enumerate(["ann", "bob", "cat"]):
        line.call(contact, (place + 1) * 10 * DAY, contact)
        line.evict(contact)
    assert {each.customer for each in line.shelf.key_records[KEY].gone} == {"ann", "bob", "cat"}
    assert line.customers() == {"open": "interaction:open"}
    line.apply(event(MERGED, START + DAY, event_id="y", fromCustomerId="cat", toCustomerId="bob"))
    line.call("next", 40 * DAY)
    assert line.customers() == {"open": "bob", "next": "bob"}


def test_a_join_of_a_number_stays_while_the_number_is_in_use() -> None:
    line = Line()
    line.call("a", 0, "ann")
    line.apply(event(MERGED, START + HOUR, event_id="x", fromCustomerId=KEY, toCustomerId="bob"))
    line.stitcher.forget_identity(FOREVER)
    line.store()
    line.call("b", 2 * HOUR)
    assert line.customers() == {"a": "ann", "b": "bob"}


def test_a_wrong_contact_stays_wrong_while_its_call_is_kept() -> None:
    line = Line()
    line.call("a", 0, "ann")
    line.apply(event(SPLIT, START, event_id="x", fromCustomerId="interaction:a", toCustomerId="ann"))
    line.stitcher.forget_identity(FOREVER)
    line.store()
    assert line.customers() == {"a": KEY}
    line.apply(event(CONTACT, START + HOUR, "a", seenIn="detail", sessionId="s", customerId="bob"))
    assert line.customers() == {"a": "bob"}
    line.evict("a")
    line.stitcher.forget_identity(FOREVER)
    line.store()
    assert line.shelf.identity == {}


def test_without_its_wrong_contact_a_session_token_tells_whose_a_call_is() -> None:
    line = Line()
    line.apply(event(STARTED, START, "b", sessionToken="s", customerId="bob"))
    line.call("a", HOUR, "ann")
    line.apply(event(STARTED, START + HOUR, "a", sessionToken="s"))
    assert line.customers() == {"a": "ann", "b": "bob"}
    line.apply(event(SPLIT, START, event_id="x", fromCustomerId="interaction:a", toCustomerId="ann"))
    assert line.customers() == {"a": "bob", "b": "bob"}


def test_a_switchboard_joins_nobody_and_costs_the_same_whoever_calls() -> None:
    line = Line(IdentityRules(busy=20))
    for number in range(20):
        line.call(f"c{number}", number * MINUTE)
    assert set(line.customers().values()) == {KEY}
    line.call("c20", 20 * MINUTE)
    assert len(set(line.customers().values())) == 21
    record, fetched = line.shelf.key_records[KEY], line.shelf.fetched
    assert (record.leads_to, record.carriers, record.busy) == (None, {}, 21)
    for number in range(21, 200):
        line.call(f"c{number}", number * MINUTE, "ann" if number % 10 == 0 else None)
    assert line.shelf.fetched - fetched < 200  # ann's own journey, and nobody else's
    assert line.shelf.key_records[KEY].busy == 200
    for number in range(200):
        line.evict(f"c{number}")
    assert line.shelf.key_records == {}
    line.call("new", 300 * MINUTE)
    assert line.customers() == {"new": KEY}
