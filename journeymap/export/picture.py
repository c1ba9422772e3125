"""SVG charts as PNG, without a browser: drawn band by band in processes beside this one, so that any height fits in memory.

A band is the same SVG with another view box and without the rows that lie outside it. Each comes back as a piece of the
PNG's own compressed stream; here they are only put one behind the other.
"""

from __future__ import annotations

import contextlib
import os
import re
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from journeymap.errors import InputError, JourneymapError
from journeymap.export.outlines import ink_of, outlined
from journeymap.export.svg import number
from journeymap.export.typeface import FAMILY, covers, font_files

LEAST_SCALE: Final = 1.0
MOST_SCALE: Final = 4.0
MOST_SIDE: Final = 65_500
"""Pixels of a picture's longer side at most: browsers and viewers refuse more."""

BAND_PIXELS: Final = 3_000_000
PROCESSES: Final = 4
"""So many draw at a time for one picture, if there are as many processors."""

PATIENCE: Final = 120.0
"""Seconds in which a band must be drawn."""

_SIZE: Final = re.compile(r'width="([\d.]+)" height="([\d.]+)" viewBox="[^"]*"')
_ROW: Final = re.compile(r'<g class="(?:row|heading)" transform="translate\([\d.]+ ([\d.]+)\)"')
_ROW_REACH: Final = 40.0
"""How far a row's marks may reach from its upper edge."""

_NO_ROW: Final = -1.0
_MODULO: Final = 65_521


class Drawn(msgspec.Struct, frozen=True):
    """What came out: pixels, and the scale, which is less than asked for where the picture would have become too tall."""

    width: int
    height: int
    scale: float


class Band(msgspec.Struct, frozen=True):
    """A part of the picture: its SVG, and its size in pixels."""

    svg: bytes
    width: int
    height: int
    scale: float
    system_fonts: bool


def read_scale(scale: float) -> float:
    """A scale that a picture can have. Raises InputError."""
    if not LEAST_SCALE <= scale <= MOST_SCALE:
        raise InputError(f"scale is {scale:g}; allowed is {LEAST_SCALE:g} to {MOST_SCALE:g}")
    return scale


def fitting_scale(width: float, height: float, scale: float) -> float:
    """The scale, or the largest at which the picture is not too tall. Raises InputError where not even 1 is."""
    most = MOST_SIDE / max(width, height)
    if most < LEAST_SCALE:
        raise InputError(
            f"the picture would be {height:,.0f} pixels tall, and {MOST_SIDE:,} is the most that viewers open: "
            "export PDF, which has pages, or SVG or HTML, or choose fewer journeys"
        )
    return min(scale, most)


def write_png(svg: Iterable[str], out: BinaryIO, scale: float = 1.0) -> Drawn:
    """The picture of an SVG as PNG. Raises InputError where it is too tall."""
    with _Artists() as artists:
        artists.make_ready()
        bands, drawn = _bands("".join(svg).splitlines(keepends=True), scale)
        with contextlib.closing(artists.drawn(bands)) as pieces:
            _write_picture(pieces, drawn, out)
    return drawn


def _write_picture(pieces: Iterable[tuple[bytes, int, int]], drawn: Drawn, out: BinaryIO) -> None:
    out.write(b"\x89PNG\r\n\x1a\n")
    _write_chunk(out, b"IHDR", struct.pack(">IIBBBBB", drawn.width, drawn.height, 8, 2, 0, 0, 0))
    per_metre = round(drawn.scale * 96 / 0.0254)
    _write_chunk(out, b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1))
    _write_chunk(out, b"IDAT", b"\x78\x9c")
    adler = 1
    for packed, its_adler, length in pieces:
        _write_chunk(out, b"IDAT", packed)
        adler = _joined(adler, its_adler, length)
    _write_chunk(out, b"IDAT", b"\x03\x00" + struct.pack(">I", adler))
    _write_chunk(out, b"IEND", b"")


