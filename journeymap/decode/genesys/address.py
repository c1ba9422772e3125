"""Addresses of customers as keys: what the platform itself saw in use on their side of a conversation (docs/identity.md).

Never what somebody typed into a form or an attribute. What stands for many people or for nobody is no key: withheld numbers,
the guests' addresses of chats, extensions.
"""

from __future__ import annotations

import re
from typing import Any, Final

from journeymap.decode.genesys.reading import mapping, text
from journeymap.decode.genesys.spelling import enumeration
from journeymap.model.key import EMAIL, MESSAGING, PHONE, VISITOR, key_of

MAX_ADDRESS: Final = 320
"""Characters of the longest address that is looked at: that of an e-mail address."""

MAX_KEYS: Final = 8
"""So many keys of one event at most."""

NOBODY: Final = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
"""What carriers send as the number of a caller who withholds it: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE on a
telephone's keys."""

_SCHEME: Final = re.compile(r"(?:tel|sips?|mailto|sms|whatsapp):", re.IGNORECASE)
_SEPARATORS: Final = re.compile(r"[ ().\-]")
_NUMBER: Final = re.compile(r"\+[1-9]\d{6,14}")
_EMAIL: Final = re.compile(r"[^\s@<>()\[\]\",;:\\]+@[^\s@<>()\[\]\",;:\\]+\.[^\s@<>()\[\]\",;:\\.]{2,}")
_GUESTS: Final = ".orgspan.com"
_BY_NUMBER: Final = frozenset({"SMS", "WHATSAPP"})


def keys_of(payload: dict[str, Any]) -> tuple[str, ...]:
    """The keys on an event of the customer's own session."""
    media = (text(payload.get("channelType")) or "").lower()
    direction = (text(payload.get("direction")) or "").lower()
    found: list[str | None] = []
    if media == "voice":
        near = {"inbound": "ani", "outbound": "dnis"}.get(direction)
        found.append(_phone(payload.get(near)) if near else None)
    elif media == "callback":
        numbers = payload.get("callbackNumbers")
        found += [_phone(number) for number in numbers[:MAX_KEYS]] if isinstance(numbers, list) else []
    elif media in {"email", "message"}:
        near = {"inbound": "addressFrom", "outbound": "addressTo"}.get(direction)
        address = payload.get(near) if near else None
        found.append(_email(address) if media == "email" else _messaging(payload.get("messageType"), address))
    found.append(_visitor(payload))
    return tuple(dict.fromkeys(key for key in found if key is not None))[:MAX_KEYS]


def _phone(value: Any) -> str | None:
    """A number in the international form, out of `tel:+1 555…`, `sip:+1555…@host;user=phone` and the like."""
    number = telephone(value)
    return None if number is None else key_of(PHONE, number)


def telephone(value: Any) -> str | None:
    """`+` and 7 to 15 digits; None for what is withheld, internal, too short or no number."""
    address = _bare(value)
    if address is None:
        return None
    number = _SEPARATORS.sub("", address.partition(";")[0].partition("@")[0])
    return number if _NUMBER.fullmatch(number) and number not in NOBODY else None


def _email(value: Any) -> str | None:
    """The one address in a text such as `Ann <ann@example.com>`. With several, nobody knows whose it is."""
    given = text(value)
    if given is None or len(given) > MAX_ADDRESS:
        return None
    found = {address.lower() for address in _EMAIL.findall(_SCHEME.sub("", given))}
    if len(found) != 1:
        return None
    (address,) = found
    return None if address.endswith(_GUESTS) else key_of(EMAIL, address)


def _messaging(message_type: Any, value: Any) -> str | None:
    """What a messaging service calls a person. Where that is a telephone number, it is the person's telephone number."""
    kind = enumeration(message_type)
    address = _bare(value)
    if kind is None or address is None:
        return None
    if kind in _BY_NUMBER:
        number = telephone(address if address.startswith("+") or kind != "WHATSAPP" else f"+{address}")
        if number is not None:
            return key_of(PHONE, number)
        if kind == "SMS":
            return None  # a short code, or a sender's name
    if address.lower().endswith(_GUESTS):
        return None
    return key_of(MESSAGING, f"{kind.lower()}:{address}")


def _visitor(payload: dict[str, Any]) -> str | None:
    """Whom the platform tracks on the web, as a record or a snapshot tells it."""
    customer = mapping(mapping(payload.get("journeyContext")).get("customer"))
    name = text(payload.get("journeyCustomerId")) or text(customer.get("id"))
    kind = text(payload.get("journeyCustomerIdType")) or text(customer.get("idType"))
    if name is None or kind is None or len(name) > MAX_ADDRESS:
        return None
    return key_of(VISITOR, f"{kind.lower()}:{name}")


def _bare(value: Any) -> str | None:
    given = text(value)
    if given is None or len(given) > MAX_ADDRESS:
        return None
    return _SCHEME.sub("", given.strip(), count=1).strip() or None
