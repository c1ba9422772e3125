"""How things are named and spelled in a store: keys, and msgpack with a schema that is checked on every read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final, TypeVar

import msgspec

from journeymap.errors import StoreCorruptError
from journeymap.model.change import JourneyRecord, KeyRecord, TokenRecord
from journeymap.model.fingerprint import Fingerprint
from journeymap.model.row import JourneyRow
from journeymap.model.time import Millis
from journeymap.store.base import Batch

T = TypeVar("T")

JOURNEY: Final = "j"
CHUNK: Final = "e"
POINTER: Final = "p"
TOKEN: Final = "t"
KEY: Final = "k"
IDENTITY: Final = "x"
BATCH: Final = "b"
DOCUMENT: Final = "d"
HEAD_KEY: Final = "head"
META_KEY: Final = "meta"
POSITIONS_KEY: Final = "positions"

PLAIN_KEY: Final = 200
"""Names up to this length stand in a key as they are, if they are printable ASCII; all others by their hash."""


class Head(msgspec.Struct, frozen=True, array_like=True):
    """Numbers of batches: the newest, the newest that the records hold too (the last checkpoint), the oldest kept."""

    number: int
    checkpoint: int
    oldest: int


class Meta(msgspec.Struct, frozen=True):
    """Whose store it is. A map, so that another version's can be read far enough to say which version it is.

    `folded_with` are the fingerprints that journeys were folded with, oldest first; the versions before 2 had none.
    """

    schema_version: int
    source: str
    environment: str
    created_at: Millis
    folded_with: tuple[Fingerprint, ...] = ()


class SchemaVersion(msgspec.Struct, frozen=True):
    """The part of `Meta` that every version has."""

    schema_version: int


class RecordRow(msgspec.Struct, frozen=True, array_like=True):
    """A `JourneyRecord` of which only the row is looked at: an answer of many rows pays for no events."""

    journey_id: str
    customer_id: str
    first_event_at: Millis
    last_event_at: Millis
    closed_from: Millis
    row: JourneyRow
    chunks: msgspec.Raw
    tail: msgspec.Raw


encode: Final = msgspec.msgpack.Encoder().encode
RECORD: Final = msgspec.msgpack.Decoder(JourneyRecord)
RECORD_ROW: Final = msgspec.msgpack.Decoder(RecordRow)
CHUNK_EVENTS: Final = msgspec.msgpack.Decoder(tuple[bytes, ...])
POINTED: Final = msgspec.msgpack.Decoder(str)
TOKEN_RECORD: Final = msgspec.msgpack.Decoder(TokenRecord)
KEY_RECORD: Final = msgspec.msgpack.Decoder(KeyRecord)
IDENTITY_EVENT: Final = msgspec.msgpack.Decoder(tuple[bytes, bytes])
BATCH_ROWS: Final = msgspec.msgpack.Decoder(Batch)
HEAD: Final = msgspec.msgpack.Decoder(Head)
META: Final = msgspec.msgpack.Decoder(Meta)
SCHEMA: Final = msgspec.msgpack.Decoder(SchemaVersion)
POSITIONS: Final = msgspec.msgpack.Decoder(dict[str, int])


def key_of(kind: str, name: str) -> str:
    """The key of `name` among the things of one kind. Names come from outside and may be anything, of any length."""
    if len(name) <= PLAIN_KEY and name.isascii() and name.isprintable():
        return f"{kind}:{name}"
    return f"{kind}#{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()}"


def batch_key(number: int) -> str:
    """The key of a batch; keys sort as their numbers do."""
    return f"{BATCH}:{number:016d}"


def decode(decoder: msgspec.msgpack.Decoder[T], key: str, data: bytes) -> T:
    """`data` as what it should be; raises `StoreCorruptError` naming `key` if it is anything else."""
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise StoreCorruptError(f"entry {key!r} is not what it should be ({error})") from error


class RowEncoder:
    """Spells the rows of one commit once: the same row stands in the batch and in its journey's record.

    By identity, not by value: comparing two rows costs more than encoding one. The rows must outlive this object.
    """

    def __init__(self, rows: Iterable[JourneyRow]) -> None:
        self._rows = {id(row): msgspec.Raw(encode(row)) for row in rows}

    def batch(self, number: int, committed_at: Millis, gone: dict[str, str | None]) -> bytes:
        """The batch of these rows."""
        return encode((number, committed_at, list(self._rows.values()), gone))

    def record(self, record: JourneyRecord) -> bytes:
        """A record, whose row may be one of these rows."""
        row = self._rows.get(id(record.row), record.row)
        return encode(
            (
                record.journey_id,
                record.customer_id,
                record.first_event_at,
                record.last_event_at,
                record.closed_from,
                row,
                record.chunks,
                record.tail,
            )
        )


def identity_value(event_id: str, raw: bytes) -> bytes:
    """An identity event with its id, which its key may hold only as a hash."""
    return encode((event_id.encode("utf-8", "surrogatepass"), raw))


def identity_event(key: str, data: bytes) -> tuple[str, bytes]:
    """What `identity_value` spelled."""
    event_id, raw = decode(IDENTITY_EVENT, key, data)
    try:
        return event_id.decode("utf-8", "surrogatepass"), raw
    except UnicodeDecodeError as error:
        raise StoreCorruptError(f"entry {key!r} is not what it should be ({error})") from error
