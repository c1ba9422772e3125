"""A frame becomes events, or a rejection with its reason: of the event stream (docs/stitching.md, section 1), or a message of the
platform's public APIs (docs/normalisation.md).

Whatever comes in, nothing is raised: what cannot be used is a `Rejected`, whose `reason` is one of `REASONS`.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

from journeymap.decode.genesys import message
from journeymap.decode.genesys.address import keys_of
from journeymap.decode.genesys.fact import Fact
from journeymap.decode.genesys.memory import Snapshots
from journeymap.decode.timestamp import read_timestamp
from journeymap.model.event import (
    CUSTOMERS_OWN,
    IDENTITY_TYPES,
    RANKS,
    RENAMED,
    STANDINGS,
    UNKNOWN_RANK,
    Event,
    canonical_json,
)
from journeymap.model.record import Rejected
from journeymap.model.time import SECOND, Millis, is_usable

MAX_FRAME: Final = 1024 * 1024
"""Bytes of the largest frame or line that is looked at."""

MAX_DEPTH: Final = 64
"""How deeply an event's JSON may be nested."""

MAX_DURATION_SECONDS: Final = 1e10
"""A longer `durationSeconds` (three centuries) is ignored as no real duration; it would lead out of all usable times."""

REASONS: Final = {
    "too-large": "the frame is larger than 1 MiB",
    "not-utf8": "the text is not UTF-8",
    "not-json": "the text is not JSON",
    "not-an-event": "the JSON value is not an object",
    "too-deep": f"the JSON is nested more than {MAX_DEPTH} levels deep",
    "no-type": "the event has no type",
    "no-interaction": "the event has no payload.interactionId",
    "no-customers": "the event names no payload.fromCustomerId or no payload.toCustomerId",
    "bad-timestamp": "the timestamp is missing, unreadable or outside the years 2000 to 2100",
    **message.REASONS,
}
"""Reasons for rejection, and each in a sentence."""

_SAMPLE: Final = 2_000
_INTERNED: Final = {name: name for name in RANKS}

_encode_fact = msgspec.json.Encoder().encode
_decode_json = msgspec.json.Decoder().decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


class _Payload(msgspec.Struct, gc=False, rename="camel"):
    """The fields that we know, where each has the type that it should have."""

    interaction_id: str | None = None
    customer_id: str | None = None
    session_token: str | None = None
    channel_type: str | None = None
    duration_seconds: int | float | None = None
    disposition: str | None = None
    queue_name: str | None = None
    agent_id: str | None = None
    direction: str | None = None


class _Usual(msgspec.Struct, gc=False, rename="camel"):
    """An event as nearly all are: with an id, a time in milliseconds, and every known field of its type."""

    event_id: str
    type: str
    timestamp: int
    payload: _Payload


_NESTING: Final = frozenset({dict, list})
_decode_envelope = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_usual = msgspec.json.Decoder(_Usual).decode


def decode_frame(
    frame: bytes, arrived_at: Millis = 0, snapshots: Snapshots | None = None
) -> tuple[list[Event], list[Rejected]]:
    """The events of one frame: a JSON object that is an event or a message of the platform's public APIs, an array of such, or
    `{"events": […]}`.

    `arrived_at` is our clock on arrival. One unusable event in an array does not spoil the others. `snapshots` is what earlier
    ones have told; without it, each snapshot is read by itself.
    """
    if len(frame) > MAX_FRAME:
        return [], [_rejected("too-large", frame)]
    try:
        value = _decode_json(frame)
        if isinstance(value, dict) and "type" not in value and isinstance(value.get("events"), list):
            raws = [bytes(raw) for raw in _decode_array(_decode_envelope(frame)["events"])]
            values = value["events"]
        elif isinstance(value, list):
            raws = [bytes(raw) for raw in _decode_array(frame)]
            values = value
        else:
            raws, values = [frame], [value]
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        return [], [_rejected(_why_not_json(frame, error), frame)]
    events: list[Event] = []
    rejected: list[Rejected] = []
    for raw, item in zip(raws, values, strict=True):
        if isinstance(item, dict) and message.speaks(item):
            _decode_message(item, raw, arrived_at, snapshots, events, rejected)
            continue
        result = decode_value(item, raw, arrived_at)
        if isinstance(result, Event):
            events.append(result)
        else:
            rejected.append(result)
    return events, rejected


def _decode_message(
    value: dict[str, Any],
    raw: bytes,
    arrived_at: Millis,
    snapshots: Snapshots | None,
    events: list[Event],
    rejected: list[Rejected],
) -> None:
    if _is_deeper(value, MAX_DEPTH):
        rejected.append(_rejected("too-deep", raw))
        return
    facts, reasons = message.facts(value, arrived_at, Snapshots() if snapshots is None else snapshots)
    rejected += [_rejected(reason, raw) for reason in reasons]
    for fact in facts:
        result = _decode_fact(fact, _encode_fact(fact), arrived_at)
        if isinstance(result, Event):
            events.append(result)
        else:
            rejected.append(_rejected(result.reason, raw))


def _decode_fact(fact: Fact, raw: bytes, arrived_at: Millis) -> Event | Rejected:
    """As `decode_value`; none of these is of the short way."""
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _is_deeper(fact, MAX_DEPTH):
        return _rejected("too-deep", raw)
    return _decode_odd(fact, raw, arrived_at)


