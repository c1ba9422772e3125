"""The seam for roles: who looks, and what of a text they may see.

Phone numbers and e-mail addresses are recognised anywhere in a text. Ids (`*_id` of journeys, interactions and events)
are not masked: links go by them.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from journeymap.model.row import JourneyRow

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


def mask_row(row: JourneyRow, viewer: Viewer) -> JourneyRow:
    """The row with all its texts masked."""
    if viewer.sees_identifiers:
        return row
    interactions = tuple(
        msgspec.structs.replace(
            one,
            disposition=_mask_known(one.disposition, viewer),
            queue=_mask_known(one.queue, viewer),
            agent=_mask_known(one.agent, viewer),
        )
        for one in row.interactions
    )
    return msgspec.structs.replace(row, customer_id=mask(row.customer_id, viewer), interactions=interactions)


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


def mask_document(text: bytes, viewer: Viewer) -> bytes:
    """A JSON document with all its texts masked."""
    if viewer.sees_identifiers:
        return text
    return msgspec.json.encode(mask_value(msgspec.json.decode(text), viewer))


def _mask_known(text: str | None, viewer: Viewer) -> str | None:
    return None if text is None else mask(text, viewer)


def _masked_phone(match: re.Match[str]) -> str:
    text = match.group()
    return text if _DATE.fullmatch(text) else HIDDEN + text[-_DIGITS_SHOWN:]
