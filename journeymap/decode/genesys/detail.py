"""Detail events: what the platform says the moment it happens, over a websocket or Amazon EventBridge. One is one fact; the end
of an agent's session also tells, by its lengths, when that began and was answered."""

from __future__ import annotations

from typing import Any, Final

from journeymap.decode.genesys.fact import REOPENED, Fact, Scene, about, digest
from journeymap.decode.genesys.reading import length, present, text
from journeymap.decode.genesys.spelling import enumeration, enumerations, is_transfer, medium
from journeymap.decode.timestamp import read_timestamp
from journeymap.model.event import (
    ACD_ANSWERED,
    ACD_END,
    ACD_START,
    ACW,
    ATTRIBUTES,
    CONTACT,
    CUSTOMER_END,
    CUSTOMER_START,
    FLOW_END,
    FLOW_OUTCOME,
    FLOW_START,
    OUTBOUND,
    USER_ANSWER,
    USER_END,
    USER_MISSED,
    USER_START,
    USER_TRANSFERRED,
    VOICEMAIL_END,
    VOICEMAIL_START,
    WRAPUP,
)
from journeymap.model.time import SECOND, Millis, is_usable

KINDS: Final = frozenset({
    CUSTOMER_START, CUSTOMER_END, CONTACT, ATTRIBUTES, FLOW_START, FLOW_END, FLOW_OUTCOME, ACD_START, ACD_END, USER_START,
    USER_END, ACW, WRAPUP, OUTBOUND, VOICEMAIL_START, VOICEMAIL_END,
})  # fmt: skip
"""The sixteen kinds of detail events. One of another kind is kept and changes no state."""

_ENUMERATIONS: Final = (
    "disconnectType", "messageType", "flowType", "exitReason", "transferType", "acdOutcome", "usedRouting", "flowOutcomeValue",
)  # fmt: skip
_RENAMED: Final = {
    "queueId": "queueName",
    "userId": "agentId",
    "answeredUserId": "agentId",
    "wrapupCode": "disposition",
}
_OUR_NAMES: Final = ("conversationId", "eventTime", "sessionId", "mediaType", "direction")
_BEFORE_ANSWER: Final = ("alertingDurationMs", "contactingDurationMs", "dialingDurationMs", "callbackDurationMs")
_AFTER_ANSWER: Final = ("interactingDurationMs", "heldDurationMs")


def facts(kind: str, body: dict[str, Any]) -> list[Fact] | str:
    """The facts of one event of this kind (the end of its topic), or the reason why there are none."""
    conversation_id = text(body.get("conversationId"))
    if conversation_id is None:
        return "no-conversation"
    at = read_timestamp(body.get("eventTime"))
    if at is None:
        return "bad-timestamp"
    session_id = text(body.get("sessionId")) or text(body.get("participantId")) or ""
    media = medium(body.get("mediaType"))
    scene = Scene(conversation_id, session_id, "detail", media, _fields(body))
    if kind == USER_END:
        return [*_before_the_end(scene, at, body), scene.tell(kind, at, type=_how_it_ended(body))]
    more: dict[str, Any] = {}
    named = kind
    if kind == CUSTOMER_END:
        lasted = length(body.get("interactingDurationMs"))
        more = {"durationSeconds": None if lasted is None else lasted / SECOND}
    elif kind == ACD_END and scene.fields.get("acdOutcome") == "ANSWERED":
        named = ACD_ANSWERED
    return [scene.tell(kind, at, more, type=named, mark=_mark(kind, media, body, at))]


def _mark(kind: str, media: str, body: dict[str, Any], at: Millis) -> object:
    """What makes an event of a kind that comes more than once in a session another one than the last."""
    if kind == ATTRIBUTES:
        return digest(body.get("attributes"))
    if kind == CONTACT:
        return text(body.get("externalContactId")) or at
    if kind == FLOW_OUTCOME:
        return ":".join(
            (text(body.get("flowOutcomeId")) or "", str(read_timestamp(body.get("flowOutcomeEndTime")) or at))
        )
    if kind in (ACW, WRAPUP) and media in REOPENED:
        return about(at)
    if kind not in KINDS:
        return at
    return ""


def _fields(body: dict[str, Any]) -> dict[str, Any]:
    """All fields of an event, in our names and one spelling."""
    fields = {_RENAMED.get(name, name): value for name, value in body.items() if name not in _OUR_NAMES}
    if not medium(body.get("mediaType")):
        fields["mediaType"] = enumeration(body.get("mediaType"))
    for name in _ENUMERATIONS:
        if name in fields:
            fields[name] = enumeration(fields[name])
    if "requestedRoutings" in fields:
        fields["requestedRoutings"] = enumerations(fields["requestedRoutings"])
    fields["direction"] = (enumeration(body.get("direction")) or "").lower()
    fields["customerId"] = text(body.get("externalContactId")) or _only_contact(body)
    return present(fields)


def _only_contact(body: dict[str, Any]) -> str | None:
    """The contact of a conversation that has just one: then it is the customer's, on whichever event it stands."""
    contacts = body.get("conversationExternalContactIds")
    return text(contacts[0]) if isinstance(contacts, list) and len(contacts) == 1 else None


def _how_it_ended(body: dict[str, Any]) -> str:
    """Lengths may be missing, also that of a talk that never was: what tells a missed alert is that no talk is told."""
    says_how_long = any(length(body.get(name)) is not None for name in (*_BEFORE_ANSWER, *_AFTER_ANSWER))
    if says_how_long and not sum(length(body.get(name)) or 0 for name in _AFTER_ANSWER):
        return USER_MISSED
    return USER_TRANSFERRED if is_transfer(enumeration(body.get("disconnectType"))) else USER_END


def _before_the_end(scene: Scene, end: Millis, body: dict[str, Any]) -> list[Fact]:
    """When an agent's session began and was answered, for whoever has not heard of that."""
    talked = sum(length(body.get(name)) or 0 for name in _AFTER_ANSWER)
    waited = sum(length(body.get(name)) or 0 for name in _BEFORE_ANSWER)
    who = Scene(scene.conversation_id, scene.session_id, scene.seen_in, scene.media, _who(scene.fields))
    found = []
    if waited and is_usable(end - talked - waited):
        found.append(who.tell(USER_START, end - talked - waited, estimated=True))
    if talked and is_usable(end - talked):
        found.append(who.tell(USER_ANSWER, end - talked, estimated=True))
    return found


def _who(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in ("participantId", "agentId", "queueName", "direction") if name in fields}
