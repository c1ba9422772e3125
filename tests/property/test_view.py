"""Rows on the wire, summaries and documents of one journey tell the same story at any moment."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from journeymap.model.event import Event
from journeymap.model.time import MINUTE
from journeymap.stitch.definition import journeys
from journeymap.stitch.hot import EmptyShelf
from journeymap.stitch.reading import ClockReading
from journeymap.stitch.stitcher import Stitcher
from journeymap.view.document import document
from journeymap.view.summary import summary
from journeymap.view.tracks import KINDS, wire_row
from tests.property.soups import OPTIONS, START, soups


@given(soups, st.integers(0, 600).map(lambda n: START + n * MINUTE))
@settings(max_examples=150, deadline=None)
def test_a_row_agrees_with_the_document(soup: list[Event], now: int) -> None:
    stitcher = Stitcher(OPTIONS, EmptyShelf())
    stitcher.apply(soup)
    rows = {row.journey_id: row for row in stitcher.take_rows(now).rows}
    reading = ClockReading(now, OPTIONS.timeouts)
    for journey in journeys(soup, OPTIONS):
        told = json.loads(document(journey, reading))
        wire = wire_row(rows[journey.journey_id], reading)
        short = summary(rows[journey.journey_id], reading)
        origin = wire[4]
        assert (told["customer_id"], told["state"], told["started_at"]) == (wire[2], wire[3], origin)
        assert told["last_event_at"] == origin + wire[5]
        assert (
            (len(told["events"]), len(told["interactions"])) == (wire[7], wire[8]) == (short.events, short.interactions)
        )
        assert (told["state"], told["channels"], len(told["transfers"])) == (
            short.state,
            short.channels,
            short.transfers,
        )
        for part, bar in zip(told["interactions"], wire[9], strict=True):
            assert (part["interaction_id"], part["channel"], part["state"], part["timed_out"]) == (
                *bar[:3],
                bool(bar[3]),
            )
            assert part["started_at"] == origin + bar[4]
            assert part["ended_at"] == (None if bar[6] is None else origin + bar[6])
            assert part["disposition"] == bar[7]
            assert [(KINDS[each["kind"]], each["start"], each["end"]) for each in part["segments"]] == [
                (kind, origin + start, None if length < 0 else origin + start + length)
                for kind, start, length in bar[10:]
            ]
        ids = [part["interaction_id"] for part in told["interactions"]]
        assert [(each["at"], each["from_interaction"], each["to_interaction"]) for each in told["transfers"]] == [
            (origin + at, ids[source], None if to is None else ids[to]) for at, source, to in wire[10]
        ]
