"""The typeface of exports: its files, and how wide a text comes out in it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple

from fontTools.ttLib import TTFont

FAMILY: Final = "Roboto"
"""In the page's own list of typefaces too (`--font`), and free: docs/adr/0015-exports-without-a-browser.md."""

_FILES: Final = {400: "Roboto-Regular.ttf", 500: "Roboto-Medium.ttf", 700: "Roboto-Bold.ttf"}
SIZE: Final = 12.5
SIZES: Final = {"title": 20.0, "s": 11.0, "xs": 9.5}
WEIGHTS: Final = {"title": 500, "b": 500, "bb": 700}
"""Pixels and weight of texts, by class; `SIZE` and 400 without one."""

_UNKNOWN: Final = 1.0
"""Width of a letter that the typeface does not have, in parts of the size: most of those are wide."""


class Glyph(NamedTuple):
    """A letter's outline, by its name among the typeface's, and its width in parts of the size."""

    glyphs: Any
    name: str
    per_em: int
    width: float


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


def glyph(letter: str, weight: int) -> Glyph | None:
    """The outline of a letter; None where the typeface does not have it."""
    names, glyphs, per_em = _glyphs(weight)
    name = names.get(ord(letter))
    return None if name is None else Glyph(glyphs, name, per_em, _widths(weight)[ord(letter)])


@functools.cache
def _glyphs(weight: int) -> tuple[Mapping[int, str], Any, int]:
    folder = Path(str(files("font_roboto"))) / "files"
    with TTFont(folder / _FILES[weight]) as font:
        return font.getBestCmap(), font.getGlyphSet(), font["head"].unitsPerEm


@functools.cache
def _widths(weight: int) -> Mapping[int, float]:
    folder = Path(str(files("font_roboto"))) / "files"
    with TTFont(folder / _FILES[weight], lazy=True) as font:
        per_em = font["head"].unitsPerEm
        metrics = font["hmtx"].metrics
        return {code: metrics[name][0] / per_em for code, name in font.getBestCmap().items()}
