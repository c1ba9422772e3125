"""What an organisation calls its queues, users, wrap-up codes and flows: events carry their ids, people read their names.

The names lie in the store as a named document beside the status, which says by a mark when they have changed.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from journeymap.model.time import Millis

NAMES: Final = "names"
"""Name of the document that is a list of `Name`. It outlives restarts."""


class NameKind(enum.StrEnum):
    """What has a name."""

    QUEUE = "queue"
    USER = "user"
    WRAPUP_CODE = "wrapup-code"
    FLOW = "flow"


class Name(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The name that an id has, or had last."""

    kind: str
    id: str
    name: str


class NamesReport(msgspec.Struct, frozen=True):
    """How one kind of names stands: `known` ones, the deleted ones included; when they were last `read` whole, None before
    the first time; why they cannot be read, and the permission that is `missing` where that is why."""

    kind: str
    known: int = 0
    read_at: Millis | None = None
    error: str | None = None
    missing: str | None = None


def mark_of(document: bytes) -> str:
    """A mark of the document's content: another one where anything in it is another."""
    return hashlib.blake2b(document, digest_size=8).hexdigest()


decode_names = msgspec.json.Decoder(list[Name]).decode
"""The names document from its JSON. Raises msgspec.DecodeError or msgspec.ValidationError where it is not one."""

KIND_WORDS: Final[Mapping[str, str]] = {
    NameKind.QUEUE: "queues",
    NameKind.USER: "users",
    NameKind.WRAPUP_CODE: "wrap-up codes",
    NameKind.FLOW: "flows",
}
"""The kinds in words."""
