"""The packed form of a finished segment: blocks of whole records, each compressed for itself.

A block is a skippable frame of Zstandard, which says what comes, and an ordinary frame with its checksum; so `zstd -d`
makes the segment again, a reader comes to any offset without unpacking what lies before, and damage costs a block. The
skippable frame holds: `TAG`, length of the segment (u64), place of the block in it (u64), length of the block (u32),
packed (u32), CRC-32 of all that (u32); little-endian. Lengths and places are those before packing.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple
from zlib import crc32

import zstandard

from journeymap.journal.segment import LEAD, MAGIC, Damage, Segment, read_records, usable
from journeymap.model.record import Record

BLOCK: Final = 1 << 20
"""A block is at most so long, unless a single record is longer."""

TAG: Final = b"JMZ1"
_LEVEL: Final = 3
_SKIPPABLE: Final = 0x184D2A50
_FACTS: Final = struct.Struct("<II4sQQII")
_CHECK: Final = struct.Struct("<I")
_HEAD: Final = _FACTS.size + _CHECK.size


class _Block(NamedTuple):
    """What stands before a block."""

    segment: int
    place: int
    length: int
    packed: int


def pack(segment: Segment, go_on: Callable[[], bool] = lambda: True) -> int | None:
    """Put the packed form in the place of the written one; how many bytes that saves, None if it was not done.

    It is not done where `go_on` says no in the middle, where the file is no segment, or where it is gone. A crash at any
    moment leaves one that can be read. Raises OSError.
    """
    try:
        written = segment.path.open("rb")
    except FileNotFoundError:
        return None
    with written:
        status = os.fstat(written.fileno())
        if written.read(len(MAGIC)) != MAGIC:
            return None
        try:
            with segment.part.open("wb") as file:
                os.fchmod(file.fileno(), 0o600)
                if not _pack_blocks(written, file, status.st_size, go_on) or not segment.path.exists():
                    return None
                file.flush()
                # When its last record came is when it was written to last.
                os.utime(file.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))
                os.fsync(file.fileno())
                packed = file.tell()
            segment.part.replace(segment.packed)
        finally:
            segment.part.unlink(missing_ok=True)
    sync_directory(segment.directory)
    segment.path.unlink(missing_ok=True)
    return status.st_size - packed


def _pack_blocks(written: BinaryIO, file: BinaryIO, size: int, go_on: Callable[[], bool]) -> bool:
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, write_content_size=True)
    place, first = 0, len(MAGIC)
    while place < size:
        if not go_on():
            return False
        block = _next_block(written, place, first, size)
        data = compressor.compress(block)
        facts = _FACTS.pack(_SKIPPABLE, _HEAD - LEAD.size, TAG, size, place, len(block), len(data))
        file.write(facts + _CHECK.pack(crc32(facts)) + data)
        place += len(block)
        first = 0
    return True


def _next_block(written: BinaryIO, place: int, first: int, size: int) -> bytes:
    """The bytes from `place` to the end of a record, where there are records; the first one begins `first` bytes on."""
    written.seek(place)
    block = written.read(BLOCK)
    if len(block) < BLOCK:
        return block
    end, at = 0, first
    while at <= len(block):
        end = at
        if at + LEAD.size > len(block):
            break
        at += LEAD.size + LEAD.unpack_from(block, at)[0]
    if end > first:
        return block[:end]
    # A record that is longer than a block; or none, and then any length is as good.
    return block + written.read(at - len(block)) if len(block) < at <= size - place else block


def read_packed(
    segment: Segment, start: int, until: int | None, damage: Damage, whole: int | None = None
) -> Iterator[Record]:
    """The intact records of a packed segment that end behind the journal offset `start`; arguments as in `read_written`.

    What cannot be read is counted: a damaged block, a single record, and everything behind a place where no block begins.
    Only one block at a time is in memory. Raises FileNotFoundError where it is gone.
    """
    unpacker = zstandard.ZstdDecompressor()
    with segment.packed.open("rb") as file:
        block = _read_head(file, 0)
        size = block.segment if block is not None else whole or os.fstat(file.fileno()).st_size
        if whole is not None:
            size = usable(size, whole, segment.base, damage)
        if until is not None:
            size = min(size, until - segment.base)
        place = 0
        while place < size:
            if block is None:
                damage.count(size - place, segment.base + size)
                return
            place += block.length
            if segment.base + place <= start:
                file.seek(block.packed, os.SEEK_CUR)
            elif (content := _unpack(unpacker, file.read(block.packed), block.length)) is None:
                damage.count(block.length, segment.base + place)
            else:
                base = segment.base + block.place
                first = 0 if block.place else len(MAGIC)
                left = min(block.length, size - block.place)
                yield from read_records(io.BytesIO(content), base, first, left, start, damage)
            block = _read_head(file, place)


def packed_length(path: Path) -> int:
    """How long a packed segment was before it was packed; 0 if that cannot be told."""
    with path.open("rb") as file:
        block = _read_head(file, 0)
    return 0 if block is None else block.segment


def sync_directory(directory: Path) -> None:
    """Have the names in a directory outlive a power failure."""
    file = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _read_head(file: BinaryIO, place: int) -> _Block | None:
    head = file.read(_HEAD)
    if len(head) < _HEAD or _CHECK.unpack_from(head, _FACTS.size)[0] != crc32(head[: _FACTS.size]):
        return None
    *_, tag, segment, at, length, packed = _FACTS.unpack_from(head)
    return _Block(segment, at, length, packed) if tag == TAG and at == place else None


def _unpack(unpacker: zstandard.ZstdDecompressor, data: bytes, length: int) -> bytes | None:
    with suppress(zstandard.ZstdError):
        # Asked first, so that no damage makes it take more memory than the block did.
        if zstandard.frame_content_size(data) == length:
            return unpacker.decompress(data)
    return None
