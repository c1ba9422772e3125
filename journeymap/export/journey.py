"""One journey as a chart in SVG: a track a channel, lanes where interactions overlap, and its interactions in words below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from journeymap.export.caption import Look, Subject
from journeymap.export.frame import MARGIN, Frame
from journeymap.export.svg import rect, write
from journeymap.export.typeface import fitted
from journeymap.model.journey import CHANNELS, OTHER_CHANNEL
from journeymap.model.time import Millis
from journeymap.view.folding import Fold, folded
from journeymap.view.labels import day_and_time, duration, short_name
from journeymap.view.looks import CHANNEL_LOOKS, STATE_LABELS, channel_look, channel_token
from journeymap.view.rows import DrawnInteraction, DrawnRow, in_lanes

LANE: Final = 34.0
BAR: Final = 22.0
HEAD: Final = 116.0
LINE: Final = 20.0
COLUMNS: Final = (
    ("Channel", 0.0, 0.08),
    ("State", 0.08, 0.08),
    ("Started", 0.16, 0.13),
    ("Length", 0.29, 0.08),
    ("Queue", 0.37, 0.14),
    ("Agent", 0.51, 0.13),
    ("Outcome", 0.64, 0.14),
    ("Interaction", 0.78, 0.22),
)
"""Of the list below the chart: name, left edge and width in parts of the whole."""


class Track(msgspec.Struct, frozen=True):
    """The interactions of one channel with their places in the journey, and how many lanes they take."""

    channel: str
    places: Sequence[int]
    interactions: Sequence[DrawnInteraction]
    lanes: int


def tracks_of(row: DrawnRow) -> list[Track]:
    """The tracks of a journey, in the order of the channels; channels without a track of their own share the last."""
    found = []
    for name in (*CHANNELS, OTHER_CHANNEL):
        places = [
            place
            for place, one in enumerate(row.interactions)
            if (one.channel if one.channel in CHANNEL_LOOKS else OTHER_CHANNEL) == name
        ]
        if places:
            placed, lanes = in_lanes([row.interactions[place] for place in places])
            found.append(Track(name, places, placed, lanes))
    return found


def folds_of(row: DrawnRow, now: Millis) -> Sequence[Fold]:
    """The idle stretches of a journey that its chart folds, as its page does."""
    bars = [(start, now if end is None else end) for one in row.interactions for _, start, end in one.bars]
    ended = [one.ended for one in row.interactions if one.ended is not None]
    return folded(bars, [row.start, row.last, *ended, *row.moments]).folds


def journey_chart(row: DrawnRow, look: Look, subject: Subject) -> Iterator[str]:
    """The chart in pieces, in order."""
    tracks = tracks_of(row)
    frame = Frame(look, subject, HEAD, LANE * max(1, sum(track.lanes for track in tracks)), [row])
    below = LINE * (len(row.interactions) + 1) + 12
    yield from frame.begin(below)
    tops: dict[int, float] = {}
    top = frame.top
    for index, track in enumerate(tracks):
        height = LANE * track.lanes
        if index % 2:
            yield rect(MARGIN, top, look.width - 2 * MARGIN, height, frame.palette["stripe"]) + "\n"
        tops |= {
            place: top - frame.top + LANE * one.lane
            for place, one in zip(track.places, track.interactions, strict=True)
        }
        top += height
    yield from frame.beneath()
    yield from _names(tracks, frame)
    yield f'<g transform="translate({frame.left} {frame.top})">\n'
    for place, one in enumerate(row.interactions):
        yield from frame.bars.interaction(one, tops[place] + (LANE - BAR) / 2, BAR)
        yield "\n"
    for at, source, target in row.transfers:
        taken = None if target is None else row.interactions[target]
        to = tops[source if target is None else target] + LANE / 2
        yield from frame.bars.transfer(at, taken, tops[source] + LANE / 2, to)
    yield "</g>\n"
    yield from frame.end()
    yield from _list(row.interactions, look, subject.now, frame.height)
    yield "</svg>\n"


def _names(tracks: Sequence[Track], frame: Frame) -> Iterator[str]:
    top = frame.top
    for track in tracks:
        look = CHANNEL_LOOKS[track.channel]
        middle = top + LANE * track.lanes / 2
        yield rect(MARGIN + 6, middle - 7.5, 15, 15, frame.palette[channel_token(look.name)], ' rx="3"')
        yield write(MARGIN + 13.5, middle + 3.5, look.letter, "xs bb ink mid")
        yield write(MARGIN + 30, middle + 4.5, look.label, "b") + "\n"
        top += LANE * track.lanes


def _list(interactions: Sequence[DrawnInteraction], look: Look, now: Millis, top: float) -> Iterator[str]:
    width = look.width - 2 * MARGIN

    def line(cells: Sequence[str], y: float, css: str) -> Iterator[str]:
        for (_, left, share), cell in zip(COLUMNS, cells, strict=True):
            yield write(MARGIN + left * width, y, fitted(cell, share * width - 10, 11), css)
        yield "\n"

    yield from line([name for name, _, _ in COLUMNS], top + 8, "s m b")
    for place, one in enumerate(interactions, 1):
        end = one.end
        cells = (
            channel_look(one.channel).label,
            STATE_LABELS.get(one.state, one.state.value) + (", timed out" if one.timed_out else ""),
            day_and_time(one.start, look.zone),
            duration((now if end is None else end) - one.start) + (" so far" if end is None else ""),
            *[short_name(name) if name else "–" for name in (one.queue, one.agent, one.disposition)],
            one.interaction_id,
        )
        yield from line(cells, top + 8 + LINE * place, "s")
