"""What the readers are fuzzed with before it is changed: real things, and nasty ones made by hand."""

from __future__ import annotations

import gzip
import json
import struct
from functools import cache
from pathlib import Path

import msgspec

from journeymap.journal.journal import Journal
from journeymap.journal.packed import pack
from journeymap.journal.segment import segments
from journeymap.model.time import MINUTE
from journeymap.simulator.publicapi.chronicle import Chronicle
from journeymap.simulator.publicapi.conversation import DETAIL_KINDS
from journeymap.simulator.publicapi.details import body, topic_of
from journeymap.simulator.publicapi.records import record
from journeymap.simulator.publicapi.snapshots import snapshot
from journeymap.simulator.story import Story

NOON = 1_790_000_000_000
"""A moment of the simulated platform's story."""

CALLBACK_URL = "wss://stream.example/api/v2/eventstreams/callbacks/3f2a"
CONNECTION_ID = "3f2a9c0d11e2b4a6"


@cache
def events() -> tuple[bytes, ...]:
    """Events of the simulated platform, some of each type."""
    return tuple(msgspec.json.encode(event) for _, event in Story(1, 20).events(NOON, NOON + 10_000))


@cache
def messages() -> tuple[bytes, ...]:
    """What the simulated platform's public APIs tell of a conversation: detail events, a snapshot, a record."""
    chronicle = Chronicle(Story(1, 20))
    one = next(
        one
        for each in chronicle.open_between(NOON, NOON + MINUTE)
        if len((one := chronicle.conversation(each)).moments) > 8
    )
    end = one.moments[-1].at
    told = [
        {"topicName": topic_of(one, moment), "version": "2", "eventBody": body(one, moment)}
        for moment in one.moments
        if moment.kind in DETAIL_KINDS
    ]
    shown = {"topicName": "v2.routing.queues.q.conversations", "eventBody": snapshot(one, end)}
    envelope = {"detail-type": "v2.detail.events.conversation.{id}.acw", "detail": told[-1]}
    return tuple(_json(each) for each in (*told, shown, record(one, end), envelope))


@cache
def frames() -> tuple[bytes, ...]:
    """Frames of an event stream, and lines of a file."""
    told = events()
    merged = {"eventId": "m1", "type": "customer.merged", "timestamp": NOON}
    odd = {"type": "interaction.started", "timestamp": "2026-09-21T13:33:20.5+02:00", "payload": {"interactionId": 17}}
    return (
        *told,
        *messages(),
        b"[" + b",".join(told[:3]) + b"]",
        b'{"events":[' + b",".join(told[3:9]) + b"]}",
        b'{"events":[]}',
        b"[]",
        b'{"type":"heartbeat"}',
        b'{"type":"throttle","retryAfterSeconds":5,"dropped":12}',
        _json({"type": "connection.opened", "connectionId": CONNECTION_ID, "callbackUrl": CALLBACK_URL}),
        _json({**merged, "payload": {"fromCustomerId": "c1", "toCustomerId": "c2"}}),
        _json({**merged, "type": "customer.split", "payload": {"fromCustomerId": 1, "toCustomerId": "c2"}}),
        _json(odd),
        _json({**odd, "payload": {"interactionId": "i1", "durationSeconds": 1e10, "channelType": "VOICE"}}),
        _json({**odd, "timestamp": NOON + 0.5, "eventId": 5, "type": "note.added"}),
        b'{"type":"a","type":"conversation.ended","timestamp":1790000000000,"payload":{"interactionId":"i","interactionId":"j"}}',
        b'{"type":"heartbeat","events":[' + told[0] + b"]}",
        '{"type":"notiz","timestamp":1790000000000,"payload":{"interactionId":"ä\\u00e4𝄞\\ud834\\udd1e"}}'.encode(),
        b'{"a":' * 30 + told[1] + b"}" * 30,
        b"",
        b"null",
        b"\xff\xfe",
    )


