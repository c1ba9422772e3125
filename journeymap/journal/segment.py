"""A segment: one file of the journal, and the spelling of a record in it.

A segment is named by its base, the journal offset of its first byte, and begins with `MAGIC`, which says the version.
Then come the records: length of the body (u32), CRC-32 of the body (u32); body: arrival (u64, ms), length of the
source's name (u8), its name, the frame. All numbers are little-endian. A record's `end` is base + place of the byte
behind it.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final
from zlib import crc32

import msgspec

from journeymap.model.record import Record

MAGIC: Final = b"JMJRNL1\n"
SUFFIX: Final = ".journal"
LEAD: Final = struct.Struct("<II")
ARRIVAL: Final = struct.Struct("<Q")
SMALLEST_BODY: Final = ARRIVAL.size + 1
READ_AHEAD: Final = 1 << 20

_NAME: Final = re.compile(r"[0-9]{20}" + re.escape(SUFFIX))


class Segment(msgspec.Struct, frozen=True):
    """A segment's file and its base."""

    base: int
    path: Path


class Damage(msgspec.Struct):
    """What could not be read: stretches that are not intact records, and their bytes."""

    stretches: int = 0
    bytes: int = 0


def segment_path(directory: Path, base: int) -> Path:
    """The file of the segment with this base."""
    return directory / f"{base:020d}{SUFFIX}"


def segments(directory: Path) -> list[Segment]:
    """The segments in `directory`, oldest first."""
    names = sorted(path.name for path in directory.iterdir() if _NAME.fullmatch(path.name))
    return [Segment(int(name[:20]), directory / name) for name in names]


def source_part(source: str) -> bytes:
    """A source's name as a record has it. At most 255 bytes of it are kept."""
    name = source.encode("utf-8", "replace")[:255]
    return bytes((len(name),)) + name


def read(
    segment: Segment, start: int, until: int | None, damage: Damage, open_end: bool, whole: int | None = None
) -> Iterator[Record]:
    """The intact records of `segment` that end behind the journal offset `start`, oldest first.

    `until` is the offset behind the last record, None for the end of the file. A record whose checksum is wrong is
    skipped; where its length leads nowhere the rest of the segment is. Both are counted in `damage`, except a rest at
    an `open_end`, where another process may be writing just now. `whole` is how long the segment is by the base of the
    next one, None where there is none: a file of another length has lost something, even where all its records are
    intact.
    """
    with segment.path.open("rb", buffering=READ_AHEAD) as file:
        size = os.fstat(file.fileno()).st_size
        if whole is not None and size != whole:
            _count(damage, abs(whole - size))
            size = min(size, whole)  # places beyond it are the next one's
        if until is not None:
            size = min(size, until - segment.base)
        if file.read(len(MAGIC)) != MAGIC:
            if size >= len(MAGIC) or not open_end:
                _count(damage, size)
            return
        at = len(MAGIC)
        if start - segment.base > at and _leads_on(file, start - segment.base, size):
            at = start - segment.base
        file.seek(at)
        while at < size:
            body = _body(file, size - at)
            if body is None:
                if not open_end:
                    _count(damage, size - at)
                return
            at += LEAD.size + len(body[0])
            if not body[1]:
                _count(damage, LEAD.size + len(body[0]))
            elif segment.base + at > start:
                yield _record(body[0], segment.base + at)


def _leads_on(file: BinaryIO, at: int, size: int) -> bool:
    """Whether a record begins here (or the records end here): a start from outside may be the place of nothing."""
    file.seek(at)
    if at >= size:
        return at == size
    body = _body(file, size - at)
    return body is not None and body[1]


def _body(file: BinaryIO, left: int) -> tuple[bytes, bool] | None:
    """The next record's body and whether it is intact; None if there can be no record in the `left` bytes."""
    if left < LEAD.size + SMALLEST_BODY:
        return None
    length, checksum = LEAD.unpack(file.read(LEAD.size))
    if not SMALLEST_BODY <= length <= left - LEAD.size:
        return None
    body = file.read(length)
    if len(body) < length:
        return None
    named = ARRIVAL.size + 1 + body[ARRIVAL.size]
    return body, crc32(body) == checksum and named <= length


def _record(body: bytes, end: int) -> Record:
    frame = ARRIVAL.size + 1 + body[ARRIVAL.size]
    name = body[ARRIVAL.size + 1 : frame].decode("utf-8", "replace")
    return Record(body[frame:], name, ARRIVAL.unpack_from(body)[0], end)


def _count(damage: Damage, size: int) -> None:
    damage.stretches += 1
    damage.bytes += size
