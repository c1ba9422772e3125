"""A key: an address by which a customer may be known, as one text (docs/identity.md)."""

from __future__ import annotations

from typing import Final

PHONE: Final = "phone"
EMAIL: Final = "email"
MESSAGING: Final = "messaging"
VISITOR: Final = "visitor"
KEY_KINDS: Final = (PHONE, EMAIL, MESSAGING, VISITOR)
"""All kinds of keys, the strongest first. A key is its kind, a colon and the address: `phone:+15555550123`."""


def key_of(kind: str, address: str) -> str:
    """The key of an address."""
    return f"{kind}:{address}"


def kind_of(key: str) -> str:
    """The kind of a key, and of any other text what stands before its first colon."""
    return key.partition(":")[0]


def is_key(name: str) -> bool:
    """Whether a name is that of a key, not one that a platform gave."""
    kind, colon, address = name.partition(":")
    return kind in KEY_KINDS and bool(colon and address)
