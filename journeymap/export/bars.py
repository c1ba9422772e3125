"""Draws the bars of interactions as SVG, as `assets/chart/draw.mjs` draws them on the page's canvas."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from journeymap.export.svg import number, path, rect, write
from journeymap.export.typeface import fitted
from journeymap.model.journey import Kind, State
from journeymap.model.time import Millis
from journeymap.view.bars import passed_on
from journeymap.view.folding import FoldedScale
from journeymap.view.labels import short_name
from journeymap.view.looks import CHANNEL_LOOKS, KIND_LOOKS, LIGHT, channel_token
from journeymap.view.rows import DrawnInteraction
from journeymap.view.scale import TimeScale

LEAST_BAR: Final = 3.0
FADE: Final = 28.0
LABEL_FROM: Final = 46.0
LABEL_SIZE: Final = 11.0
IDLE: Final = "idle-"
STRIPES: Final = 6
LINES: Final = {Kind.TRANSFER: "hatch", Kind.ALERT: "upright", Kind.HOLD: "lying"}
"""Kinds that are told by lines, and the pattern of each."""

LEAST_LABELLED: Final = 14.0
"""Pixels that a bar must be high to carry a label."""


class Bars:
    """Draws on one scale, as of one moment, with the colours of one theme (`palette`: tokens by name)."""

    def __init__(self, scale: TimeScale | FoldedScale, now: Millis, palette: Mapping[str, str]) -> None:
        self.scale = scale
        self.now = now
        self.palette = palette

    def interaction(self, one: DrawnInteraction, top: float, height: float) -> Iterator[str]:
        """An interaction between `top` and `top + height`."""
        yield from self._thread(one, top + height / 2)
        earlier = passed_on(one.bars)
        for place, (kind, start, end) in enumerate(one.bars):
            yield from self._bar(one, kind, start, end, top, height, named=place >= earlier)
        yield from self._end(one, top, height)

    def transfer(self, at: Millis, target: DrawnInteraction | None, source_y: float, target_y: float) -> Iterator[str]:
        """An arrow from the interaction that let go to the one that took over; a ring while nobody has."""
        start = self.scale.x(at)
        end = start if target is None else self.scale.x(max(at, target.start))
        if not -1 <= start <= self.scale.width + 1:
            return
        text, surface = self.palette["text"], self.palette["surface"]
        if target is None:
            place = f'cx="{number(start)}" cy="{number(source_y)}" r="3"'
            yield f'<circle {place} fill="{surface}" stroke="{text}" stroke-width="1.25"/>'
            return
        end = min(end, self.scale.width + 1)
        tip = end - 1
        back = tip - 5 if source_y == target_y else max(start, tip - 5)
        down = "" if source_y == target_y else f"V{number(target_y)}"
        line = f"M{number(start)} {number(source_y)}{down}H{number(back)}"
        yield path(line, more=f' stroke="{text}" stroke-width="1.25"')
        yield path(f"M{number(tip + 3)} {number(target_y)}l-7 -4v8z", text)

    def edge_hint(self, channel: str, middle: float, *, before: bool) -> str:
        """A small triangle for a journey that lies wholly before or after the window."""
        x, way = (3.0, 6) if before else (self.scale.width - 3, -6)
        return path(f"M{number(x)} {number(middle)}l{way} -4v8z", self.palette[channel_token(channel)])

    def _thread(self, one: DrawnInteraction, middle: float) -> Iterator[str]:
        left = max(0.0, self.scale.x(one.start))
        right = min(self.scale.width, self.scale.x(self.now if one.end is None else one.end))
        if right > left:
            yield rect(left, middle - 0.5, right - left, 1, self.palette[_token(one)])

    def _bar(
        self,
        one: DrawnInteraction,
        kind: str,
        start: Millis,
        end: Millis | None,
        top: float,
        height: float,
        *,
        named: bool,
    ) -> Iterator[str]:
        left = self.scale.x(start)
        right = max(self.scale.x(max(self.now, start) if end is None else end), left + LEAST_BAR)
        if right <= 0 or left >= self.scale.width:
            return
        left, right = max(left, 0.0), min(right, self.scale.width)
        width = right - left
        token = _token(one)
        fade = min(FADE, width * 0.6) if end is None and not one.timed_out else 0.0
        # It begins on a whole pixel: otherwise a seam is seen there.
        fade = right - math.ceil(right - fade) if fade > 3 else 0.0
        yield self._box(token, kind, left, top, width - fade, height, open_ended=fade > 0)
        if fade:
            yield rect(right - fade, top, fade, height, f"url(#fade-{token}-{kind})")
            if kind != Kind.INTERACT:
                for edge in (top, top + height - 1):
                    yield rect(right - fade, edge, fade, 1, f"url(#fade-{token}-{Kind.INTERACT.value})")
        yield from self._label(self._words(one, kind, named=named), one, kind, left, width - fade, top, height)

    def _box(
        self, token: str, kind: str, left: float, top: float, width: float, height: float, *, open_ended: bool
    ) -> str:
        solid = self.palette[token]
        # Solid bars are as large as others are with their lines, which take as long to draw as the bar.
        edge, stroke, corner = 0.0, "", 2.5
        if kind != Kind.INTERACT:
            line = 1.5 if kind == Kind.WRAPUP else 1.0
            edge, stroke, corner = 0.5, f' stroke="{solid}" stroke-width="{number(line)}"', 2.0
        if kind in LIGHT:
            fill = self.palette[f"{token}-tint"]
        elif kind in LINES:
            fill = f"url(#{LINES[Kind(kind)]}-{token})"
        else:
            fill = self.palette["surface"] if kind == Kind.WRAPUP else solid
        x, y, w, h = left + edge, top + edge, max(width, 2.0) - 2 * edge, height - 2 * edge
        if open_ended:
            # No line at the open end; the fade goes on from there.
            turn = number(corner)
            side = f"M{number(left + width)} {number(y)}H{number(x + corner)}q-{turn} 0 -{turn} {turn}V{number(y + h - corner)}"
            return path(f"{side}q0 {turn} {turn} {turn}H{number(left + width)}", fill, stroke)
        return rect(x, y, w, h, fill, f'{stroke} rx="{number(corner)}"' if w > 4 else stroke)

    def _words(self, one: DrawnInteraction, kind: str, *, named: bool) -> str | None:
        """What a bar of this kind is to say; the names only where they are its own."""
        if kind == Kind.IVR:
            return KIND_LOOKS[Kind.IVR].label
        if not named:
            return None
        name = one.queue if kind in LIGHT else (one.agent or one.queue) if kind == Kind.INTERACT else None
        return None if name is None else short_name(name)

    def _label(
        self, text: str | None, one: DrawnInteraction, kind: str, left: float, width: float, top: float, height: float
    ) -> Iterator[str]:
        if height < LEAST_LABELLED or width < LABEL_FROM:
            return
        shown = fitted(text, width - 9, LABEL_SIZE) if text else ""
        if shown:
            css = "s ink" if kind == Kind.INTERACT and one.state is not State.IDLE else "s"
            yield write(left + 5, top + height / 2 + 4, shown, css)

    def _end(self, one: DrawnInteraction, top: float, height: float) -> Iterator[str]:
        """How an interaction ended: a diamond for a noted outcome, three dashes for a time-out."""
        at = one.end if one.ended is None else one.ended
        if at is None:
            return
        x = self.scale.x(max(at, at if one.end is None else one.end))
        middle = top + height / 2
        if not 0 <= x <= self.scale.width:
            return
        if one.timed_out:
            for step in (4, 8, 12):
                if x + step + 2 <= self.scale.width:
                    yield rect(x + step, middle - 0.75, 2, 1.5, self.palette["muted"])
        elif one.disposition:
            size = min(4.5, height / 2)
            half = number(size)
            diamond = f"M{number(x)} {number(middle - size)}l{half} {half}l-{half} {half}l-{half} -{half}z"
            yield path(diamond, self.palette["surface"], f' stroke="{self.palette["text"]}" stroke-width="1.25"')


def with_faded(palette: Mapping[str, str]) -> dict[str, str]:
    """The palette and, as `idle-channel-…`, the colours of idle interactions: half way to the ground. Half transparent ones would
    look the same, but take ten times as long to draw."""
    faded = {}
    for look in CHANNEL_LOOKS.values():
        for name in (channel_token(look.name), f"{channel_token(look.name)}-tint"):
            faded[f"{IDLE}{name}"] = _mixed(palette[name], palette["surface"])
    return {**palette, **faded}


def _mixed(one: str, other: str) -> str:
    pairs = zip(bytes.fromhex(one.removeprefix("#")), bytes.fromhex(other.removeprefix("#")), strict=True)
    return "#" + bytes((first + second) // 2 for first, second in pairs).hex()


def _token(one: DrawnInteraction) -> str:
    token = channel_token(one.channel)
    return f"{IDLE}{token}" if one.state is State.IDLE else token


def definitions(palette: Mapping[str, str], kinds: Collection[str]) -> Iterator[str]:
    """What bars of these kinds refer to: lines, and the fades of open bars."""
    tokens = [channel_token(look.name) for look in CHANNEL_LOOKS.values()]
    for token in (*tokens, *(f"{IDLE}{token}" for token in tokens)):
        tint = palette[f"{token}-tint"]
        yield from lines(token, palette[token], tint, kinds)
        for kind in Kind:
            if kind not in kinds:
                continue
            colour = palette[token] if kind is Kind.INTERACT else palette["surface"] if kind is Kind.WRAPUP else tint
            stops = f'<stop stop-color="{colour}"/><stop offset="1" stop-color="{colour}" stop-opacity="0"/>'
            yield f'<linearGradient id="fade-{token}-{kind.value}">{stops}</linearGradient>'


def lines(name: str, ink: str, ground: str, kinds: Collection[str]) -> Iterator[str]:
    """The patterns of those kinds that are told by their lines, as `hatch-name`, `upright-name` and `lying-name`."""
    if Kind.TRANSFER in kinds:
        yield hatch(f"hatch-{name}", ink, ground)
    if Kind.ALERT in kinds:
        yield _stripes(f"upright-{name}", ink, ground, width=2, height=STRIPES)
    if Kind.HOLD in kinds:
        yield _stripes(f"lying-{name}", ink, ground, width=STRIPES, height=3)


def _stripes(name: str, ink: str, ground: str, *, width: int, height: int) -> str:
    place = f'id="{name}" patternUnits="userSpaceOnUse" width="{STRIPES}" height="{STRIPES}"'
    return f"<pattern {place}>{rect(0, 0, STRIPES, STRIPES, ground)}{rect(0, 0, width, height, ink)}</pattern>"


def hatch(name: str, ink: str, ground: str, *, size: int = 8, line: float = 2.6, falling: bool = False) -> str:
    """A pattern of lines that rise to the right, or fall."""
    low, high = (-2, size + 2) if falling else (size + 2, -2)
    lines = "".join(f"M{shift - 2} {low}L{shift + size + 2} {high}" for shift in (-size, 0, size))
    place = f'id="{name}" patternUnits="userSpaceOnUse" width="{size}" height="{size}"'
    fill = rect(0, 0, size, size, ground) if ground else ""
    return f'<pattern {place}>{fill}{path(lines, more=f""" stroke="{ink}" stroke-width="{number(line)}" """.rstrip())}</pattern>'
