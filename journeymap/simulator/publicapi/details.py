"""Conversations as detail events: a fact for each of their moments, as the topics of `v2.detail.events` report them."""

from __future__ import annotations

from typing import Any, Final

from journeymap.simulator.people import uuid_of
from journeymap.simulator.publicapi.conversation import Conversation, Leg, Moment
from journeymap.simulator.publicapi.organisation import DIVISION, FLOW_TYPES
from journeymap.simulator.publicapi.parties import PROVIDERS, addresses, subject

TOPIC: Final = "v2.detail.events.conversation"
_WITHOUT_DIVISION: Final = ("acw", "wrapup", "attributes")


def topic_of(conversation: Conversation, moment: Moment) -> str:
    """The topic that reports this moment."""
    return f"{TOPIC}.{conversation.conversation_id}.{moment.kind}"


def body(conversation: Conversation, moment: Moment) -> dict[str, Any]:
    """What is reported of a moment that is one of the detail kinds."""
    leg = conversation.legs[moment.leg]
    said = {"eventTime": moment.at, "conversationId": conversation.conversation_id, "participantId": leg.participant_id}
    known = conversation.known_by(moment.at)
    if moment.kind != "attributes":
        said |= {"sessionId": leg.session_id} | _medium(conversation)
    if known:
        said["conversationExternalContactIds"] = [conversation.customer.contact_id]
    if moment.kind not in _WITHOUT_DIVISION:
        said["divisionId"] = DIVISION["id"]
    if known and moment.kind in ("customer.start", "customer.end", "contact"):
        said["externalContactId"] = conversation.customer.contact_id
    return said | _OWN[moment.kind](conversation, leg, moment)


def _medium(conversation: Conversation) -> dict[str, Any]:
    said: dict[str, Any] = {
        "mediaType": conversation.channel.upper(),
        "provider": PROVIDERS[conversation.channel],
        "direction": conversation.direction.upper(),
    } | addresses(conversation)
    if conversation.channel == "email":
        said["subject"] = subject(conversation)
    if conversation.channel == "callback":
        said["callbackScheduledTime"] = conversation.start
    if conversation.message_type:
        said["messageType"] = conversation.message_type.upper()
    return said


def _why(leg: Leg) -> str:
    """How a leg ended, as detail events spell it."""
    return "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in leg.disconnect)


def _customer_start(conversation: Conversation, _: Leg, __: Moment) -> dict[str, Any]:
    if not conversation.session_token or conversation.channel not in ("chat", "message"):
        return {}
    return {"journeyContext": {"sessionId": conversation.session_token, "sessionIdType": "web"}}


def _customer_end(_: Conversation, leg: Leg, moment: Moment) -> dict[str, Any]:
    return {"disconnectType": _why(leg), "interactingDurationMs": moment.at - leg.start}


def _attributes(conversation: Conversation, leg: Leg, moment: Moment) -> dict[str, Any]:
    return {
        "attributes": conversation.attributes[moment.at],
        "communications": [{"id": leg.session_id, "mediaType": conversation.channel.upper()}],
        "participantStartTime": leg.start,
    }


def _flow(conversation: Conversation, leg: Leg, _: Moment) -> dict[str, Any]:
    return {"flowType": FLOW_TYPES[conversation.channel][1], "flowId": leg.flow_id, "flowVersion": "7.0"}


def _flow_end(conversation: Conversation, leg: Leg, moment: Moment) -> dict[str, Any]:
    spent = {"disconnectType": _why(leg), "connectedDurationMs": moment.at - leg.start}
    return _flow(conversation, leg, moment) | spent | {"exitReason": "TRANSFER", "transferType": "ACD"}


def _flow_outcome(conversation: Conversation, leg: Leg, moment: Moment) -> dict[str, Any]:
    return _flow(conversation, leg, moment) | {
        "flowOutcomeId": uuid_of(f"outcome {leg.flow_id}"),
        "flowOutcomeStartTime": leg.start,
        "flowOutcomeEndTime": moment.at,
        "flowOutcomeValue": "SUCCESS",
        "flowMilestones": [{"milestoneId": uuid_of(f"milestone {leg.flow_id}"), "milestoneTime": leg.start}],
    }


def _acd_start(_: Conversation, leg: Leg, __: Moment) -> dict[str, Any]:
    return {"queueId": leg.queue_id, "routingPriority": 0}


def _acd_end(_: Conversation, leg: Leg, moment: Moment) -> dict[str, Any]:
    said: dict[str, Any] = {
        "queueId": leg.queue_id,
        "disconnectType": _why(leg),
        "acdOutcome": leg.acd_outcome,
        "requestedRoutings": ["STANDARD"],
        "routingPriority": 0,
        "connectedDurationMs": moment.at - leg.start,
    }
    if leg.answered_by:
        said |= {"answeredUserId": leg.answered_by, "usedRouting": "STANDARD"}
    return said


def _user_start(_: Conversation, leg: Leg, __: Moment) -> dict[str, Any]:
    return {"userId": leg.user_id, "queueId": leg.queue_id}


def _user_end(_: Conversation, leg: Leg, __: Moment) -> dict[str, Any]:
    return {
        "disconnectType": _why(leg),
        "userId": leg.user_id,
        "queueId": leg.queue_id,
        "interactingDurationMs": leg.spent("interact"),
        "heldDurationMs": leg.spent("hold"),
        "alertingDurationMs": leg.spent("alert"),
        "contactingDurationMs": 0,
        "dialingDurationMs": leg.spent("dialing"),
        "callbackDurationMs": 0,
    }


def _wrapup(_: Conversation, leg: Leg, moment: Moment) -> dict[str, Any]:
    said: dict[str, Any] = {"queueId": leg.queue_id, "wrapupDurationMs": moment.at - (leg.wrapup_start or moment.at)}
    if leg.user_id:
        said["userId"] = leg.user_id
    if leg.wrapup_code:
        said["wrapupCode"] = leg.wrapup_code
    return said


def _outbound(conversation: Conversation, _: Leg, __: Moment) -> dict[str, Any]:
    return {
        "outboundCampaignId": uuid_of("campaign"),
        "outboundContactListId": uuid_of("contact list"),
        "outboundContactId": uuid_of(f"contact {conversation.customer.contact_id}"),
    }


def _voicemail_end(_: Conversation, leg: Leg, moment: Moment) -> dict[str, Any]:
    return {"queueId": leg.queue_id, "disconnectType": _why(leg), "voicemailDurationMs": moment.at - leg.start}


_OWN: Final = {
    "customer.start": _customer_start,
    "customer.end": _customer_end,
    "contact": lambda *_: {},
    "attributes": _attributes,
    "flow.start": _flow,
    "flow.end": _flow_end,
    "flow.outcome": _flow_outcome,
    "acd.start": _acd_start,
    "acd.end": _acd_end,
    "user.start": _user_start,
    "user.end": _user_end,
    "acw": _wrapup,
    "wrapup": _wrapup,
    "outbound": _outbound,
    "voicemail.start": lambda _, leg, __: {"queueId": leg.queue_id},
    "voicemail.end": _voicemail_end,
}
"""What each kind says beyond what they share."""
