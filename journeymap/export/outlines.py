"""Texts of an SVG as the outlines of their letters, for pictures: they are laid out as they were measured, in less time than the
rasteriser takes to do it."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

from fontTools.pens.basePen import decomposeQuadraticSegment
from fontTools.pens.recordingPen import DecomposingRecordingPen

from journeymap.export.svg import number
from journeymap.export.typeface import SIZE, SIZES, WEIGHTS, Glyph, glyph

Point: TypeAlias = tuple[float, float]

_TEXT: Final = re.compile(r'<text x="([\d.-]+)" y="([\d.-]+)" class="([^"<>]*)">([^<]*)</text>')
_FILL: Final = re.compile(r"text\{[^}]*fill:(#[0-9a-f]{6})")


def ink_of(style: str) -> str:
    """The colour that the style sheet of an SVG gives to texts."""
    found = _FILL.search(style)
    return found[1] if found else "#000000"


def outlined(svg: str, ink: str) -> str:
    """The SVG with paths for its texts; those with letters that the typeface lacks stay as they are."""
    return _TEXT.sub(lambda text: _path(text, ink) or text[0], svg)


@functools.lru_cache(maxsize=5_000)
def _outline(letter: str, size: float, weight: int) -> tuple[str, float, float, float] | None:
    """The outline of a letter from its origin, where its last part begins, and its width; None where there is no such letter."""
    found: Glyph | None = glyph(letter, weight)
    if found is None:
        return None
    pen = DecomposingRecordingPen(found.glyphs)
    found.glyphs[found.name].draw(pen)
    steps, start = _steps(pen.value, size / found.per_em)
    return steps, *start, found.width * size


def _steps(drawn: Iterable[tuple[str, Sequence[Any]]], scale: float) -> tuple[str, Point]:
    """What a pen has drawn as a path in relative steps, and where its last part began."""
    steps: list[str] = []
    at = start = (0.0, 0.0)

    def step(letter: str, *points: Point) -> None:
        nonlocal at
        # Rounded where a point lies and not as a step: errors must not add up.
        placed = [(round(x * scale, 2), round(-y * scale, 2)) for x, y in points]
        steps.append(letter + " ".join(f"{number(x - at[0])} {number(y - at[1])}" for x, y in placed))
        at = placed[-1]

    for name, points in drawn:
        if name == "moveTo":
            step("m", points[0])
            start = at
        elif name == "lineTo":
            step("l", points[0])
        elif name == "qCurveTo":
            curve = points
            if points[-1] is None:  # A round part without a corner: it begins between two of its bends.
                (left, low), (right, high) = points[-2], points[0]
                curve = (*points[:-1], ((left + right) / 2, (low + high) / 2))
                step("m", curve[-1])
                start = at
            for bend, end in decomposeQuadraticSegment(curve):
                step("q", bend, end)
        else:
            steps.append("z")
            at = start
    return "".join(steps), start


@functools.lru_cache(maxsize=2_000)
def _written(words: str, css: str) -> tuple[str, float] | None:
    """The outlines of a text of these classes from where it begins, and its width; None where the typeface lacks a letter.
    Kept, because the same queues, agents and states stand in many rows."""
    names = css.split()
    size = next((SIZES[name] for name in names if name in SIZES), SIZE)
    weight = next((WEIGHTS[name] for name in names if name in WEIGHTS), 400)
    letters = [_outline(letter, size, weight) for letter in html.unescape(words)]
    x, steps, back, down = 0.0, [], 0.0, 0.0
    for each in letters:
        if each is None:
            return None
        outline, start_x, start_y, width = each
        if outline:
            # Behind a closed part the pen stands where that part began.
            steps.append(f"m{number(x - back)} {number(-down)}{outline}")
            back, down = x + start_x, start_y
        x += width
    return "".join(steps), x


def _path(text: re.Match[str], ink: str) -> str | None:
    written = _written(text[4], text[3])
    if written is None:
        return None
    steps, width = written
    css = text[3].split()
    left = float(text[1]) - (width / 2 if "mid" in css else width if "end" in css else 0)
    return f'<path class="{text[3]}" fill="{ink}" d="M{number(left)} {text[2]}{steps}"/>'
