"""A process of its own that turns bands of SVG into rows of a PNG: run by `picture`, never imported by it.

The rasteriser holds Python's lock for as long as it draws; in the process of the pages nothing else would move meanwhile.
Reads requests from standard input and answers each on standard output. Each begins with a line of numbers:

    request   `zoom width height system-fonts bytes` (system-fonts 0 or 1), then the SVG
    answer    `bytes adler length` (Adler-32 and length of the rows), then the rows: raw deflate, ended on a byte

`width` and `height` are the pixels that must come out. Arguments are the typeface's name and its files.
"""

from __future__ import annotations

import io
import os
import sys
import zlib
from typing import BinaryIO

import resvg_py
from PIL import Image

LEVEL = 3
"""Of compression: 4 makes files 7 % smaller, and takes twice as long."""


def rows_of(png: bytes, width: int, height: int) -> bytes:
    """The rows of a picture as a PNG of three colours has them: a filter byte (0: none) before each."""
    with Image.open(io.BytesIO(png)) as opened:
        opened.load()
        picture: Image.Image = opened
    if picture.size != (width, height) or picture.mode != "RGBA":
        whole = Image.new("RGBA", (width, height))
        whole.paste(picture.convert("RGBA"))
        picture = whole
    # Rows a byte longer than their pixels end in a 0: moved on by one, it is the filter byte of the next.
    return b"\0" + picture.tobytes("raw", "RGB", 3 * width + 1, 1)[:-1]


def serve(requests: BinaryIO, answers: BinaryIO, family: str, font_files: list[str]) -> None:
    """Answer until there are no more requests."""
    while line := requests.readline():
        zoom, width, height, system_fonts, size = line.split()
        png = resvg_py.svg_to_bytes(
            svg_string=requests.read(int(size)).decode("utf-8"),
            zoom=float(zoom),
            font_files=font_files,
            skip_system_fonts=system_fonts == b"0",
            font_family=family,
            sans_serif_family=family,
        )
        rows = rows_of(png, int(width), int(height))
        packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = packer.compress(rows) + packer.flush(zlib.Z_FULL_FLUSH)
        answers.write(b"%d %d %d\n%s" % (len(packed), zlib.adler32(rows), len(rows), packed))
        answers.flush()


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(5)  # pages go before pictures
    serve(sys.stdin.buffer, sys.stdout.buffer, sys.argv[1], sys.argv[2:])
