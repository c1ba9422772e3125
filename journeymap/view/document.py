"""A whole journey as JSON (docs/http.md), for the API, for `stitch` and for exports.

Written to be quick: events are most of it, so each is spliced from two encodings and never rebuilt in Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from journeymap.model.event import Event
from journeymap.model.journey import Journey, Segment
from journeymap.model.time import Millis
from journeymap.view.names import NO_NAMES, KnownNames
from journeymap.view.reading import Reading


class _Payload(msgspec.Struct):
    payload: dict[str, Any]


class SegmentDocument(msgspec.Struct):
    """A segment; `end` is null while it is open."""

    kind: str
    start: Millis
    end: Millis | None


class InteractionDocument(msgspec.Struct):
    """An interaction as it reads at the document's `as_of`."""

    interaction_id: str
    channel: str
    state: str
    started_at: Millis
    ended_at: Millis | None
    disposition: str | None
    timed_out: bool
    segments: list[SegmentDocument]


class TransferDocument(msgspec.Struct):
    """A transfer; `to_interaction` is null while nobody took it over."""

    at: Millis
    from_interaction: str
    to_interaction: str | None


class EventDocument(msgspec.Struct):
    """What every event has; its attributes stand behind."""

    event_id: str
    type: str
    timestamp: Millis
    interaction_id: str
    channel: str


class JourneyHead(msgspec.Struct):
    """All of the document but the events, which come last."""

    journey_id: str
    customer_id: str
    state: str
    as_of: Millis
    started_at: Millis
    last_event_at: Millis
    channels: tuple[str, ...]
    interactions: list[InteractionDocument]
    transfers: list[TransferDocument]


_LEFT_OUT: Final = frozenset({"interactionId", "channelType", *EventDocument.__struct_fields__})
"""Payload fields that the event's own five say already, or that would collide with them."""

_decode_payload = msgspec.json.Decoder(_Payload).decode
_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode


def document(journey: Journey, reading: Reading, names: KnownNames = NO_NAMES) -> bytes:
    """The journey as of the reading's moment: UTF-8, no spaces, keys in the contract's order.

    Where events name ids that have `names`, these stand behind all else, by id.

    An event's attributes are sorted by name at every level. Equal journeys give equal bytes, however their events were
    spelled. Raises msgspec.DecodeError where an event's raw bytes are not those of a usable event.
    """
    shown = [reading.shown(interaction) for interaction in journey.interactions]
    interactions = [
        InteractionDocument(
            interaction.interaction_id,
            interaction.channel,
            reading_of.state,
            interaction.started_at,
            reading_of.ended_at,
            interaction.disposition,
            reading_of.timed_out,
            _segments(interaction.segments, interaction.last_event_at if reading_of.timed_out else None),
        )
        for interaction, reading_of in zip(journey.interactions, shown, strict=True)
    ]
    head = JourneyHead(
        journey.journey_id,
        journey.customer_id,
        reading.journey([each.state for each in shown]),
        reading.now,
        journey.started_at,
        journey.last_event_at,
        journey.channels,
        interactions,
        [
            TransferDocument(transfer.at, transfer.from_interaction, transfer.to_interaction)
            for transfer in journey.transfers
        ],
    )
    named: dict[str, str] = {}
    events = b",".join(_events(journey, names, named))
    told = b',"names":%s' % _encode_sorted(named) if named else b""
    return b'%s,"events":[%s]%s}' % (_encode(head)[:-1], events, told)


def _events(journey: Journey, names: KnownNames, named: dict[str, str]) -> Iterator[bytes]:
    channels = {interaction.interaction_id: interaction.channel for interaction in journey.interactions}
    for event in journey.events:
        attributes = _decode_payload(event.raw).payload
        if names:
            named.update(names.within(attributes))
        yield _event(event, event.channel or channels[event.interaction_id], attributes)


def _event(event: Event, channel: str, attributes: dict[str, Any]) -> bytes:
    for name in _LEFT_OUT.intersection(attributes):
        del attributes[name]
    head = _encode(EventDocument(event.event_id, event.type, event.timestamp, event.interaction_id, channel))
    if not attributes:
        return head
    return b"%s,%s" % (head[:-1], _encode_sorted(attributes)[1:])


def _segments(segments: tuple[Segment, ...], cut_at: Millis | None) -> list[SegmentDocument]:
    """The segments; with `cut_at` (the last event of an interaction that timed out) an open one ends there."""
    closed = []
    for segment in segments:
        end = cut_at if segment.end is None else segment.end
        # A wrap-up that a hand-over began may begin after its own interaction's last event.
        if end is None or end > segment.start:
            closed.append(SegmentDocument(segment.kind, segment.start, end))
    return closed
