"""Joins and splits of customers that an operator makes: events of identity, in the journal like all that is received."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from journeymap.errors import InputError, JournalFullError
from journeymap.model.event import MERGED, SPLIT
from journeymap.model.key import is_key
from journeymap.model.time import Millis
from journeymap.runtime.commands import Handler, written

OPERATOR: Final = "operator"
"""The source of what operators say."""

IDENTITY: Final = "identity"
"""The word of their command."""

JOIN: Final = "join"
TAKE_APART: Final = "split"
_TYPES: Final = {TAKE_APART: SPLIT, JOIN: MERGED}
LONGEST: Final = 1_000
"""Characters of the longest id that a join or split is made of."""

Take = Callable[[str, bytes, Millis], None]
"""Takes a frame of a source, and when it came, into the journal and on. Raises JournalFullError."""


def new_id(do: str) -> str:
    """The id of a new join or split."""
    return f"{OPERATOR}:{do}:{secrets.token_hex(8)}"


def command(do: str, one: str, other: str, event_id: str) -> str:
    """The command that joins (`JOIN`) `one` to `other`, or takes it apart (`TAKE_APART`); a key from itself, so that it joins
    nobody. Raises InputError."""
    check(do, one, other)
    return written(IDENTITY, **{"do": do, "from": one, "to": other, "id": event_id})


def check(do: Any, one: Any, other: Any) -> None:
    """Raise InputError for what is no join or split of two ids."""
    if do not in _TYPES:
        raise InputError(f"customers are joined or split, not {do!r}")
    for name in (one, other):
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST or not name.isprintable():
            raise InputError(f"an id of a customer is a line of 1 to {LONGEST:,} characters")
    if one == other and not is_key(one):
        raise InputError(
            "a customer can neither be joined to itself nor split from itself; a key can, as phone:+15555550123 is one"
        )


def event_frame(do: str, one: str, other: str, event_id: str, now: Millis) -> bytes:
    """The event of a join or split, as a frame. Raises InputError."""
    check(do, one, other)
    payload = {"fromCustomerId": one, "toCustomerId": other, "by": OPERATOR}
    return msgspec.json.encode({"eventId": event_id, "type": _TYPES[do], "timestamp": now, "payload": payload})


def identity_handler(take: Take, clock: Callable[[], Millis]) -> Handler:
    """Does the command while ingest runs."""

    def handle(fields: Mapping[str, Any]) -> None:
        now, event_id = clock(), fields.get("id")
        if not isinstance(event_id, str) or not event_id:
            raise InputError("it has no id")
        frame = event_frame(fields.get("do", ""), fields.get("from", ""), fields.get("to", ""), event_id, now)
        try:
            take(OPERATOR, frame, now)
        except JournalFullError as error:
            raise InputError(str(error)) from error

    return handle
