"""Which column of a table holds which field of an event, and a row as the JSON of an event."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from journeymap.errors import InputError
from journeymap.model.record import Rejected

TOP: Final = ("eventId", "type", "timestamp", "payload")
PAYLOAD: Final = (
    "customerId",
    "interactionId",
    "conversationId",
    "sessionToken",
    "channelType",
    "durationSeconds",
    "queueName",
    "agentId",
    "disposition",
    "transferType",
    "fromCustomerId",
    "toCustomerId",
)
OTHER_NAMES: Final = {
    "id": "eventId",
    "eventtype": "type",
    "time": "timestamp",
    "eventtime": "timestamp",
    "customer": "customerId",
    "interaction": "interactionId",
    "conversation": "conversationId",
    "channel": "channelType",
    "mediatype": "channelType",
    "duration": "durationSeconds",
    "queue": "queueName",
    "agent": "agentId",
    "wrapupcode": "disposition",
}
"""Names that such columns often have, without case, dashes and underscores."""

KNOWN: Final = {name.lower(): name for name in (*TOP, *PAYLOAD)} | OTHER_NAMES
NUMBERS: Final = frozenset({"timestamp", "durationSeconds"})
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_SAMPLE: Final = 2_000


def field_of(column: str) -> str:
    """The field that a column holds by its name: `interaction_id`, `interactionId`, `payload.interactionId` are one.

    A column with any other name becomes an attribute of the payload under its own name.
    """
    own = column.strip().removeprefix("payload.")
    return KNOWN.get(re.sub(r"[\s_.-]", "", own).lower(), own)


class Columns:
    """The columns of one table. `chosen` maps columns to fields and goes before what their names say."""

    def __init__(self, path: str, names: Sequence[str], chosen: Mapping[str, str]) -> None:
        for column in chosen:
            if column not in names:
                raise InputError(f"{path}: there is no column {column} to map; the columns are {', '.join(names)}")
        taken = {field_of(field) for field in chosen.values()}
        self.fields: list[str | None] = []
        for name in names:
            field = field_of(chosen[name]) if name in chosen else field_of(name)
            # The first column of a field holds it; one that was chosen holds it wherever it stands.
            self.fields.append(None if field in self.fields or (name not in chosen and field in taken) else field)
        needed = ["type", "timestamp"] if "payload" in self.fields else ["type", "timestamp", "interactionId"]
        missing = [field for field in needed if field not in self.fields]
        if missing:
            raise InputError(
                f"{path}: no column holds {' or '.join(missing)}; say which with --map COLUMN={missing[0]}"
                f" (the columns are {', '.join(names)})"[:500]
            )

    def event(self, values: Sequence[Any]) -> bytes | Rejected:
        """A row as the JSON of an event. Empty values are left out."""
        event: dict[str, Any] = {}
        payload: dict[str, Any] = {}
        for field, value in zip(self.fields, values, strict=False):
            if field is None or value is None or value == "":
                continue
            if field in TOP:
                event[field] = _number(value) if field in NUMBERS else value
            else:
                payload[field] = _number(value) if field in NUMBERS else value
        whole = event.get("payload", {})
        if isinstance(whole, str | bytes):
            try:
                whole = msgspec.json.decode(whole)
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                return _rejected("not-json", values)
        if not isinstance(whole, dict):
            return _rejected("not-json", values)
        event["payload"] = {**whole, **payload}
        try:
            return msgspec.json.encode(event)
        except (UnicodeError, TypeError, ValueError, OverflowError):
            return _rejected("not-utf8", values)


def _number(value: Any) -> Any:
    """A number written as text; any other value as it is."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value.strip()):
        return value
    number = float(value)
    if "." in value or "e" in value.lower():
        return number if math.isfinite(number) else value
    return int(value) if len(value) < 20 else value


def _rejected(reason: str, values: Sequence[Any]) -> Rejected:
    return Rejected(reason, reason, repr(values).encode("utf-8", "backslashreplace")[:_SAMPLE])
