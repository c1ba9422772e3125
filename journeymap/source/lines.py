"""The lines of a file or of standard input, plain or gzip, in bounded memory."""

from __future__ import annotations

import contextlib
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from journeymap.errors import InputError
from journeymap.protocol.frames import MAX_FRAME

STDIN: Final = "-"
_CHUNK: Final = 1 << 18
_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP_WBITS: Final = 31
_BOM: Final = b"\xef\xbb\xbf"


def read_lines(path: str | Path, limit: int = MAX_FRAME) -> Iterator[tuple[int, bytes]]:
    """Yields `(line number from 1, line without its end)`; lines of nothing but blanks are passed over.

    `-` is standard input; gzip is known by its first bytes. A line of more than `limit` bytes is yielded as its first
    `limit + 1` bytes, which is how decode knows that it is too large. Content never raises. `InputError` comes where
    the file cannot be opened or read, and where gzip is cut off or damaged: then after all that was readable has been
    yielded (the last line perhaps in part).
    """
    with _opened(path) as stream:
        blocks = _blocks(stream, str(path))
        broken: InputError | None = None
        number = 0
        part = bytearray()
        while True:
            try:
                block = next(blocks, None)
            except InputError as error:
                block, broken = None, error
            if block is None:
                break
            first, *rest = block.split(b"\n")
            part += first[: limit + 1 - len(part)]
            if not rest:
                continue
            *whole, last = rest
            number += 1
            if part and not part.isspace():
                yield number, bytes(part).removesuffix(b"\r")
            for line in whole:
                number += 1
                if line and not line.isspace():
                    yield number, line[: limit + 1].removesuffix(b"\r")
            part = bytearray(last[: limit + 1])
        if part and not part.isspace():
            yield number + 1, bytes(part).removesuffix(b"\r")
        if broken is not None:
            raise broken


@contextlib.contextmanager
def _opened(path: str | Path) -> Iterator[BinaryIO]:
    if str(path) == STDIN:
        yield sys.stdin.buffer
        return
    try:
        stream = Path(path).open("rb", buffering=0)  # noqa: SIM115 - closed below; only opening it is an `InputError` here
    except (OSError, ValueError) as error:
        raise InputError(f"cannot open {path}: {_reason(error)}") from error
    with stream:
        yield stream


def _blocks(stream: BinaryIO, name: str) -> Iterator[bytes]:
    raw = _raw_blocks(stream, name)
    first = next(raw, b"")
    while len(first) < len(_BOM) and (more := next(raw, b"")):
        first += more
    if not first.startswith(_GZIP_MAGIC):
        yield first.removeprefix(_BOM)
        yield from raw
        return
    start = True
    for block in _unzipped(first, raw, name):
        yield block.removeprefix(_BOM) if start else block
        start = False


def _raw_blocks(stream: BinaryIO, name: str) -> Iterator[bytes]:
    read = getattr(stream, "read1", stream.read)  # a pipe gives what is there instead of waiting for a full block
    while True:
        try:
            block: bytes | None = read(_CHUNK)
        except (OSError, ValueError) as error:
            raise InputError(f"cannot read {name}: {_reason(error)}") from error
        if not block:
            return
        yield block


def _unzipped(data: bytes, raw: Iterator[bytes], name: str) -> Iterator[bytes]:
    """The text of one or more gzip members, at most `_CHUNK` bytes at a time however well they are packed."""
    member = zlib.decompressobj(_GZIP_WBITS)
    while True:
        try:
            block = member.decompress(data, _CHUNK)
        except zlib.error as error:
            raise InputError(f"{name}: damaged gzip, only its beginning was read; write it anew") from error
        if block:
            yield block
        data = member.unused_data if member.eof else member.unconsumed_tail
        if member.eof:
            data = data.lstrip(b"\0")  # some writers pad with zeros
            while not data and (more := next(raw, b"")):
                data = more.lstrip(b"\0")
            if not data:
                return
            member = zlib.decompressobj(_GZIP_WBITS)
        elif not data and not (data := next(raw, b"")):
            if len(block) == _CHUNK:
                continue  # the window may still hold text
            raise InputError(f"{name}: truncated gzip, only its beginning was read; write it anew")


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