def decode_raw(raw: bytes, arrived_at: Millis = 0) -> Event:
    """An event again from its raw bytes as stored. Raises ValueError where they are not those of a usable event."""
    events, _ = decode_frame(raw, arrived_at)
    if len(events) != 1:
        raise ValueError("stored bytes are not one usable event")
    return events[0]


def decode_value(value: Any, raw: bytes, arrived_at: Millis = 0) -> Event | Rejected:
    """One parsed JSON value as an event; `raw` is its text."""
    if not isinstance(value, dict):
        return _rejected("not-an-event", raw)
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        return _rejected("too-deep", raw)
    try:
        usual = _decode_usual(raw)
    except msgspec.ValidationError:
        return _decode_odd(value, raw, arrived_at)
    return _usual_event(usual, raw, arrived_at) or _decode_odd(value, raw, arrived_at)


def _usual_event(usual: _Usual, raw: bytes, arrived_at: Millis) -> Event | None:
    """The short way, for nearly all events; None where it is not short. It agrees with `_decode_odd` (a property test)."""
    payload = usual.payload
    rank = RANKS.get(usual.type)
    if (
        rank is None
        or rank >= UNKNOWN_RANK
        or not usual.event_id
        or not payload.interaction_id
        or not is_usable(usual.timestamp)
    ):
        return None
    return Event(
        usual.timestamp,
        rank,
        usual.event_id,
        payload.interaction_id,
        _INTERNED[usual.type],
        raw,
        payload.customer_id or None,
        payload.session_token or None,
        payload.channel_type.lower() if payload.channel_type else None,
        None if payload.duration_seconds is None else _duration(payload.duration_seconds),
        payload.disposition or None,
        payload.queue_name or None,
        payload.agent_id or None,
        arrived_at=arrived_at,
        direction=payload.direction.lower() if payload.direction else None,
    )


def _decode_odd(value: dict[str, Any], raw: bytes, arrived_at: Millis) -> Event | Rejected:
    event_type = _text(value.get("type"))
    if event_type is None:
        return _rejected("no-type", raw)
    event_type = RENAMED.get(event_type, event_type)
    timestamp = read_timestamp(value.get("timestamp"))
    if timestamp is None:
        return _rejected("bad-timestamp", raw)
    payload = value.get("payload")
    if not isinstance(payload, dict):
        payload = {}
    if event_type in IDENTITY_TYPES:
        interaction_id = ""
        from_customer, to_customer = _text(payload.get("fromCustomerId")), _text(payload.get("toCustomerId"))
        if from_customer is None or to_customer is None:
            return _rejected("no-customers", raw)
    else:
        from_customer = to_customer = None
        named = _text(payload.get("interactionId"))
        if named is None:
            return _rejected("no-interaction", raw)
        interaction_id = named
    channel = _text(payload.get("channelType"))
    direction = _text(payload.get("direction"))
    rank = RANKS.get(event_type, UNKNOWN_RANK)
    standing = STANDINGS.get(_text(payload.get("seenIn")) or "", 0) if rank >= UNKNOWN_RANK else 0
    customers_own = bool(standing) and event_type in CUSTOMERS_OWN
    return Event(
        timestamp=timestamp,
        rank=rank,
        event_id=_text(value.get("eventId")) or _made_id(event_type, timestamp, value.get("payload")),
        interaction_id=interaction_id,
        type=event_type,
        raw=raw,
        customer_id=_text(payload.get("customerId")),
        session_token=_text(payload.get("sessionToken")),
        channel=channel.lower() if channel else None,
        duration=_duration(payload.get("durationSeconds")),
        disposition=_text(payload.get("disposition")),
        queue=_text(payload.get("queueName")),
        agent=_text(payload.get("agentId")),
        from_customer=from_customer,
        to_customer=to_customer,
        arrived_at=arrived_at,
        direction=direction.lower() if direction else None,
        leg=_text(payload.get("sessionId")) if rank > UNKNOWN_RANK else None,
        standing=standing,
        party=_text(payload.get("participantId")) or _text(payload.get("sessionId")) if customers_own else None,
        keys=keys_of(payload) if customers_own else (),
    )


def _text(value: Any) -> str | None:
    """A non-empty string; a whole number counts as its digits, anything else as missing."""
    if type(value) is str:
        return value or None
    return str(value) if type(value) is int else None


def _duration(value: Any) -> Millis | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MAX_DURATION_SECONDS:
        return None
    return round(value * SECOND)


def _made_id(event_type: str, timestamp: Millis, payload: Any) -> str:
    spelled = canonical_json([event_type, timestamp, payload])
    return "h-" + hashlib.sha256(spelled.encode("ascii")).hexdigest()


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether arrays and objects, as the decoder makes them, lie in each other at more levels."""
    layer = [value] if type(value) in _NESTING else []
    for _ in range(levels):
        layer = [
            child
            for item in layer
            for child in (item.values() if type(item) is dict else item)
            if type(child) in _NESTING
        ]
        if not layer:
            return False
    return True


def _why_not_json(frame: bytes, error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "too-deep"
    if isinstance(error, UnicodeDecodeError):
        return "not-utf8"
    try:
        frame.decode("utf-8")
    except UnicodeDecodeError:
        return "not-utf8"
    return "not-json"


def _rejected(reason: str, raw: bytes) -> Rejected:
    return Rejected(reason, REASONS[reason], raw[:_SAMPLE], len(raw))