@cache
def streams() -> tuple[bytes, ...]:
    """What a WebSocket server sends after the handshake."""
    told = events()
    text = [ws_frame(1, event) for event in told[:8]]
    return (
        b"".join(text),
        text[0] + ws_frame(9, b"ping") + text[1] + ws_frame(8, b"\x03\xe9going away"),
        ws_frame(1, told[0][:40], final=False) + ws_frame(9, b"") + ws_frame(0, told[0][40:]),
        ws_frame(2, b"\x00" * 70) + ws_frame(1, b"") + ws_frame(10, b"x" * 125),
        ws_frame(1, b"y" * 70_000) + text[2],
        ws_frame(8, (1013).to_bytes(2, "big") + b"retry after 5 s"),
        b"\x81\x7f" + (1 << 40).to_bytes(8, "big") + b"z" * 50,
        b"\x81\xfe\x00\x05abcdhello",
        b"\xc1\x02hi",
    )


@cache
def headers() -> tuple[bytes, ...]:
    """Values of `Retry-After`, and reasons of close frames."""
    return (
        b"120", b" 5 ", b"2.5", b"0", b"999999999999", b"Wed, 21 Oct 2026 07:28:00 GMT", b"Wednesday, 21-Oct-26 07:28:00 GMT",
        b"Wed Oct 21 07:28:00 2026", b"Wed, 21 Oct 2026 07:28:00 -0730", b"21 Oct 2026", b"retry after 5",
        b"try again in 30 seconds", b"", b"-1", b"soon",
    )  # fmt: skip


@cache
def answers() -> tuple[bytes, ...]:
    """Bodies of HTTP answers: metadata, tokens, subscriptions, problems."""
    subscription = {"id": "sub-1", "callbackUrl": CALLBACK_URL, "connectionId": CONNECTION_ID, "status": "active"}
    return (
        _json({"issuer": "https://login.example", "token_endpoint": "https://login.example/oauth/token"}),
        _json(
            {"access_token": "sim-abcDEF012", "token_type": "bearer", "expires_in": 3600, "scope": "eventstream.read"}
        ),
        _json({"access_token": "t", "expires_in": "1800"}),
        _json({"error": "invalid_client", "error_description": "unknown client id or wrong secret"}),
        _json(subscription),
        _json({**subscription, "id": 17, "status": None}),
        _json({"id": "sub-2"}),
        _json({"type": "about:blank", "title": "Not authorized", "status": 401}),
        b"[]",
        b"",
        b"<html>",
    )


@cache
def secrets() -> tuple[bytes, ...]:
    """Things that hold secrets in all the ways people write them, and some that only look so."""
    inner = json.dumps({"password": "hunter2 \\\\ or 1", "user": "ann"})
    return (
        *answers(),
        *frames()[-14:],
        _json({"headers": {"Authorization": "Bearer abc.def.ghi", "Cookie": "a=b; c=d"}, "api-key": [1, {"x": "y"}]}),
        _json({"payload": {"body": inner, "clientSecret": "s3cr3t-s3cr3t", "again": "s3cr3t-s3cr3t"}}),
        _json([{"name": "db.password", "value": "pa55"}, {"token": None, "tokens": True, "private_key": 17}]),
        b"GET /x?access_token=abcdef&b=1 HTTP/1.1\r\nAuthorization: Basic dXNlcjpwYXNz\r\nCookie: sid=1; x=2\r\n\r\n",
        b"<user><password>hunter2</password></user> https://ann:pw@host/path eyJhbGciOi.eyJzdWIiOiIx.sig",
        b"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
        '{"token":"abc"}'.encode("utf-16"),
    )


@cache
def lines() -> tuple[bytes, ...]:
    """Files of recorded events, plain and gzip."""
    text = b"\n".join(events()[:12])
    return (
        text,
        text.replace(b"\n", b"\r\n") + b"\n",
        b"\xef\xbb\xbf" + text,
        gzip.compress(text, mtime=0),
        b"\n \n",
        b"",
    )


def journal_files(folder: Path, frames_of: tuple[bytes, ...]) -> None:
    """A journal of several segments, every other one packed, that holds these frames."""
    journal = Journal.open(folder, segment_bytes=4_096)
    for number, frame in enumerate(frames_of):
        journal.append(("eventstreams", "file")[number % 7 == 0], frame, NOON + number)
    journal.close()
    for segment in segments(folder)[:-1:2]:
        pack(segment)


def ws_frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """A WebSocket frame as a server sends it (RFC 6455, section 5.2)."""
    first = bytes((opcode | 0x80 * final,))
    if len(payload) < 126:
        return first + bytes((len(payload),)) + payload
    if len(payload) < 1 << 16:
        return first + struct.pack(">BH", 126, len(payload)) + payload
    return first + struct.pack(">BQ", 127, len(payload)) + payload


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
