"""Ids become names: in rows, in journeys, in what is asked for, and beside events."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from journeymap.decode.event import decode_raw
from journeymap.model.names import Name
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.stitch.definition import journeys
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.stitch.reading import ClockReading
from journeymap.view.document import document
from journeymap.view.facts import facts
from journeymap.view.filters import parse_query
from journeymap.view.labels import short_name
from journeymap.view.names import NO_NAMES, KnownNames
from journeymap.view.permissions import permission_words

START = 1_700_000_000_000
SUPPORT, OTHER_SUPPORT = "1f3a9c02-0000-4000-8000-000000000001", "2b3a9c02-0000-4000-8000-000000000002"
ANN, SOLD, UNKNOWN = "aa3a9c02-0000-4000-8000-000000000003", "ININ-WRAP-UP-SOLD", "ff3a9c02-0000-4000-8000-00000000000f"
NAMES = KnownNames(
    [
        Name("queue", SUPPORT, "Support"),
        Name("queue", OTHER_SUPPORT, "support"),
        Name("user", ANN, "Ann Lee"),
        Name("wrapup-code", SOLD, "Sold"),
        Name("wrapup-code", UNKNOWN, ""),
    ]
)


def row(queue: str | None = SUPPORT, agent: str | None = ANN, disposition: str | None = SOLD) -> JourneyRow:
    part = InteractionRow("i-1", "voice", "ACTIVE", START, START, None, disposition, queue, agent, ())
    return JourneyRow("j-1", "Customer", START, START, 0, 1, 1, 0, (part,), ())


def said(named: JourneyRow) -> tuple[Any, ...]:
    (part,) = named.interactions
    return (part.queue, part.agent, part.disposition)


def test_a_row_gets_the_names_that_are_known() -> None:
    assert said(NAMES.row(row(queue="Billing"))) == ("Billing", "Ann Lee", "Sold")
    assert said(NAMES.row(row(None, UNKNOWN, None))) == (None, UNKNOWN, None)
    untouched = row("Billing", UNKNOWN)
    untouched = msgspec.structs.replace(untouched, interactions=(*row("a", "b", "c").interactions,))
    assert NAMES.row(untouched) is untouched
    assert NO_NAMES.row(row()) == row()


def test_two_of_one_name_stay_apart() -> None:
    assert {said(NAMES.row(row(queue)))[0] for queue in (SUPPORT, OTHER_SUPPORT)} == {
        "Support (1f3a9c02)",
        "support (2b3a9c02)",
    }
    alike = [Name("user", f"{ANN[:8]}-{end}", "Ann Lee") for end in "12"]
    assert [KnownNames(alike).of(each.id) for each in alike] == [f"Ann Lee ({each.id})" for each in alike]
    assert KnownNames([Name("queue", SUPPORT, "Ann"), Name("user", ANN, "Ann")]).of(ANN) == "Ann", "no two of a kind"


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        (f"queue={SUPPORT}", True),
        (f"queue={SUPPORT.upper()}", True),
        (f"queue={OTHER_SUPPORT}", False),
        ("queue=support", True),
        ("queue=Support (1f3a9c02)", True),
        ("queue=support (2b3a9c02)", False),
        ("agent=ann lee", True),
        (f"agent={ANN}", True),
        (f"agent={UNKNOWN}&agent={ANN}", True),
        (f"disposition={SOLD}", True),
        (f"disposition={SOLD.lower()}", True),
        ("disposition=sold", True),
        ("q=nn le", True),
        (f"q={ANN}", True),
        (f"q={UNKNOWN}", False),
    ],
)
def test_filters_find_by_name_and_by_id(query: str, matches: bool) -> None:
    pairs = [tuple(part.split("=")) for part in query.split("&")]
    wanted = NAMES.meant(parse_query(pairs))  # type: ignore[arg-type]
    assert wanted.matches(facts(NAMES.row(row()), ClockReading(START, Timeouts()))) is matches
    assert NO_NAMES.meant(wanted) is wanted


def test_what_has_changed_is_what_is_shown_otherwise() -> None:
    later = KnownNames([Name("queue", SUPPORT, "Support"), Name("user", ANN, "Ann Lee"), Name("user", UNKNOWN, "Ben")])
    assert later.changed(NAMES) == {SUPPORT, OTHER_SUPPORT, SOLD, UNKNOWN}
    assert NAMES.changed(NAMES) == frozenset()


def test_a_document_keeps_the_ids_in_events_and_says_their_names() -> None:
    raw = {
        "eventId": "e-1", "type": "interaction.connected", "timestamp": START,
        "payload": {"interactionId": "i-1", "queueName": SUPPORT, "agentId": ANN, "by": [{"user": UNKNOWN}], "disposition": SOLD},
    }  # fmt: skip
    (journey,) = journeys([decode_raw(json.dumps(raw).encode())], StitchOptions())
    reading = ClockReading(START, Timeouts())
    named = NAMES.journey(journey)
    told = json.loads(document(named, reading, NAMES))
    assert told["names"] == {SUPPORT: "Support (1f3a9c02)", ANN: "Ann Lee", SOLD: "Sold"}
    assert told["events"][0]["queueName"] == SUPPORT
    assert told["interactions"][0]["disposition"] == "Sold"
    assert named.events == journey.events
    assert "names" not in json.loads(document(journey, reading))
    assert document(journey, reading, KnownNames([Name("queue", "elsewhere", "X")])) == document(journey, reading)


def test_ids_without_a_name_are_shown_short() -> None:
    assert [short_name(each) for each in (ANN, "Ann Lee", SOLD, "")] == ["aa3a9c02…", "Ann Lee", SOLD, ""]


@pytest.mark.parametrize(
    ("permission", "words"),
    [
        ("routing:queue:view", "Routing > Queue > View"),
        ("routing:wrapupCode:view", "Routing > Wrapup Code > View"),
        ("analytics:conversationDetail:*", "Analytics > Conversation Detail > All"),
        ("no permission", "no permission"),
    ],
)
def test_permissions_read_as_the_admin_pages_show_them(permission: str, words: str) -> None:
    assert permission_words(permission) == words
