"""Analytics records: a conversation as it is kept, whole or still going on. Its segments are read as the course of sessions."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from journeymap.decode.genesys import course
from journeymap.decode.genesys.course import Outcome, Session, Wrapup
from journeymap.decode.genesys.fact import Fact, Scene
from journeymap.decode.genesys.reading import first_date, mapping, objects, present, text
from journeymap.decode.genesys.spelling import enumeration, enumerations, medium
from journeymap.decode.timestamp import read_date
from journeymap.model.time import Millis

_TALK: Final = frozenset({"interact", "hold"})
_LISTENING: Final = frozenset({"monitoring", "coaching", "barging", "screenmonitoring"})
_BEFORE: Final = frozenset({"system", "delay", "contacting", "dialing", "alert", "scheduled"})
"""What comes before a flow or a queue has the customer."""

_KEPT: Final = (
    "provider", "peerId", "ani", "dnis", "addressFrom", "addressTo", "addressSelf", "addressOther", "remote", "callbackUserName",
    "callbackNumbers", "callbackScheduledTime", "journeyCustomerId", "journeyCustomerIdType", "journeyCustomerSessionId",
    "journeyCustomerSessionIdType", "authenticated", "outboundCampaignId", "outboundContactListId", "outboundContactId",
)  # fmt: skip


class _Segment(msgspec.Struct, frozen=True):
    kind: str
    start: Millis
    end: Millis | None
    fields: dict[str, Any]


def facts(record: dict[str, Any]) -> list[Fact] | str:
    """The facts of one conversation's record, or the reason why there are none."""
    conversation_id = text(record.get("conversationId"))
    if conversation_id is None:
        return "no-conversation"
    over = read_date(record.get("conversationEnd")) is not None
    sessions = [
        found
        for participant in objects(record.get("participants"))
        for item in objects(participant.get("sessions"))
        if (found := _session(conversation_id, participant, item, over)) is not None
    ]
    return course.facts(sessions) or "nothing-told"


def _session(
    conversation_id: str, participant: dict[str, Any], item: dict[str, Any], conversation_over: bool
) -> Session | None:
    session_id = text(item.get("sessionId"))
    segments = _segments(item)
    own = [segment for segment in segments if segment.kind != "wrapup"]
    if session_id is None or not segments:
        return None
    purpose = (text(participant.get("purpose")) or "").lower()
    last = own[-1] if own else None
    disconnect = enumeration(last.fields.get("disconnectType")) if last else None
    sure = conversation_over or disconnect is not None or len(own) < len(segments)
    ended = last.end if last and sure else None
    media = medium(item.get("mediaType"))
    if own and all(segment.kind in _LISTENING for segment in own):
        media = "monitoring"
    queue = None
    if purpose not in course.CUSTOMERS:
        queue = next((name for segment in segments if (name := text(segment.fields.get("queueId")))), None)
    common: dict[str, Any] = {
        "participantId": text(participant.get("participantId")),
        "participantName": text(participant.get("participantName")),
        "queueName": queue,
        "direction": (enumeration(item.get("direction")) or "").lower(),
        "messageType": enumeration(item.get("messageType")),
        **{name: item[name] for name in _KEPT if name in item},
    }
    if purpose in course.CUSTOMERS:
        common["customerId"] = text(participant.get("externalContactId"))
        common["externalOrganizationId"] = text(participant.get("externalOrganizationId"))
        common["subject"] = next((name for segment in own if (name := text(segment.fields.get("subject")))), None)
    flow = mapping(item.get("flow"))
    of_flow = _flow_fields(flow) if flow else {}
    return Session(
        Scene(conversation_id, session_id, "analytics", media, present(common)),
        purpose,
        started=own[0].start if own else None,
        connected=_connected(purpose, own, ended),
        ended=ended,
        disconnect=disconnect,
        agent=text(participant.get("userId")),
        holds=_holds(own, ended),
        wrapups=_wrapups(segments),
        outcomes=_outcomes(flow),
        on_start=of_flow,
        on_end=present({**of_flow, **(_flow_end(flow) if flow else {}), **_queue_end(item)}),
    )


def _segments(item: dict[str, Any]) -> list[_Segment]:
    found = []
    for segment in objects(item.get("segments")):
        start = read_date(segment.get("segmentStart"))
        if start is not None:
            end = read_date(segment.get("segmentEnd"))
            kind = (text(segment.get("segmentType")) or "").lower()
            found.append(_Segment(kind, start, None if end is None else max(start, end), segment))
    return sorted(found, key=lambda segment: (segment.start, segment.end is None, segment.end or 0))


def _connected(purpose: str, own: list[_Segment], ended: Millis | None) -> Millis | None:
    """When the flow or queue had the customer, or when the agent answered."""
    if purpose in course.AGENTS:
        return next((segment.start for segment in own if segment.kind in _TALK), None)
    inside = next((segment.start for segment in own if segment.kind not in _BEFORE), None)
    return own[0].start if inside is None and own and ended is not None else inside


def _holds(own: list[_Segment], ended: Millis | None) -> tuple[tuple[Millis, Millis | None], ...]:
    """Stretches of hold, those that touch taken together; None for an end that is not there or is the session's."""
    found: list[tuple[Millis, Millis | None]] = []
    for segment in own:
        if segment.kind != "hold" or segment.start == segment.end:
            continue
        end = None if segment.end == ended else segment.end
        if found and found[-1][1] == segment.start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((segment.start, end))
    return tuple(found)


def _wrapups(segments: list[_Segment]) -> tuple[Wrapup, ...]:
    return tuple(
        Wrapup(
            segment.end,
            present({
                "disposition": text(segment.fields.get("wrapUpCode")),
                "wrapupNotes": text(segment.fields.get("wrapUpNote")),
                "wrapUpTags": segment.fields.get("wrapUpTags"),
                "wrapupDurationMs": segment.end - segment.start,
            }),
        )
        for segment in segments
        if segment.kind == "wrapup" and segment.end is not None
    )  # fmt: skip


def _flow_fields(flow: dict[str, Any]) -> dict[str, Any]:
    kept = {name: flow.get(name) for name in ("flowId", "flowName", "flowVersion", "entryType", "entryReason")}
    return present({**kept, "flowType": enumeration(flow.get("flowType"))})


def _flow_end(flow: dict[str, Any]) -> dict[str, Any]:
    return {
        "exitReason": enumeration(flow.get("exitReason")),
        "transferType": enumeration(flow.get("transferType")),
        "transferTargetName": text(flow.get("transferTargetName")),
    }


def _queue_end(item: dict[str, Any]) -> dict[str, Any]:
    abandoned = any(metric.get("name") == "tAbandon" for metric in objects(item.get("metrics")))
    return {
        "acdOutcome": "ABANDON" if abandoned else None,
        "usedRouting": enumeration(item.get("usedRouting")),
        "requestedRoutings": enumerations(item.get("requestedRoutings")),
    }


def _outcomes(flow: dict[str, Any]) -> tuple[Outcome, ...]:
    found = []
    for item in objects(flow.get("outcomes")):
        at = first_date(item.get("flowOutcomeEndTimestamp"), item.get("flowOutcomeStartTimestamp"))
        outcome_id = text(item.get("flowOutcomeId"))
        if at is not None and outcome_id is not None:
            value = enumeration(item.get("flowOutcomeValue") or item.get("flowOutcome"))
            found.append(Outcome(at, outcome_id, present({"flowOutcomeId": outcome_id, "flowOutcomeValue": value})))
    return tuple(found)
