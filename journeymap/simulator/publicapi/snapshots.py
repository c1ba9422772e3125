"""Conversations as snapshots: all of them as it stands at a time, as queue and user topics show it, and GET by id."""

from __future__ import annotations

from typing import Any, Final

from journeymap.simulator.people import uuid_of
from journeymap.simulator.publicapi.conversation import Conversation, Leg
from journeymap.simulator.publicapi.organisation import DIVISION
from journeymap.simulator.publicapi.parties import DEPLOYMENT, LINE, PROVIDERS, address_of_customer, subject
from journeymap.simulator.publicapi.stamps import stamp

MEDIA: Final = {
    "voice": "calls",
    "chat": "chats",
    "email": "emails",
    "message": "messages",
    "callback": "callbacks",
}
"""The list of a participant that holds the communications of a channel."""
_DISCONNECTS: Final = {
    "transfer": "transfer",
    "consultTransfer": "transfer.consult",
}
_WRAPUP_PROMPT: Final = {"wrapupRequired": True, "wrapupExpected": True, "wrapupPrompt": "optional",
                         "wrapupTimeoutMs": 60_000, "alertingTimeoutMs": 8_000}  # fmt: skip


def snapshot(conversation: Conversation, at: int) -> dict[str, Any]:
    """The conversation as it stands at this time."""
    legs = [leg for leg in conversation.legs if leg.start <= at]
    present = sum(leg.end is None or leg.end > at for leg in legs)
    queues = list(dict.fromkeys(leg.queue_id for leg in legs if leg.queue_id))
    return {
        "id": conversation.conversation_id,
        "maxParticipants": max(2, present),
        "participants": [_participant(conversation, leg, at) for leg in legs],
        "recordingState": "none",
        "address": address_of_customer(conversation),
        "securePause": False,
        "divisions": [{"division": {"id": DIVISION["id"]}, "entities": [{"id": queue} for queue in queues]}],
        "recentTransfers": _transfers(conversation, legs, at),
    }


def whole(conversation: Conversation, at: int) -> dict[str, Any]:
    """What GET of a conversation answers: the snapshot, with the times that no notification has."""
    document = snapshot(conversation, at) | {"startTime": stamp(conversation.start)}
    for participant in document["participants"]:
        participant.pop("wrapupExpected")
    if conversation.ended_by(at):
        document["endTime"] = stamp(conversation.end or at)
    return document | {"selfUri": f"/api/v2/conversations/{conversation.conversation_id}"}


def queues_in(conversation: Conversation, at: int) -> set[str]:
    """The queues that the conversation is in at this time, or is just leaving."""
    there = {leg.queue_id for leg in conversation.legs if leg.queue_id and _is_there(leg, at)}
    if any(leg.purpose == "customer" and _is_there(leg, at) for leg in conversation.legs):
        there.add(_queue_of_customer(conversation, at))
    return there - {""}


def users_in(conversation: Conversation, at: int) -> set[str]:
    """The agents who are in the conversation at this time, or are just leaving."""
    return {leg.user_id for leg in conversation.legs if leg.user_id and _is_there(leg, at)}


def _is_there(leg: Leg, at: int) -> bool:
    return leg.start <= at and (leg.over is None or leg.over >= at)


def _participant(conversation: Conversation, leg: Leg, at: int) -> dict[str, Any]:
    connected = leg.connected_at is not None and leg.connected_at <= at
    said: dict[str, Any] = {"id": leg.participant_id, "name": leg.name, "purpose": leg.purpose}
    said |= {"wrapupRequired": False, "wrapupExpected": False, "attributes": {}}
    if leg.user_id:
        said |= {"userId": leg.user_id} | _WRAPUP_PROMPT
    queue = leg.queue_id or (_queue_of_customer(conversation, at) if leg.purpose == "customer" else "")
    if queue:
        said["queueId"] = queue
    if leg.purpose == "customer":
        said |= {"address": address_of_customer(conversation), "attributes": conversation.attributes_by(at)}
        said["mediaRoles"] = ["full"]
        if conversation.known_by(at):
            said["externalContactId"] = conversation.customer.contact_id
    if leg.purpose == "acd":
        said["conversationRoutingData"] = {"queue": {"id": leg.queue_id}, "priority": 0}
    if connected and leg.connected_at is not None:
        said["connectedTime"] = stamp(leg.connected_at)
    if leg.end is not None and leg.end <= at:
        said["endTime"] = stamp(leg.end)
    said |= _wrapped_up(leg, at)
    return said | {MEDIA[conversation.channel]: [_communication(conversation, leg, at)]}


def _wrapped_up(leg: Leg, at: int) -> dict[str, Any]:
    """After-call work and its result, as far as they have come."""
    if leg.wrapup_start is None or leg.wrapup_end is None or leg.wrapup_start > at:
        return {}
    said: dict[str, Any] = {"startAcwTime": stamp(leg.wrapup_start)} if leg.user_id else {}
    if leg.wrapup_end <= at:
        took = (leg.wrapup_end - leg.wrapup_start) // 1000
        code = {"code": leg.wrapup_code} if leg.wrapup_code else {}
        said["wrapup"] = code | {"durationSeconds": took, "endTime": stamp(leg.wrapup_end)}
        if leg.user_id:
            said["endAcwTime"] = stamp(leg.wrapup_end)
    return said


