"""The typeface of exports: its files, and how wide a text comes out in it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from fontTools.ttLib import TTFont

FAMILY: Final = "Roboto"
"""In the page's own list of typefaces too (`--font`), and free: docs/adr/0015-exports-without-a-browser.md."""

_FILES: Final = {400: "Roboto-Regular.ttf", 500: "Roboto-Medium.ttf", 700: "Roboto-Bold.ttf"}
_UNKNOWN: Final = 1.0
"""Width of a letter that the typeface does not have, in parts of the size: most of those are wide."""


def font_files() -> list[str]:
    """The typeface's files, a weight each."""
    folder = Path(str(files("font_roboto"))) / "files"
    return [str(folder / name) for name in _FILES.values()]


def text_width(text: str, size: float, weight: int = 400) -> float:
    """How wide a text is, without kerning."""
    widths = _widths(weight)
    return size * sum(widths.get(ord(letter), _UNKNOWN) for letter in text)


def covers(letters: set[str]) -> bool:
    """Whether the typeface has all these letters."""
    return all(ord(letter) in _widths(400) or letter.isspace() for letter in letters)


def fitted(text: str, room: float, size: float, weight: int = 400, *, least: int = 3) -> str:
    """As much of a text as fits into `room` pixels, with an ellipsis where it is cut; nothing where that would be less
    than `least` letters."""
    text = text[:200]
    if text_width(text, size, weight) <= room:
        return text
    room -= text_width("…", size, weight)
    widths = _widths(weight)
    count = 0
    for letter in text:
        room -= size * widths.get(ord(letter), _UNKNOWN)
        if room < 0:
            break
        count += 1
    return f"{text[:count].rstrip()}…" if count >= least else ""


@functools.cache
def _widths(weight: int) -> Mapping[int, float]:
    folder = Path(str(files("font_roboto"))) / "files"
    with TTFont(folder / _FILES[weight], lazy=True) as font:
        per_em = font["head"].unitsPerEm
        metrics = font["hmtx"].metrics
        return {code: metrics[name][0] / per_em for code, name in font.getBestCmap().items()}
