"""Which addresses of a customer are keys, and how they are spelled."""

from __future__ import annotations

from typing import Any

import pytest

from journeymap.decode.genesys.address import keys_of
from journeymap.model.event import ACD_START, CUSTOMER_END, CUSTOMER_START, USER_START
from journeymap.model.key import is_key
from journeymap.testing import event

INBOUND = {"direction": "inbound"}
OUTBOUND = {"direction": "outbound"}
MESSAGE = {"channelType": "message"}
EMAIL = {"channelType": "email"}


@pytest.mark.parametrize(
    ("ani", "key"),
    [
        ("tel:+15555550123", "phone:+15555550123"),
        ("tel:+1-555-555 (0123)", "phone:+15555550123"),
        ("+15555550123", "phone:+15555550123"),
        ("sip:+15555550123@10.87.214.180:8140;transport=tcp", "phone:+15555550123"),
        ("tel:+15555550123;ext=7", "phone:+15555550123"),
        ("tel:anonymous", None),
        ("sip:anonymous@anonymous.invalid", None),
        ("sip:281f4ee2-c585-4b61-a4a8-05a87b1d414b@127.0.0.1;user=ivr", None),
        ("tel:+266696687", None),  # ANONYMOUS on a telephone's keys
        ("tel:5555550123", None),  # which country's?
        ("tel:+123456", None),
        ("tel:+1234567890123456", None),
        ("tel:+05555550123", None),
        ("", None),
        (None, None),
        (["tel:+15555550123"], None),
        ("tel:+1" + "5" * 400, None),
    ],
)
def test_a_caller(ani: Any, key: str | None) -> None:
    payload = {"channelType": "voice", "ani": ani, "dnis": "tel:+15555550100", **INBOUND}
    assert keys_of(payload) == ((key,) if key else ())


@pytest.mark.parametrize(
    ("fields", "keys"),
    [
        ({"channelType": "voice", "ani": "tel:+15555550100", "dnis": "tel:+15555550123", **OUTBOUND}, ["phone:+15555550123"]),
        ({"channelType": "voice", "ani": "tel:+15555550100", "dnis": "tel:+15555550123"}, []),
        ({"channelType": "callback", "callbackNumbers": ["+15555550123", "+15555550123"]}, ["phone:+15555550123"]),
        ({"channelType": "callback", "callbackNumbers": "+15555550123"}, []),
        ({**EMAIL, "addressFrom": "Ann@Example.com", "addressTo": "us@example.org", **INBOUND}, ["email:ann@example.com"]),
        ({**EMAIL, "addressFrom": "us@example.org", "addressTo": "<ann@example.com>", **OUTBOUND}, ["email:ann@example.com"]),
        ({**EMAIL, "addressTo": "ann@example.com, bob@example.com", **OUTBOUND}, []),
        ({**EMAIL, "addressFrom": "c1b2@guest.orgspan.com", **INBOUND}, []),
        ({**EMAIL, "addressFrom": "nobody", **INBOUND}, []),
        ({"channelType": "chat", "addressFrom": "ann@example.com", **INBOUND}, []),  # typed in
        ({**MESSAGE, "messageType": "SMS", "addressFrom": "+15555550123", **INBOUND}, ["phone:+15555550123"]),
        ({**MESSAGE, "messageType": "SMS", "addressFrom": "12345", **INBOUND}, []),
        ({**MESSAGE, "messageType": "WHATSAPP", "addressFrom": "15555550123", **INBOUND}, ["phone:+15555550123"]),
        ({**MESSAGE, "messageType": "whatsapp", "addressFrom": "US.abc", **INBOUND}, ["messaging:whatsapp:US.abc"]),
        ({**MESSAGE, "messageType": "FACEBOOK", "addressFrom": "1234567890", **INBOUND}, ["messaging:facebook:1234567890"]),
        ({**MESSAGE, "messageType": "LINE", "addressTo": "U9", "addressFrom": "ours", **OUTBOUND}, ["messaging:line:U9"]),
        ({**MESSAGE, "addressFrom": "U9", **INBOUND}, []),
        ({"journeyCustomerId": "c-1", "journeyCustomerIdType": "Cookie"}, ["visitor:cookie:c-1"]),
        ({"journeyContext": {"customer": {"id": "c-1", "idType": "cookie"}}}, ["visitor:cookie:c-1"]),
        ({"journeyContext": {"sessionId": "s", "sessionIdType": "web"}}, []),
        ({"participantId": "p", "attributes": {"email": "ann@example.com"}, "callbackUserName": "ann@example.com"}, []),
    ],
)  # fmt: skip
def test_the_customers_side(fields: dict[str, Any], keys: list[str]) -> None:
    assert list(keys_of(fields)) == keys
    assert all(map(is_key, keys))


def test_only_events_that_a_platform_told_on_the_customers_side_carry_keys() -> None:
    fields = {"channelType": "voice", "ani": "tel:+15555550123", "participantId": "p", **INBOUND}
    for kind in (CUSTOMER_START, CUSTOMER_END):
        told = event(kind, 1_700_000_000_000, "i", seenIn="detail", **fields)
        assert (told.keys, told.party) == (("phone:+15555550123",), "p")
        assert event(kind, 1_700_000_000_000, "i", **fields).keys == ()
    for kind in (ACD_START, USER_START, "conversation.started", "screenshare.customer.start"):
        told = event(kind, 1_700_000_000_000, "i", seenIn="detail", **fields)
        assert (told.keys, told.party) == ((), None)
