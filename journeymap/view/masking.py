"""The seam for roles: who looks, and what of a text they may see.

Phone numbers and e-mail addresses are recognised anywhere in a text. Ids (`*_id` of journeys, interactions and events)
are not masked: links go by them.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

HIDDEN: Final = "•••"

_EMAIL: Final = re.compile(r"([^\s@<>\"',;:]?)[^\s@<>\"',;:]*(?:@|%40)[^\s@<>\"',;:•]+\.[^\s@<>\"',;:•]{2,}")
_PHONE: Final = re.compile(
    r"(?:(?<![\w•-])|(?<=\\[bfnrt])|(?<=%[23][0ABab]))(?:\+|00)?\d(?:[ ./()-]{0,2}\d){6,16}(?![\w-])"
)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_DIGITS_SHOWN: Final = 2
_LINKS: Final = frozenset({"journey_id", "interaction_id", "event_id", "from_interaction", "to_interaction"})


class Viewer(msgspec.Struct, frozen=True):
    """Someone who looks at journeys. `sees_identifiers`: whether phone numbers and e-mail addresses show in full."""

    sees_identifiers: bool = True


def mask(text: str, viewer: Viewer) -> str:
    """The text as this viewer may see it: of a phone number the last two digits, of an address its first letter."""
    if viewer.sees_identifiers:
        return text
    return _PHONE.sub(_masked_phone, _EMAIL.sub(rf"\1{HIDDEN}@{HIDDEN}", text))


def mask_value(value: Any, viewer: Viewer) -> Any:
    """A JSON value with all its texts masked, at every level; fields that links go by stay."""
    if viewer.sees_identifiers:
        return value
    if isinstance(value, str):
        return mask(value, viewer)
    if isinstance(value, list):
        return [mask_value(item, viewer) for item in value]
    if isinstance(value, dict):
        return {key: item if key in _LINKS else mask_value(item, viewer) for key, item in value.items()}
    return value


def _masked_phone(match: re.Match[str]) -> str:
    text = match.group()
    return text if _DATE.fullmatch(text) else HIDDEN + text[-_DIGITS_SHOWN:]
