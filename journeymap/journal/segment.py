"""A segment: a stretch of the journal in a file of its own, and the spelling of a record in it.

A segment is named by its base, the journal offset of its first byte, and begins with `MAGIC`, which says the version.
Then come the records: length of the body (u32), CRC-32 of the body (u32); body: arrival (u64, ms), length of the
source's name (u8), its name, the frame. All numbers are little-endian. A record's `end` is base + place of the byte
behind it. A finished segment is packed after a while (packed.py); offsets stay those of the bytes before.
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
PACKED_SUFFIX: Final = ".journal.zst"
PART_SUFFIX: Final = ".journal.part"
"""A segment that is being packed, or was when the process ended."""

LEAD: Final = struct.Struct("<II")
ARRIVAL: Final = struct.Struct("<Q")
SMALLEST_BODY: Final = ARRIVAL.size + 1
READ_AHEAD: Final = 1 << 20

_NAME: Final = re.compile(rf"([0-9]{{20}})(?:{re.escape(PACKED_SUFFIX)}|{re.escape(SUFFIX)})")


class Segment(msgspec.Struct, frozen=True):
    """A segment of the journal in `directory`. It is at `path`, or packed; for a moment while it is packed it is both."""

    base: int
    directory: Path

    @property
    def path(self) -> Path:
        """The file as it was written."""
        return self.directory / f"{self.base:020d}{SUFFIX}"

    @property
    def packed(self) -> Path:
        """The file once it is packed."""
        return self.directory / f"{self.base:020d}{PACKED_SUFFIX}"

    @property
    def part(self) -> Path:
        """The file while it is being packed."""
        return self.directory / f"{self.base:020d}{PART_SUFFIX}"

    def status(self) -> os.stat_result:
        """Of the file that it is read from. Raises FileNotFoundError where it was forgotten."""
        try:
            return self.path.stat()
        except FileNotFoundError:
            return self.packed.stat()

    def delete(self) -> None:
        """Delete it in whichever form it is."""
        self.path.unlink(missing_ok=True)
        self.packed.unlink(missing_ok=True)


class Damage(msgspec.Struct):
    """What could not be read: stretches that are not intact records, their bytes, and the offset behind the last one."""

    stretches: int = 0
    bytes: int = 0
    end: int = 0

    def count(self, size: int, end: int) -> None:
        """Count a stretch of so many bytes, up to the offset `end`."""
        self.stretches += 1
        self.bytes += size
        self.end = end


def segments(directory: Path) -> list[Segment]:
    """The segments in `directory`, oldest first."""
    # Looked at twice: one that is packed during a look may be missed by it under its old name and its new one.
    names = {path.name for _ in range(2) for path in directory.iterdir()}
    bases = {int(match[1]) for name in names if (match := _NAME.fullmatch(name))}
    return [Segment(base, directory) for base in sorted(bases)]


def source_part(source: str) -> bytes:
    """A source's name as a record has it. At most 255 bytes of it are kept."""
    name = source.encode("utf-8", "replace")[:255]
    return bytes((len(name),)) + name


def read_written(
    segment: Segment, start: int, until: int | None, damage: Damage, open_end: bool, whole: int | None = None
) -> Iterator[Record]:
    """The intact records of a segment that is not packed, of those that end behind the journal offset `start`.

    `until` is the offset behind the last record, None for the end of the file. A record whose checksum is wrong is
    skipped; where its length leads nowhere the rest of the segment is. Both are counted in `damage`, except a rest at
    an `open_end`, where another process may be writing just now. `whole` is how long the segment is by the base of the
    next one, None where there is none: a file of another length has lost something, even where all its records are
    intact. Raises FileNotFoundError where it is packed or gone.
    """
    with segment.path.open("rb", buffering=READ_AHEAD) as file:
        size = os.fstat(file.fileno()).st_size
        if whole is not None:
            size = usable(size, whole, segment.base, damage)
        if until is not None:
            size = min(size, until - segment.base)
        if file.read(len(MAGIC)) != MAGIC:
            if size >= len(MAGIC) or not open_end:
                damage.count(size, segment.base + size)
            return
        yield from read_records(file, segment.base, len(MAGIC), size, start, damage, open_end)


def usable(size: int, whole: int, base: int, damage: Damage) -> int:
    """How much of a segment of `size` bytes is of use if it should have `whole` bytes; the difference is damage."""
    if size != whole:
        damage.count(abs(whole - size), base + whole)
    return min(size, whole)  # places beyond it are the next one's


def read_records(
    file: BinaryIO, base: int, at: int, size: int, start: int, damage: Damage, open_end: bool = False
) -> Iterator[Record]:
    """The intact records of a file that end behind the journal offset `start`.

    The file's first byte has the offset `base`, its first record is at the place `at`, and it is read up to the place
    `size`.
    """
    if start - base > at and _leads_on(file, start - base, size):
        at = start - base
    file.seek(at)
    while at < size:
        body = _body(file, size - at)
        if body is None:
            if not open_end:
                damage.count(size - at, base + size)
            return
        at += LEAD.size + len(body[0])
        if not body[1]:
            damage.count(LEAD.size + len(body[0]), base + at)
        elif base + at > start:
            yield _record(body[0], base + at)


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
