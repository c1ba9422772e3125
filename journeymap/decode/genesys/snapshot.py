"""Snapshots: a conversation as it stands at the moment, whole, each time something in it has changed. Also the answer to
`GET /api/v2/conversations/{id}`, which says more of times.

One snapshot is read by itself here; `memory` tells one from the next.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from journeymap.decode.genesys import course
from journeymap.decode.genesys.course import Session, Wrapup
from journeymap.decode.genesys.fact import Scene
from journeymap.decode.genesys.reading import first_date, length, mapping, objects, present, text
from journeymap.decode.genesys.spelling import enumeration
from journeymap.decode.timestamp import read_date
from journeymap.model.time import Millis

MEDIA: Final = {
    "calls": "voice", "callbacks": "callback", "chats": "chat", "emails": "email", "messages": "message",
    "internalMessages": "internalmessage", "videos": "video", "socialExpressions": "socialexpression",
    "cobrowsesessions": "cobrowse", "screenshares": "screenshare",
}  # fmt: skip
"""The lists of a participant's communications, and the medium of each."""

_OVER: Final = frozenset({"terminated", "disconnected"})
_RINGING: Final = frozenset({"alerting", "contacting", "dialing", "offering"})
_SUPERVISING: Final = ("monitoredParticipantId", "coachedParticipantId", "bargedParticipantId")


class Snapshot(msgspec.Struct, frozen=True):
    """One snapshot. `held` are the sessions on hold, each with its start, `talking` those that are not. `contacts` and
    `attributes` are by participant."""

    conversation_id: str
    sessions: tuple[Session, ...]
    held: dict[str, Millis]
    talking: frozenset[str]
    contacts: dict[str, tuple[Scene, str]]
    attributes: dict[str, tuple[Scene, dict[str, Any]]]


def read(body: dict[str, Any], arrived_at: Millis) -> Snapshot | str:
    """A snapshot, or the reason why it is none. `arrived_at` dates what it gives no time for; 0 is not known."""
    conversation_id = text(body.get("id")) or text(body.get("conversationId"))
    if conversation_id is None:
        return "no-conversation"
    sessions: list[Session] = []
    held: dict[str, Millis] = {}
    talking: set[str] = set()
    contacts: dict[str, tuple[Scene, str]] = {}
    attributes: dict[str, tuple[Scene, dict[str, Any]]] = {}
    for participant in objects(body.get("participants")):
        mine = [
            (item, session)
            for name, media in MEDIA.items()
            for item in objects(participant.get(name))
            if (session := _session(conversation_id, participant, item, media, arrived_at)) is not None
        ]
        sessions += [session for _, session in mine]
        for item, session in mine:
            start = read_date(item.get("startHoldTime")) if item.get("held") is True else None
            if start is not None and session.ended is None:
                held[session.scene.session_id] = start
            elif item.get("held") is not True and session.ended is None:
                talking.add(session.scene.session_id)
        if mine:
            scene = mine[0][1].scene
            who = text(participant.get("id")) or scene.session_id
            contact = text(participant.get("externalContactId"))
            if contact and mine[0][1].purpose in course.CUSTOMERS:
                contacts[who] = (scene, contact)
            if given := mapping(participant.get("attributes")):
                attributes[who] = (scene, given)
    return Snapshot(
        conversation_id,
        tuple(sessions),
        held,
        frozenset(talking),
        contacts,
        attributes,
    )


def _session(
    conversation_id: str, participant: dict[str, Any], item: dict[str, Any], media: str, arrived_at: Millis
) -> Session | None:
    session_id = text(item.get("id"))
    if session_id is None:
        return None
    purpose = (text(participant.get("purpose")) or "").lower()
    state = (text(item.get("state")) or "").lower()
    segments = _segments(item)
    if any(participant.get(name) for name in _SUPERVISING):
        media = "monitoring"
    estimated = set()
    clock = arrived_at or None
    connected = first_date(item.get("connectedTime"))
    ended = None
    if state in _OVER:
        ended = first_date(item.get("disconnectedTime"), participant.get("endTime"))
        if ended is None and clock is not None:
            ended = clock
            estimated.add("ended")
    started = first_date(segments[0][1] if segments else None, item.get("startAlertingTime"))
    if purpose in course.AGENTS:
        if started is None and state in _RINGING and clock is not None:
            started = clock
            estimated.add("started")
    else:
        started = first_date(started, connected, participant.get("startTime"), participant.get("connectedTime"))
        if started is None and clock is not None:
            started = clock
            estimated.add("started")
        if connected is None and state not in _RINGING:
            connected = first_date(participant.get("connectedTime"), started)
    return Session(
        Scene(
            conversation_id, session_id, "snapshot", media, _fields(participant, item, purpose, chat=media == "chat")
        ),
        purpose,
        started=started,
        connected=connected,
        ended=ended,
        disconnect=enumeration(item.get("disconnectType")),
        agent=text(participant.get("userId")),
        holds=_holds(item, segments, ended),
        wrapups=_wrapup(participant, item),
        on_end={"disconnectReasons": item["disconnectReasons"]} if objects(item.get("disconnectReasons")) else {},
        estimated=frozenset(estimated),
    )


