"""Conversations as analytics records: participants, sessions, segments and metrics, as far as they have come."""

from __future__ import annotations

from typing import Any

from journeymap.simulator.people import uuid_of
from journeymap.simulator.publicapi.conversation import Conversation, Leg
from journeymap.simulator.publicapi.organisation import DIVISION, FLOW_TYPES
from journeymap.simulator.publicapi.parties import LINE, PROVIDERS, addresses, subject
from journeymap.simulator.publicapi.stamps import stamp


def record(conversation: Conversation, at: int, attributes: bool = False) -> dict[str, Any]:
    """The record as it stands at this time; participants' `attributes` are only in the records that jobs bring."""
    said: dict[str, Any] = {
        "conversationId": conversation.conversation_id,
        "conversationStart": stamp(conversation.start),
        "originatingDirection": conversation.direction,
        "conversationInitiator": "customer" if conversation.direction == "inbound" else "agent",
        "customerParticipation": True,
        "divisionIds": [DIVISION["id"]],
    }
    if conversation.ended_by(at):
        said["conversationEnd"] = stamp(conversation.end or at)
    legs = [leg for leg in conversation.legs if leg.start <= at]
    said["participants"] = [_participant(conversation, leg, at) for leg in legs]
    if attributes:
        for leg, participant in zip(legs, said["participants"], strict=True):
            participant["attributes"] = conversation.attributes_by(at) if leg.purpose == "customer" else {}
    return said


def _participant(conversation: Conversation, leg: Leg, at: int) -> dict[str, Any]:
    said: dict[str, Any] = {"participantId": leg.participant_id, "participantName": leg.name, "purpose": leg.purpose}
    if leg.user_id:
        said["userId"] = leg.user_id
    if leg.purpose == "customer" and conversation.known_by(at):
        said["externalContactId"] = conversation.customer.contact_id
    return said | {"sessions": [_session(conversation, leg, at)]}


def _session(conversation: Conversation, leg: Leg, at: int) -> dict[str, Any]:
    said: dict[str, Any] = {
        "sessionId": leg.session_id,
        "mediaType": conversation.channel,
        "direction": conversation.direction,
        "provider": PROVIDERS[conversation.channel],
    } | addresses(conversation)
    if conversation.message_type:
        said["messageType"] = conversation.message_type
    if conversation.channel == "callback":
        said["callbackScheduledTime"] = stamp(conversation.start)
    if leg.peer:
        said["peerId"] = leg.peer
    ended = leg.end is not None and leg.end <= at
    if leg.purpose == "ivr":
        said["flow"] = _flow(conversation, leg, at)
    if leg.purpose == "acd":
        said["requestedRoutings"] = ["Standard"]
        if ended and leg.answered_by:
            said |= {"usedRouting": "Standard", "selectedAgentId": leg.answered_by}
    if leg.purpose == "customer":
        said |= _journey(conversation)
        if conversation.campaign:
            said |= {
                "outboundCampaignId": uuid_of("campaign"),
                "outboundContactListId": uuid_of("contact list"),
                "outboundContactId": uuid_of(f"contact {conversation.customer.contact_id}"),
            }
    metrics = _metrics(leg, at)
    if metrics:
        said["metrics"] = metrics
    return said | {"segments": _segments(conversation, leg, at)}


def _segments(conversation: Conversation, leg: Leg, at: int) -> list[dict[str, Any]]:
    segments = []
    for stage in leg.stages:
        if stage.start > at:
            continue
        said: dict[str, Any] = {"segmentStart": stamp(stage.start), "segmentType": stage.kind, "conference": False}
        if leg.queue_id:
            said["queueId"] = leg.queue_id
        if conversation.channel == "email":
            said["subject"] = subject(conversation)
        if stage.end is not None and stage.end <= at:
            said["segmentEnd"] = stamp(stage.end)
            if stage.end == leg.end and stage.kind != "wrapup":
                said["disconnectType"] = leg.disconnect
        if stage.kind == "wrapup" and leg.wrapup_code and "segmentEnd" in said:
            said["wrapUpCode"] = leg.wrapup_code
        segments.append(said)
    return segments


def _flow(conversation: Conversation, leg: Leg, at: int) -> dict[str, Any]:
    name, kind = FLOW_TYPES[conversation.channel]
    said: dict[str, Any] = {
        "flowId": leg.flow_id,
        "flowName": name,
        "flowType": kind,
        "flowVersion": "7.0",
        "entryType": "dnis" if conversation.channel == "voice" else "direct",
        "entryReason": LINE if conversation.channel == "voice" else name,
        "outcomes": [],
    }
    if leg.end is not None and leg.end <= at:
        said |= {"exitReason": "TRANSFER", "transferType": "ACD"}
    if leg.outcome_at is not None and leg.outcome_at <= at:
        said["outcomes"] = [
            {
                "flowOutcome": "Intent captured",
                "flowOutcomeId": uuid_of(f"outcome {leg.flow_id}"),
                "flowOutcomeValue": "SUCCESS",
                "flowOutcomeStartTimestamp": stamp(leg.start),
                "flowOutcomeEndTimestamp": stamp(leg.outcome_at),
            }
        ]
    return said


def _journey(conversation: Conversation) -> dict[str, Any]:
    if not conversation.session_token or conversation.channel not in ("chat", "message"):
        return {}
    return {
        "journeyCustomerId": conversation.customer.address,
        "journeyCustomerIdType": "cookie",
        "journeyCustomerSessionId": conversation.session_token,
        "journeyCustomerSessionIdType": "web",
    }


def _metrics(leg: Leg, at: int) -> list[dict[str, Any]]:
    found: list[tuple[str, int, int]] = []
    if leg.purpose == "acd":
        found.append(("nOffered", 1, leg.start))
    if leg.end is None or leg.end > at:
        return _emitted(found, at)
    lasted = leg.end - leg.start
    match leg.purpose:
        case "ivr":
            found.append(("tIvr", lasted, leg.end))
        case "acd":
            found.append(("tAcd", lasted, leg.end))
            outcome = {"ANSWERED": "tAnswered", "ABANDON": "tAbandon", "FLOW_OUT": "tFlowOut"}[leg.acd_outcome]
            found.append((outcome, lasted, leg.end))
        case "voicemail":
            found.append(("tVoicemail", lasted, leg.end))
        case "agent":
            found.extend(_of_agent(leg, leg.end))
    return _emitted(found, at)


def _of_agent(leg: Leg, end: int) -> list[tuple[str, int, int]]:
    if leg.connected_at is None:
        return [("tAlert", leg.spent("alert"), end), ("tNotResponding", leg.spent("alert"), end)]
    found = [("nConnected", 1, leg.connected_at)]
    if leg.spent("alert"):
        found.append(("tAlert", leg.spent("alert"), leg.connected_at))
    found.append(("tTalk", leg.spent("interact"), end))
    if leg.spent("hold"):
        found.append(("tHeld", leg.spent("hold"), end))
    if leg.disconnect in ("transfer", "consultTransfer"):
        kind = "nBlindTransferred" if leg.disconnect == "transfer" else "nConsultTransferred"
        found += [("nTransferred", 1, end), (kind, 1, end)]
    if leg.wrapup_end is not None:
        found.append(("tAcw", leg.spent("wrapup"), leg.wrapup_end))
    handled = leg.spent("interact") + leg.spent("hold") + leg.spent("wrapup")
    return [*found, ("tHandle", handled, leg.over or end)]


def _emitted(found: list[tuple[str, int, int]], at: int) -> list[dict[str, Any]]:
    return [{"name": name, "value": value, "emitDate": stamp(when)} for name, value, when in found if when <= at]
