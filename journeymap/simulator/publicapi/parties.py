"""What the public APIs say of who speaks to whom over what: media, providers, addresses."""

from __future__ import annotations

from typing import Any, Final

from journeymap.simulator.people import uuid_of
from journeymap.simulator.publicapi.conversation import Conversation

LINE: Final = "tel:+15555550000"
MAILBOX: Final = "support@example.com"
DEPLOYMENT: Final = uuid_of("messaging deployment")
PROVIDERS: Final = {
    "voice": "Edge",
    "chat": "PureCloud Webchat v2",
    "email": "PureCloud Email",
    "message": "PureCloud Messaging",
    "callback": "PureCloud Callback",
}


def addresses(conversation: Conversation) -> dict[str, Any]:
    """The address fields that events and records share."""
    customer = conversation.customer
    match conversation.channel:
        case "voice" if conversation.direction == "outbound":
            return {"ani": LINE, "dnis": customer.phone}
        case "voice":
            return {"ani": customer.phone, "dnis": LINE}
        case "email":
            return {"addressFrom": customer.email, "addressTo": MAILBOX}
        case "message":
            return {"addressFrom": customer.address, "addressTo": DEPLOYMENT}
        case "callback":
            return {"callbackUserName": customer.name, "callbackNumbers": [customer.phone.removeprefix("tel:")]}
    return {}


def subject(conversation: Conversation) -> str:
    """What an e-mail is about."""
    return f"Question {conversation.conversation_id[:8]}"


def address_of_customer(conversation: Conversation) -> str:
    """The one address that stands for the customer in a conversation."""
    customer = conversation.customer
    return {
        "email": customer.email,
        "message": customer.address,
        "chat": f"{uuid_of('guest ' + conversation.conversation_id)}@guest.orgspan.com",
    }.get(conversation.channel, customer.phone)
