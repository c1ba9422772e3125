"""Reading JSON from somebody else: what is not of the expected type counts as missing."""

from __future__ import annotations

from typing import Any, Final

from journeymap.decode.timestamp import read_date
from journeymap.model.time import Millis

MAX_LENGTH: Final = 1e13
"""A longer length (three centuries) is none."""

_NUMBERS: Final = frozenset({int, float, bool})


def text(value: Any) -> str | None:
    """A non-empty string; a whole number counts as its digits."""
    if type(value) is str:
        return value or None
    return str(value) if type(value) is int else None


def mapping(value: Any) -> dict[str, Any]:
    """An object."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of an array."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def length(value: Any) -> Millis | None:
    """A number of milliseconds from 0 to `MAX_LENGTH`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MAX_LENGTH:
        return None
    return round(value)


def first_date(*values: Any) -> Millis | None:
    """The first usable time."""
    return next((at for value in values if (at := read_date(value)) is not None), None)


def says(value: Any) -> bool:
    """Whether a field's value says something: 0 and false do."""
    return bool(value) or type(value) in _NUMBERS


def present(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that say something."""
    # As `says`, without a call for each of the many fields of a record.
    return {name: value for name, value in fields.items() if value or type(value) in _NUMBERS}
