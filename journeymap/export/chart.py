"""Many journeys as one chart in SVG, all rows of it, as the wall draws them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from journeymap.export.caption import Look, Subject
from journeymap.export.frame import MARGIN, Frame
from journeymap.export.stack import HEADING, ROW, Heading, Stack
from journeymap.export.svg import number, rect, write
from journeymap.export.typeface import fitted, text_width
from journeymap.model.journey import State
from journeymap.model.time import SECOND, Millis
from journeymap.view.folding import Fold
from journeymap.view.labels import short_duration
from journeymap.view.looks import CHANNEL_LOOKS, STATE_LABELS, channel_look, channel_token
from journeymap.view.rows import DrawnRow
from journeymap.view.scale import SHORTEST_SPAN

HEAD: Final = 276.0
NARROW_HEAD: Final = 196.0
NARROW: Final = 900
BAR: Final = 18.0
MOST_LANES: Final = 4
MOST_BADGES: Final = 4


def chart(stack: Stack, look: Look, subject: Subject) -> Iterator[str]:
    """The chart in pieces, in order; the time it takes is linear in the rows. Without rows it says so."""
    narrow = look.width < NARROW
    rows = [each.row for each in stack.rows]
    frame = Frame(look, subject, NARROW_HEAD if narrow else HEAD, max(stack.height, ROW), rows)
    yield from frame.begin()
    width = look.width - 2 * MARGIN
    for top in stack.tops[1::2]:
        yield _part("row", frame.top + top) + rect(0, 0, width, ROW, frame.palette["stripe"]) + "</g>\n"
    yield from frame.beneath()
    if not rows:
        yield write(look.width / 2, frame.top + ROW / 2 + 4, "No journey matches.", "m mid")
    for index, (top, row) in enumerate(zip(stack.tops, rows, strict=True)):
        if index in stack.headings:
            above, heading, continued = stack.headings[index]
            yield _part("heading", frame.top + above)
            yield from _heading(heading, continued, width, frame.palette)
            yield "</g>\n"
        yield _part("row", frame.top + top)
        yield from _head(row, subject.now, frame.palette, narrow=narrow)
        yield f'<g transform="translate({number(frame.left - MARGIN)} 0)">'
        yield from _bars(frame, row, subject.now)
        yield "</g></g>\n"
    if stack.pinned_to:
        yield rect(MARGIN, frame.top + stack.pinned_to - 1, width, 1, frame.palette["line-strong"]) + "\n"
    yield write(MARGIN, frame.top - 11, "Customer", "s m b")
    yield from frame.end()
    yield "</svg>\n"


def window_of(
    rows: Sequence[DrawnRow], now: Millis, start: Millis | None, end: Millis | None, folds: Sequence[Fold] = ()
) -> tuple[Millis, Millis]:
    """The window of a chart: what was asked for, otherwise all that the rows show, with a little room around."""
    first = min((row.start for row in rows), default=now) if start is None else start
    last = max((row.until(now) for row in rows), default=now) if end is None else end
    if last - first < SHORTEST_SPAN:
        first, last = (first, first + SHORTEST_SPAN) if end is None else (last - SHORTEST_SPAN, last)
    room = max(SECOND, (last - first - sum(fold.end - fold.start for fold in folds)) * 3 // 100)
    return first - (room if start is None else 0), last + (room if end is None else 0)


def _part(css: str, top: float) -> str:
    """What begins a part of one row or heading, on a line of its own: `picture` leaves those out that lie outside a band."""
    return f'<g class="{css}" transform="translate({number(MARGIN)} {number(top)})">'


def _heading(heading: Heading, continued: bool, width: float, palette: Mapping[str, str]) -> Iterator[str]:
    yield rect(0, 0, width, HEADING, palette["ground"])
    for y in (0, HEADING - 1):
        yield rect(0, y, width, 1, palette["line"])
    if heading.state is not None:
        yield f'<circle cx="10" cy="13" r="4" fill="{palette[f"state-{heading.state.value.lower()}"]}"/>'
    left = 6.0 if heading.state is None else 22.0
    size = f"{heading.size:,}" + (", continued" if continued else "")
    room = width - left - text_width(size, 12.5) - 24
    name = fitted(heading.name, room, 12.5, 700)
    yield write(left, 17, name, "bb") + write(left + text_width(name, 12.5, 700) + 8, 17, size, "m")


def _head(row: DrawnRow, now: Millis, palette: Mapping[str, str], *, narrow: bool) -> Iterator[str]:
    if row.state is State.CLOSED:
        yield f'<circle cx="10" cy="14" r="3.25" fill="none" stroke="{palette["control"]}" stroke-width="1.5"/>'
    else:
        yield f'<circle cx="10" cy="14" r="4" fill="{palette[f"state-{row.state.value.lower()}"]}"/>'
    right = (NARROW_HEAD if narrow else HEAD) - 12
    yield write(right, 18, short_duration(now - row.since), "s m end")
    right -= 28 if narrow else 96
    if not narrow:
        yield write(right + 8, 18, STATE_LABELS.get(row.state, row.state.value), "s m")
    channels = row.channels
    shown = channels[: MOST_BADGES if len(channels) <= MOST_BADGES else MOST_BADGES - 1]
    if len(channels) > len(shown):
        right -= 17
        yield write(right, 18, f"+{len(channels) - len(shown)}", "xs m bb")
    for channel in reversed(shown):
        right -= 17
        colour = palette[channel_token(channel)]
        letter = channel_look(channel).letter if channel in CHANNEL_LOOKS else "O"
        yield rect(right, 6.5, 15, 15, colour, ' rx="3"') + write(right + 7.5, 17.5, letter, "xs bb ink mid")
    yield write(22, 18.5, fitted(row.customer, right - 22 - 8, 12.5, 500), "b")


def _bars(frame: Frame, row: DrawnRow, now: Millis) -> Iterator[str]:
    bars, scale = frame.bars, frame.scale
    before = scale.x(row.until(now)) < 0
    if row.interactions and (before or scale.x(row.start) > scale.width):
        yield bars.edge_hint(row.interactions[0].channel, ROW / 2, before=before)
        return
    boxes = [_lane_box(row.lanes, one.lane) for one in row.interactions]
    for one, (top, height) in zip(row.interactions, boxes, strict=True):
        yield from bars.interaction(one, top, height)
    middles = [top + height / 2 for top, height in boxes]
    for at, source, target in row.transfers:
        taken = None if target is None else row.interactions[target]
        yield from bars.transfer(at, taken, middles[source], middles[source if target is None else target])


def _lane_box(lanes: int, lane: int) -> tuple[float, float]:
    """Top and height of a lane inside its row, in whole pixels: edges between them would be blurred."""
    count = min(lanes, MOST_LANES)
    gap = 1 if count > 1 else 0
    height = (BAR + (4 if count > 1 else 0) - gap * (count - 1)) // count
    top = (ROW - (height * count + gap * (count - 1))) // 2
    return top + min(lane, count - 1) * (height + gap), height