def _segments(item: dict[str, Any]) -> list[tuple[str, Millis, Millis | None]]:
    """The segments that only the answer to `GET` has: kind, start, end."""
    found = [
        ((text(segment.get("type")) or "").lower(), start, read_date(segment.get("endTime")))
        for segment in objects(item.get("segments"))
        if (start := read_date(segment.get("startTime"))) is not None
    ]
    return sorted(found, key=lambda segment: (segment[1], segment[2] or 0))


def _holds(
    item: dict[str, Any], segments: list[tuple[str, Millis, Millis | None]], ended: Millis | None
) -> tuple[tuple[Millis, Millis | None], ...]:
    found = [(start, None if end == ended else end) for kind, start, end in segments if kind == "hold" and start != end]
    now = read_date(item.get("startHoldTime")) if item.get("held") is True else None
    if now is not None and now not in [start for start, _ in found]:
        found.append((now, None))
    return tuple(found)


def _wrapup(participant: dict[str, Any], item: dict[str, Any]) -> tuple[Wrapup, ...]:
    """After-call work that is over. It stands on the communication, or only on the participant."""
    work = mapping(item.get("afterCallWork"))
    given = mapping(item.get("wrapup")) or mapping(participant.get("wrapup"))
    at = first_date(work.get("endTime"), participant.get("endAcwTime"), given.get("endTime"))
    if at is None:
        return ()
    lasted = length(given.get("durationSeconds"))
    fields = {
        "disposition": text(given.get("code")),
        "wrapupNotes": text(given.get("notes")),
        "wrapUpTags": given.get("tags"),
        "wrapupDurationMs": None if lasted is None else lasted * 1000,
        "afterCallWork": text(work.get("state")),
    }
    return (Wrapup(at, present(fields)),)


def _fields(participant: dict[str, Any], item: dict[str, Any], purpose: str, *, chat: bool) -> dict[str, Any]:
    """What all events of a session carry, in the names of detail events. A chat has no direction: customers begin it."""
    common = {
        "participantId": text(participant.get("id")),
        "direction": (enumeration(item.get("direction")) or ("INBOUND" if chat else "")).lower(),
        "provider": text(item.get("provider")),
        "peerId": text(item.get("peerId")),
        "messageType": enumeration(item.get("type")),
    }
    if purpose in course.CUSTOMERS:
        common |= _customer_fields(participant, item)
    else:
        common["queueName"] = text(participant.get("queueId"))
        common["participantName"] = text(participant.get("name"))
    return present(common)


def _customer_fields(participant: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    sender, receiver = mapping(item.get("fromAddress")), mapping(item.get("toAddress"))
    address = text(participant.get("address"))
    on_the_phone = address is not None and address.startswith(("tel:", "sip:"))
    # The address is the customer's, whoever called whom.
    called = on_the_phone and (text(item.get("direction")) or "").lower() == "outbound"
    return {
        "customerId": text(participant.get("externalContactId")),
        "externalOrganizationId": text(participant.get("externalOrganizationId")),
        "participantName": text(participant.get("name")),
        "ani": text(participant.get("ani")) or (address if on_the_phone and not called else None),
        "dnis": address if called else text(participant.get("dnis")) or _own_number(item),
        "addressFrom": text(sender.get("addressNormalized")) or (None if on_the_phone else address),
        "addressTo": text(receiver.get("addressNormalized")),
        "subject": text(item.get("subject")),
        "callbackUserName": text(item.get("callbackUserName")),
        "callbackNumbers": item.get("callbackNumbers"),
        "callbackScheduledTime": read_date(item.get("callbackScheduledTime")),
        "journeyContext": mapping(item.get("journeyContext")),
    }


def _own_number(item: dict[str, Any]) -> str | None:
    return text(mapping(item.get("self")).get("addressNormalized"))
