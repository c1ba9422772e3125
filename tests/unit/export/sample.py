"""Journeys to export, made by hand."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from journeymap.export.formats import write_export
from journeymap.export.selection import Selection
from journeymap.model.journey import Journey
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.model.time import MINUTE, SECOND
from journeymap.stitch.definition import journeys
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.stitch.reading import ClockReading
from journeymap.testing import event
from journeymap.view.rows import whole_row

START = 1_700_000_000_000
NOW = START + 30 * MINUTE
PHONE = "+4915112345678"
CHANNELS = ("voice", "chat", "email", "message", "callback", "fax")


def reading(now: int = NOW) -> ClockReading:
    return ClockReading(now, Timeouts())


def row(number: int, customer: str | None = None, **about: Any) -> JourneyRow:
    """A journey with a closed interaction that was handed over to one that goes on."""
    start = START + number % 20 * MINUTE
    first, second = CHANNELS[number % 6], CHANNELS[(number + 1) % 6]
    queue, agent = about.get("queue", "Billing"), about.get("agent", "Ana Silva")
    handed = start + 4 * MINUTE
    interactions = (
        InteractionRow(
            f"i-{number}-0", first, "CLOSED", start, handed + MINUTE, handed + MINUTE,
            about.get("disposition", "resolved"), queue, agent,
            (("wait", start, start + MINUTE), ("interact", start + MINUTE, handed), ("wrapup", handed, handed + MINUTE)),
        ),
        InteractionRow(
            f"i-{number}-1", second, "ACTIVE", handed, NOW - MINUTE, None, None, queue, agent,
            (("wait", handed, handed + 30 * SECOND), ("interact", handed + 30 * SECOND, None)),
        ),
    )  # fmt: skip
    return JourneyRow(
        f"j-{number:020x}", customer or f"cust-{number}", start, NOW - MINUTE, NOW, 6, 2, 1, interactions,
        ((handed, f"i-{number}-0", f"i-{number}-1"),),
    )  # fmt: skip


def journey(customer: str = "cust-1", **fields: Any) -> Journey:
    """A whole journey, stitched from events: a call, and a chat that is still going on."""
    events = [
        event("interaction.created", START, "call", customerId=customer, channelType="voice", event_id="e1"),
        event("conversation.started", START + MINUTE, "call", customerId=customer, event_id="e2", **fields),
        event("conversation.ended", START + 5 * MINUTE, "call", customerId=customer, event_id="e3"),
        event(
            "interaction.created", START + 6 * MINUTE, "chat", customerId=customer, channelType="chat", event_id="e4"
        ),
    ]
    return journeys(events, StitchOptions())[0]


def of_rows(rows: Sequence[JourneyRow], **about: Any) -> Selection:
    return Selection(iter(rows), lambda _: None, reading(), **about)


def of_journeys(*whole: Journey, **about: Any) -> Selection:
    by_id = {each.journey_id: each for each in whole}
    return Selection(iter([whole_row(each) for each in whole]), by_id.get, reading(START + 10 * MINUTE), **about)


def exported(form: str, selection: Selection) -> bytes:
    out = io.BytesIO()
    write_export(form, selection, out)
    return out.getvalue()
