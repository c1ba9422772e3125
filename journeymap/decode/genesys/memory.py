"""What successive snapshots of conversations have told already, so that each tells only what is new: bounded, and lost without
harm, since a fact that is told again has the same id."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Any, Final

import msgspec

from journeymap.decode.genesys import course
from journeymap.decode.genesys.course import Session
from journeymap.decode.genesys.fact import ESTIMATE, Fact, Scene, digest
from journeymap.decode.genesys.hold import Hold
from journeymap.decode.genesys.snapshot import Snapshot, read
from journeymap.model.event import (
    ACD_END,
    ATTRIBUTES,
    CONTACT,
    CUSTOMER_END,
    FLOW_END,
    HOLD_END,
    USER_ANSWER,
    USER_END,
    VOICEMAIL_END,
)
from journeymap.model.time import Millis

MAX_CONVERSATIONS: Final = 20_000
"""So many conversations are remembered, those of the latest snapshots."""

MAX_TOLD: Final = 1_000
"""So many facts are remembered of one conversation, the latest."""

MAX_TAKEN: Final = 8
"""So many snapshots of one conversation are known when they come again, the latest."""

_ENDS: Final = (CUSTOMER_END, FLOW_END, ACD_END, USER_END, VOICEMAIL_END)

_encode = msgspec.json.Encoder().encode


class Remembered(msgspec.Struct):
    """One conversation: what it `told` (event ids with a mark of the content), the sessions on hold, the contact last seen of
    each participant, and marks of the snapshots `taken`."""

    told: dict[str, bytes] = {}
    holds: dict[str, Hold] = {}
    contacts: dict[str, str] = {}
    taken: dict[bytes, None] = {}


class Snapshots:
    """Turns successive snapshots into facts. Not for several threads at once."""

    def __init__(self, max_conversations: int = MAX_CONVERSATIONS) -> None:
        self._max = max_conversations
        self._known: OrderedDict[str, Remembered] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def take(self, body: dict[str, Any], arrived_at: Millis) -> list[Fact] | str:
        """What is new in a snapshot, or the reason why it is none. `arrived_at` (0: not known) dates what has no time of its
        own; without it, such facts are left out."""
        snapshot = read(body, arrived_at)
        if isinstance(snapshot, str):
            return snapshot
        known = self._known.pop(snapshot.conversation_id, None)
        first = known is None
        known = known or Remembered()
        again = _was_taken(body, known)
        facts = [] if again else course.facts(snapshot.sessions)
        latest = max((fact["timestamp"] for fact in facts), default=None)
        facts += _resumed(snapshot, known, arrived_at, again=again)
        if latest is not None:
            facts += _undated(snapshot, known, latest)
        if not facts and first:
            return "nothing-told"
        if not again:
            _remember(snapshot, known, arrived_at)
        self._known[snapshot.conversation_id] = known
        while len(self._known) > self._max:
            self._known.popitem(last=False)
        return [fact for fact in facts if _is_new(fact, known)]


def _was_taken(body: dict[str, Any], known: Remembered) -> bool:
    """Whether this very snapshot was taken already; from now on it was."""
    mark = _mark(body)
    again = mark in known.taken
    known.taken.pop(mark, None)
    known.taken[mark] = None
    if len(known.taken) > MAX_TAKEN:
        del known.taken[next(iter(known.taken))]
    return again


def _remember(snapshot: Snapshot, known: Remembered, now: Millis) -> None:
    for session_id, start in snapshot.held.items():
        if len(known.holds) < MAX_TOLD:
            known.holds.setdefault(session_id, Hold(start, now))
    known.contacts |= {who: contact for who, (_, contact) in snapshot.contacts.items()}


def _mark(value: Any) -> bytes:
    return hashlib.blake2b(_encode(value), digest_size=8).digest()


def _is_new(fact: Fact, known: Remembered) -> bool:
    name = fact["eventId"]
    if fact["payload"]["seenIn"] == ESTIMATE and name in known.told:
        return False  # the first look at it is nearest to the truth
    mark = _mark(fact)
    if known.told.get(name) == mark:
        return False
    known.told.pop(name, None)
    known.told[name] = mark
    if len(known.told) > MAX_TOLD:
        del known.told[next(iter(known.told))]
    return True


def _resumed(snapshot: Snapshot, known: Remembered, now: Millis, *, again: bool) -> list[Fact]:
    """Holds that are over; they are forgotten. Without a clock (`now` 0) nobody can tell when."""
    found = []
    for session in snapshot.sessions if known.holds else ():
        session_id = session.scene.session_id
        hold = known.holds.get(session_id)
        if hold is None or _is_older(session, known):
            continue
        talks = session_id in snapshot.talking
        end = hold.over_at(snapshot.held.get(session_id), talks=talks, again=again, now=now)
        if end is not None or session.ended is not None:
            del known.holds[session_id]
        if end:
            who = {"agentId": session.agent}
            found.append(session.scene.tell(HOLD_END, max(hold.start, end), who, mark=hold.start, estimated=True))
    return found


def _is_older(session: Session, known: Remembered) -> bool:
    """Whether what is known to come later in a session is still to come."""
    session_id = session.scene.session_id
    if session.connected is None and f"{USER_ANSWER}:{session_id}" in known.told:
        return True
    return session.ended is None and any(f"{kind}:{session_id}" in known.told for kind in _ENDS)


def _undated(snapshot: Snapshot, known: Remembered, at: Millis) -> list[Fact]:
    """What a snapshot shows without saying when it came to be. It counts as of the latest thing that the snapshot dates: our
    clock would make a conversation that is asked for days later last until then."""
    found = []
    for who, (scene, contact) in snapshot.contacts.items():
        if known.told and known.contacts.get(who) != contact:
            found.append(scene.tell(CONTACT, at, {"externalContactId": contact}, mark=contact, estimated=True))
    for who, (scene, attributes) in snapshot.attributes.items():
        by = Scene(scene.conversation_id, who, scene.seen_in, scene.media, {"participantId": who})
        told = {"attributes": attributes}
        found.append(by.tell(ATTRIBUTES, at, told, mark=digest(attributes), estimated=True))
    return found