def _communication(conversation: Conversation, leg: Leg, at: int) -> dict[str, Any]:
    channel = conversation.channel
    connected = leg.connected_at is not None and leg.connected_at <= at
    rings = "dialing" if leg.dials else "contacting" if leg.purpose == "customer" and channel == "voice" else "alerting"
    said: dict[str, Any] = {
        "id": leg.session_id,
        "state": "connected" if connected else rings,
        "initialState": rings if leg.user_id or not connected else "connected",
        "held": False,
        "provider": PROVIDERS[channel],
    }
    if channel != "chat":
        said["direction"] = conversation.direction
    if leg.peer:
        said["peerId"] = leg.peer
    if connected and leg.connected_at is not None:
        said["connectedTime"] = stamp(leg.connected_at)
    held = next((stage for stage in leg.stages if stage.kind == "hold" and stage.start <= at < (stage.end or at)), None)
    if held is not None:
        said |= {"held": True, "startHoldTime": stamp(held.start)}
    if leg.end is not None and leg.end <= at:
        said["state"] = "terminated" if channel in ("voice", "callback") else "disconnected"
        said |= {"disconnectedTime": stamp(leg.end), "held": False}
        said["disconnectType"] = _DISCONNECTS.get(leg.disconnect, leg.disconnect)
    if leg.user_id:
        said |= {"afterCallWorkRequired": True, "afterCallWork": _after_call_work(leg, at)}
    return said | _OF_CHANNEL[channel](conversation, leg)


def _after_call_work(leg: Leg, at: int) -> dict[str, Any]:
    if leg.wrapup_start is None or leg.wrapup_end is None or leg.wrapup_start > at:
        return {"state": "unknown"}
    begun = {"startTime": stamp(leg.wrapup_start)}
    if leg.wrapup_end > at:
        return {"state": "pending"} | begun
    return {"state": "complete"} | begun | {"endTime": stamp(leg.wrapup_end)}


def _call(conversation: Conversation, leg: Leg) -> dict[str, Any]:
    said: dict[str, Any] = {"recording": False, "recordingState": "none", "muted": False, "confined": False}
    if leg.purpose == "customer":
        said |= {"self": _address("Support line", LINE), "other": _address(leg.name, conversation.customer.phone)}
    return said


def _message(conversation: Conversation, leg: Leg) -> dict[str, Any]:
    customer = conversation.customer
    said: dict[str, Any] = {
        "type": conversation.message_type,
        "toAddress": {"name": "Web messenger", "addressNormalized": DEPLOYMENT},
        "fromAddress": {"name": customer.name, "addressNormalized": customer.address},
    }
    return said | _journey(conversation, leg)


def _chat(conversation: Conversation, leg: Leg) -> dict[str, Any]:
    return {"roomId": f"{uuid_of('room ' + conversation.conversation_id)}@conference.example.com"} | _journey(
        conversation, leg
    )


def _email(conversation: Conversation, _: Leg) -> dict[str, Any]:
    return {"subject": subject(conversation), "messagesSent": 1, "autoGenerated": False, "spam": False}


def _callback(conversation: Conversation, _: Leg) -> dict[str, Any]:
    customer = conversation.customer
    return {
        "callbackNumbers": [customer.phone.removeprefix("tel:")],
        "callbackUserName": customer.name,
        "callbackScheduledTime": stamp(conversation.start),
        "skipEnabled": True,
        "timeoutSeconds": 30,
    }


_OF_CHANNEL: Final = {"voice": _call, "message": _message, "chat": _chat, "email": _email, "callback": _callback}


def _journey(conversation: Conversation, leg: Leg) -> dict[str, Any]:
    if leg.purpose != "customer" or not conversation.session_token:
        return {}
    return {
        "journeyContext": {
            "customer": {"id": conversation.customer.address, "idType": "cookie"},
            "customerSession": {"id": conversation.session_token, "type": "web"},
        }
    }


def _address(name: str, address: str) -> dict[str, str]:
    raw = address.replace("tel:", "sip:")
    return {"name": name, "nameRaw": "", "addressNormalized": address, "addressRaw": raw, "addressDisplayable": ""}


def _queue_of_customer(conversation: Conversation, at: int) -> str:
    """The queue that a customer is in, or was in last."""
    found = [leg.queue_id for leg in conversation.legs if leg.queue_id and leg.start <= at]
    return found[-1] if found else ""


def _transfers(conversation: Conversation, legs: list[Leg], at: int) -> list[dict[str, Any]]:
    transfers = []
    for leg in legs:
        if leg.user_id and leg.disconnect in _DISCONNECTS and leg.end is not None and leg.end <= at:
            target = next((other.queue_id for other in conversation.legs if other.start >= leg.end), "")
            transfers.append(
                {
                    "id": uuid_of(f"transfer {leg.session_id}"),
                    "state": "complete",
                    "dateIssued": stamp(leg.end),
                    "initiator": {"userId": leg.user_id},
                    "destination": {"address": target},
                    "transferType": "unattended" if leg.disconnect == "transfer" else "attended",
                }
            )
    return transfers