def _bands(lines: list[str], scale: float) -> tuple[Iterator[Band], Drawn]:
    stated = _SIZE.search(lines[0])
    if stated is None:
        raise ValueError("the SVG does not say how large it is")
    width, height = float(stated[1]), float(stated[2])
    scale = fitting_scale(width, height, scale)
    drawn = Drawn(round(width * scale), round(height * scale), scale)
    system_fonts = not covers(set().union(*lines))
    tops = [float(row[1]) if (row := _ROW.match(line)) else _NO_ROW for line in lines]
    step = _band_height(drawn)
    ink = ink_of(next((line for line in lines if line.startswith("<style>")), ""))

    def bands() -> Iterator[Band]:
        for top in range(0, drawn.height, step):
            pixels = min(step, drawn.height - top)
            first, last = top / scale, (top + pixels) / scale
            size = f"{number(width)} {last - first:.6f}"
            box = 'width="{}" height="{}" '.format(*size.split()) + f'viewBox="0 {first:.6f} {size}"'
            kept = [
                line
                for line, at in zip(lines, tops, strict=True)
                if at == _NO_ROW or first - _ROW_REACH <= at <= last + _ROW_REACH
            ]
            kept[0] = _SIZE.sub(box, kept[0], count=1)
            yield Band(outlined("".join(kept), ink).encode("utf-8"), drawn.width, pixels, scale, system_fonts)

    return bands(), drawn


def _band_height(drawn: Drawn) -> int:
    """Pixels of a band: so many that all processes are at work until the end."""
    step = max(64, BAND_PIXELS // drawn.width)
    if drawn.height <= step:
        return step
    count = -(-drawn.height // step)
    count = -(-count // _at_once()) * _at_once()
    return -(-drawn.height // count)


def _at_once() -> int:
    return min(PROCESSES, os.cpu_count() or 1)


class _Artists:
    """The processes that draw, each started when there is a band for it, and all ended in the end."""

    def __init__(self) -> None:
        self._free: list[subprocess.Popen[bytes]] = []
        self._all: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> _Artists:
        return self

    def __exit__(self, *_: object) -> None:
        _end(self._all)

    def make_ready(self) -> None:
        """Start the first one: it gets ready while the SVG is written."""
        self._free.append(self._hire())

    def drawn(self, bands: Iterator[Band]) -> Generator[tuple[bytes, int, int]]:
        """The bands' rows in order: packed, with their Adler-32 and length. No more than a few bands wait at a time."""
        count = _at_once()
        waiting: list[Future[tuple[bytes, int, int]]] = []
        with ThreadPoolExecutor(count, "journeymap-picture") as pool:
            try:
                for band in bands:
                    waiting.append(pool.submit(self._draw, band))
                    if len(waiting) > count:
                        yield waiting.pop(0).result()
                while waiting:
                    yield waiting.pop(0).result()
            finally:
                for each in waiting:
                    each.cancel()
                _end(self._all)

    def _draw(self, band: Band) -> tuple[bytes, int, int]:
        try:
            process = self._free.pop()
        except IndexError:
            process = self._hire()
        rows = _ask(process, band)
        self._free.append(process)
        return rows

    def _hire(self) -> subprocess.Popen[bytes]:
        process = _start()
        self._all.append(process)
        return process


def _start() -> subprocess.Popen[bytes]:
    script = str(Path(__file__).with_name("rasterise.py"))
    command = [sys.executable, "-P", script, FAMILY, *font_files()]
    return subprocess.Popen(  # noqa: S603  nothing of the command comes from outside
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def _ask(process: subprocess.Popen[bytes], band: Band) -> tuple[bytes, int, int]:
    assert process.stdin is not None
    assert process.stdout is not None
    watch = threading.Timer(PATIENCE, process.kill)
    watch.start()
    try:
        head = f"{band.scale!r} {band.width} {band.height} {int(band.system_fonts)} {len(band.svg)}\n"
        process.stdin.write(head.encode() + band.svg)
        process.stdin.flush()
        size, adler, length = map(int, process.stdout.readline().split())
        packed = process.stdout.read(size)
    except (OSError, ValueError) as error:
        raise JourneymapError("the picture could not be drawn: the process that draws it has ended") from error
    finally:
        watch.cancel()
    if len(packed) < size:
        raise JourneymapError("the picture could not be drawn: the process that draws it has ended")
    return packed, adler, length


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _write_chunk(out: BinaryIO, kind: bytes, data: bytes) -> None:
    out.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))


def _joined(first: int, second: int, length: int) -> int:
    """The Adler-32 of two texts, from that of each and the length of the second."""
    low = (first & 0xFFFF) + (second & 0xFFFF) - 1
    high = (first >> 16) + (second >> 16) + length * ((first & 0xFFFF) - 1)
    return (high % _MODULO) << 16 | low % _MODULO
