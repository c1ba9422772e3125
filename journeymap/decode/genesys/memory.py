"""What successive snapshots of conversations have told already, so that each tells only what is new: bounded, and lost without
harm, since a fact that is told again has the same id."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Any, Final

import msgspec

from journeymap.decode.genesys import course
from journeymap.decode.genesys.fact import ESTIMATE, Fact, Scene, digest
from journeymap.decode.genesys.snapshot import Snapshot, read
from journeymap.model.event import ATTRIBUTES, CONTACT, HOLD_END
from journeymap.model.time import Millis

MAX_CONVERSATIONS: Final = 20_000
"""So many conversations are remembered, those of the latest snapshots."""

MAX_TOLD: Final = 1_000
"""So many facts are remembered of one conversation, the latest."""


_encode = msgspec.json.Encoder().encode


class Remembered(msgspec.Struct):
    """One conversation: what it `told` (event ids with a mark of the content), which sessions are on hold since when, and the
    contact last seen of each participant."""

    told: dict[str, bytes] = {}
    holds: dict[str, Millis] = {}
    contacts: dict[str, str] = {}


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
        facts = course.facts(snapshot.sessions)
        latest = max((fact["timestamp"] for fact in facts), default=None)
        if arrived_at:
            facts += _resumed(snapshot, known, arrived_at)
        if latest is not None:
            facts += _undated(snapshot, known, latest)
        if not facts and first:
            return "nothing-told"
        known.holds = snapshot.held
        known.contacts |= {who: contact for who, (_, contact) in snapshot.contacts.items()}
        self._known[snapshot.conversation_id] = known
        while len(self._known) > self._max:
            self._known.popitem(last=False)
        return [fact for fact in facts if _is_new(fact, known)]


def _is_new(fact: Fact, known: Remembered) -> bool:
    name = fact["eventId"]
    if fact["payload"]["seenIn"] == ESTIMATE and name in known.told:
        return False  # the first look at it is nearest to the truth
    mark = hashlib.blake2b(_encode(fact), digest_size=8).digest()
    if known.told.get(name) == mark:
        return False
    known.told.pop(name, None)
    known.told[name] = mark
    if len(known.told) > MAX_TOLD:
        del known.told[next(iter(known.told))]
    return True


def _resumed(snapshot: Snapshot, known: Remembered, now: Millis) -> list[Fact]:
    """Holds that are over: only the difference to the snapshot before shows it."""
    sessions = {session.scene.session_id: session for session in snapshot.sessions}
    found = []
    for session_id, start in known.holds.items():
        again = snapshot.held.get(session_id, start)
        if session_id in snapshot.talking or again != start:
            end = max(start, now if again == start else again)
            session = sessions[session_id]
            found.append(session.scene.tell(HOLD_END, end, {"agentId": session.agent}, mark=start, estimated=True))
    return found


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
