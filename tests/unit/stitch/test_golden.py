"""Hand-checked journeys: each case of `tests/data/golden` was worked out on paper from docs/stitching.md.

Short forms. A time is a sum such as `30m+1`: milliseconds, or seconds, minutes, hours with `s`, `m`, `h`; 0 is 14 November 2023.
An event is `TIME TYPE INTERACTION key=value …`, or `{"raw": …}` as received, where a timestamp `"@TIME"` stands for its
milliseconds. A segment is `KIND START..END`, a transfer `TIME SOURCE>TARGET`; `-` is none. A journey is named by its
earliest interaction. On the customer's side a platform tells of `call` (phone=), `mail` (email=), `post` (line=) and `contact`;
visitor= and party= go with each of them. What an expected interaction leaves out is unset (`channel`: `other`); a list of
interactions checks only which they are, in order.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from journeymap.decode.event import decode_frame
from journeymap.model.event import (
    CONTACT,
    CREATED,
    CUSTOMER_START,
    DISPOSED,
    ENDED,
    MERGED,
    SPLIT,
    STARTED,
    TRANSFERRED,
    Event,
)
from journeymap.model.journey import Interaction, Journey, Segment, journey_id_of
from journeymap.model.time import HOUR, MINUTE, SECOND
from journeymap.stitch.definition import journeys
from journeymap.stitch.hot import EmptyShelf
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.stitch.rules import IdentityRules
from journeymap.stitch.stitcher import Stitcher
from journeymap.testing import DictShelf

GOLDEN = Path(__file__).parents[2] / "data" / "golden"
START = 1_700_000_000_000
UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR}
TYPES = {
    "created": CREATED,
    "start": STARTED,
    "started": "interaction.started",
    "transfer": TRANSFERRED,
    "end": ENDED,
    "dispose": DISPOSED,
    "note": "note.added",
    "merge": MERGED,
    "split": SPLIT,
    "call": CUSTOMER_START,
    "mail": CUSTOMER_START,
    "post": CUSTOMER_START,
    "contact": CONTACT,
}
PLATFORM = {
    "call": {"channelType": "voice", "direction": "inbound", "seenIn": "detail"},
    "mail": {"channelType": "email", "direction": "inbound", "seenIn": "detail"},
    "post": {"channelType": "message", "direction": "inbound", "messageType": "LINE", "seenIn": "detail"},
    "contact": {"seenIn": "detail"},
}
FIELDS = {
    "customer": "customerId",
    "token": "sessionToken",
    "channel": "channelType",
    "disposition": "disposition",
    "from": "fromCustomerId",
    "to": "toCustomerId",
    "phone": "ani",
    "email": "addressFrom",
    "line": "addressFrom",
    "visitor": "journeyCustomerId",
    "party": "participantId",
}


def cases() -> list[Any]:
    return list(read_cases())


def read_cases() -> Iterator[Any]:
    for path in sorted(GOLDEN.glob("*.json")):
        for case in json.loads(path.read_text(encoding="utf-8")):
            yield pytest.param(case, id=f"{path.stem}: {case['name']}")


def length(text: str) -> int:
    """`1h+30m+1` in milliseconds."""
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    return sign * sum(int(part.rstrip("smh")) * UNITS.get(part[-1], 1) for part in digits.split("+"))


def moment(text: str | None) -> int | None:
    return None if text in {None, "", "-"} else START + length(str(text))


def received(short: str | dict[str, Any]) -> Event:
    """An event from its short form, by way of the door."""
    if isinstance(short, str):
        at, kind, *rest = short.split(" ")
        named = [] if kind in {"merge", "split"} else [("interactionId", rest.pop(0))]
        raw: dict[str, Any] = {"type": TYPES[kind], "timestamp": moment(at), "payload": dict(named)}
        if kind in PLATFORM:
            raw["payload"] |= {"participantId": "the customer", "journeyCustomerIdType": "cookie", **PLATFORM[kind]}
        for field in rest:
            name, _, value = field.partition("=")
            if name == "id":
                raw["eventId"] = value
            elif name == "duration":
                raw["payload"]["durationSeconds"] = json.loads(value)
            else:
                raw["payload"][FIELDS[name]] = value
    else:
        raw = dict(short["raw"])
        if str(raw["timestamp"]).startswith("@"):
            raw["timestamp"] = moment(raw["timestamp"][1:])
    events, rejected = decode_frame(json.dumps(raw).encode())
    assert not rejected
    return events[0]


def options(given: dict[str, Any]) -> StitchOptions:
    rules = given.get("identity", {})
    by_channel = {name: length(value) for name, value in given.get("close_after_by_channel", {}).items()}
    return StitchOptions(
        Timeouts(close_after=length(given.get("close_after", "30m")), close_after_by_channel=by_channel),
        length(given.get("engagement_window", "24h")),
        IdentityRules(**{name: tuple(value) if isinstance(value, list) else value for name, value in rules.items()}),
    )


def segment(short: str) -> Segment:
    kind, span = short.split(" ")
    start, end = map(moment, span.split(".."))
    assert start is not None
    return Segment(kind, start, end)


def check(found: Sequence[Journey], expected: Sequence[dict[str, Any]]) -> None:
    assert [(item.customer_id, item.journey_id) for item in found] == [
        (item["customer"], journey_id_of(item["earliest"])) for item in expected
    ]
    for journey, wanted in zip(found, expected, strict=True):
        assert [item.interaction_id for item in journey.interactions] == list(wanted["interactions"])
        if isinstance(wanted["interactions"], dict):
            for interaction in journey.interactions:
                check_interaction(interaction, wanted["interactions"][interaction.interaction_id])
        transfers = [
            f"{item.at - START} {item.from_interaction}>{item.to_interaction or '-'}" for item in journey.transfers
        ]
        at_of = (short.split(" ") for short in wanted.get("transfers", []))
        assert transfers == [f"{length(at)} {pair}" for at, pair in at_of]
        assert [item.timestamp for item in journey.events] == sorted(item.timestamp for item in journey.events)
        assert journey.first_event_at == journey.events[0].timestamp
        assert journey.last_event_at == journey.events[-1].timestamp
        if "started" in wanted:
            assert journey.started_at == moment(wanted["started"])
        if "last" in wanted:
            assert journey.last_event_at == moment(wanted["last"])
        if "channels" in wanted:
            assert list(journey.channels) == wanted["channels"]
        if "events" in wanted:
            assert [item.event_id for item in journey.events] == wanted["events"]


def check_interaction(found: Interaction, wanted: dict[str, Any]) -> None:
    assert wanted.keys() <= {"state", "channel", "started", "ended", "closed", "disposition", "segments"}
    assert list(found.segments) == [segment(short) for short in wanted["segments"]]
    assert (found.state, found.channel, found.started_at, found.ended_at, found.closed_at, found.disposition) == (
        wanted["state"],
        wanted.get("channel", "other"),
        moment(wanted["started"]),
        moment(wanted.get("ended")),
        moment(wanted.get("closed")),
        wanted.get("disposition"),
    )


def orders(events: Sequence[Event]) -> Iterable[list[Event]]:
    """As given, backwards, and shuffled with copies; all orders where there are few."""
    if len(events) <= 3:
        yield from map(list, itertools.permutations(events))
    yield [*events, *events]
    yield list(reversed(events))
    for seed in range(4):
        mixed = [*events, *events[:: seed + 1]]
        random.Random(seed).shuffle(mixed)
        yield mixed


@pytest.mark.parametrize("case", cases())
def test_the_definition(case: dict[str, Any]) -> None:
    check(journeys(map(received, case["events"]), options(case.get("options", {}))), case["journeys"])


@pytest.mark.parametrize("case", cases())
def test_the_stitcher_in_any_order_and_batching(case: dict[str, Any]) -> None:
    for arrival in orders([received(short) for short in case["events"]]):
        for size in (1, 2, len(arrival)):
            stitcher = Stitcher(options(case.get("options", {})), EmptyShelf())
            for start in range(0, len(arrival), size):
                stitcher.apply(arrival[start : start + size])
            check(stitcher.journeys(), case["journeys"])


@pytest.mark.parametrize("case", cases())
def test_the_stitcher_over_a_store_with_restarts(case: dict[str, Any]) -> None:
    settings = options(case.get("options", {}))
    for arrival in orders([received(short) for short in case["events"]]):
        shelf = DictShelf()
        for event in arrival:
            stitcher = Stitcher(settings, shelf, shelf.identity_events())
            stitcher.apply([event])
            shelf.commit(stitcher.take_changes())
        stored = [event for record in shelf.records.values() for event in shelf.events_of(record)]
        check(journeys([*stored, *shelf.identity_events()], settings), case["journeys"])
        customers = sorted((record.customer_id, record.first_event_at) for record in shelf.records.values())
        assert [customer for customer, _ in customers] == [item["customer"] for item in case["journeys"]]


def test_names_are_told_apart() -> None:
    names = [param.id for param in cases()]
    assert len(names) == len(set(names)) > 100
