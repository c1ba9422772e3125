"""The figure of one journey: a track a channel, lanes where interactions overlap, long idle stretches folded.

A Plotly figure as a plain dictionary, on an axis of true times in milliseconds: `base` and `x` of bars, `x` of marks and
arrows. What is open has no length; `meta.open` names it, and the page lets it grow. `layout.meta` says what folds. The
page (`assets/journey/journeychart.mjs`) puts all of it on its folded scale, with the theme's colours (`token:<name>`) and the
viewer's time zone (`{t:<ms>}`; `{since:<ms>}` is how long ago that was). All texts that came from outside are escaped,
since Plotly reads a little HTML.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from journeymap.model.journey import CHANNELS, OTHER_CHANNEL, Kind
from journeymap.model.status import Gap
from journeymap.model.time import SECOND, Millis
from journeymap.view.folding import Folded, folded
from journeymap.view.labels import duration, short_name
from journeymap.web.hatching import gap_traces
from journeymap.web.naming import Names, plain
from journeymap.web.theme import CHANNEL_LOOKS, KIND_LOOKS, LIGHT, channel_look, channel_token, token

TRACKS: Final = (*CHANNELS, OTHER_CHANNEL)
LANE_PX: Final = 36
TOP_PX: Final = 30
"""Above the tracks: room for what folds an expanded stretch again."""

BOTTOM_PX: Final = 40
THICKNESS: Final = 0.66
MARGIN_SHARE: Final = 50
"""Before the first and behind the last of what is drawn stands one part in so many of it."""


class Bar(msgspec.Struct, frozen=True):
    """A segment to draw at a height (0 is the first lane, downwards). `label` stands on it where it fits, `key` names it."""

    channel: str
    kind: str
    start: Millis
    end: Millis | None
    at: float
    label: str
    text: str
    key: str


def lanes(spans: Sequence[tuple[Millis, Millis]]) -> list[int]:
    """A lane for each span (sorted by start) so that spans in one lane do not overlap: the lowest that is free."""
    free_from: list[Millis] = []
    placed: list[int] = []
    for start, end in spans:
        lane = next((index for index, free in enumerate(free_from) if free <= start), len(free_from))
        if lane == len(free_from):
            free_from.append(end)
        else:
            free_from[lane] = end
        placed.append(lane)
    return placed


def folded_journey(journey: Mapping[str, Any], now: Millis) -> Folded:
    """What folds of a journey's document as of `now`."""
    segments, moments = [], [journey["started_at"], journey["last_event_at"]]
    for interaction in journey["interactions"]:
        segments += [(segment["start"], _segment_end(segment, interaction, now)) for segment in interaction["segments"]]
        if interaction["ended_at"] is not None:
            moments.append(interaction["ended_at"])
    return folded(segments, [*moments, *(event["timestamp"] for event in journey["events"])])


def journey_figure(journey: Mapping[str, Any], now: Millis, gaps: Sequence[Gap] = ()) -> dict[str, Any]:
    """The figure of a journey's document as of `now`, with gaps in the stream hatched."""
    by_track: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for interaction in journey["interactions"]:
        by_track[interaction["channel"] if interaction["channel"] in TRACKS else OTHER_CHANNEL].append(interaction)
    names = Names(journey)
    bars: list[Bar] = []
    outcomes: list[tuple[Millis, float, str]] = []
    lost: list[tuple[Millis, float, str]] = []
    labels: list[tuple[float, str]] = []
    borders: list[int] = []
    place: dict[str, float] = {}
    height = 0
    for track in TRACKS:
        interactions = by_track.get(track, [])
        if not interactions:
            continue
        placed = lanes([(interaction["started_at"], _end(interaction, now)) for interaction in interactions])
        for interaction, lane in zip(interactions, placed, strict=True):
            at = float(height + lane)
            place[interaction["interaction_id"]] = at
            bars += _bars(interaction, at, names)
            end = _end(interaction, now)
            if interaction["disposition"]:
                outcomes.append((end, at, f"Outcome: {plain(interaction['disposition'])}"))
            if interaction["timed_out"]:
                lost.append((end, at, "No more events: taken for closed"))
        borders.append(height)
        count = max(placed) + 1
        labels.append((height + (count - 1) / 2, CHANNEL_LOOKS[track].label))
        height += count
    waiting = [
        (transfer["at"], place[transfer["from_interaction"]], "Handed over, not taken yet")
        for transfer in journey["transfers"]
        if transfer["to_interaction"] is None and transfer["from_interaction"] in place
    ]
    found = folded_journey(journey, now)
    ends = [end for bar in bars for end in (bar.end,) if end is not None]
    start, end = journey["started_at"], max([journey["last_event_at"], *ends])
    is_open = any(bar.end is None for bar in bars)
    shown_end = max(end, now) if is_open else end
    drawn = shown_end - start - sum(fold.end - fold.start for fold in found.folds)
    margin = max(SECOND, drawn // MARGIN_SHARE)
    window = (start - margin, shown_end + margin)
    layout = _layout(labels, max(height, 1), borders[1:])
    layout["annotations"] = [mark for mark in (arrow(each, place) for each in journey["transfers"]) if mark]
    layout["meta"] = {
        "journey": journey["journey_id"],
        "start": start,
        "end": end,
        "open": is_open,
        "margin": margin,
        "lanes": max(height, 1),
        "folds": [[fold.start, fold.end, fold.label] for fold in found.folds],
        "threshold": None if found.threshold is None else duration(found.threshold),
    }
    marks = [
        _marks(outcomes, "diamond", "surface", "text"),
        _marks(lost, "line-ew-open", "muted", "muted"),
        _marks(waiting, "circle", "surface", "text"),
    ]
    hatched = gap_traces(gaps, window, max(height, 1), LANE_PX, now)
    return {"data": [*hatched, *_traces(bars), *(mark for mark in marks if mark)], "layout": layout}


def arrow(transfer: Mapping[str, Any], place: Mapping[str, float]) -> dict[str, Any] | None:
    """A transfer as an arrow from lane to lane; None where there is no lane to go to."""
    source = place.get(transfer["from_interaction"])
    target = place.get(transfer["to_interaction"] or "")
    if source is None or target is None or source == target:
        return None
    return {
        "x": transfer["at"],
        "y": target,
        "ax": transfer["at"],
        "ay": source,
        "xref": "x",
        "yref": "y",
        "axref": "x",
        "ayref": "y",
        "showarrow": True,
        "arrowhead": 2,
        "arrowwidth": 1.5,
        "arrowsize": 1,
        "arrowcolor": token("text"),
        "text": "",
        "standoff": 2,
    }


def fill(colour: str, kind: str) -> dict[str, Any]:
    """Colour says the channel, fill the kind, as on the wall."""
    line = {"color": token(colour), "width": 1}
    if kind in LIGHT:
        return {"color": token(f"{colour}-tint"), "line": line}
    if kind == Kind.WRAPUP:
        return {"color": token("surface"), "line": line | {"width": 1.5}}
    look = KIND_LOOKS.get(kind)
    if look is not None and look.pattern:
        pattern = {
            "shape": look.pattern,
            "fgcolor": token(colour),
            "bgcolor": token("surface"),
            "size": 5,
            "solidity": 0.45,
        }
        return {"color": token("surface"), "line": line, "pattern": pattern}
    return {"color": token(colour), "line": line}


def segment_key(interaction_id: str, index: int) -> str:
    """What the chart and the list call a segment."""
    return f"{interaction_id}#{index}"


def _bars(interaction: Mapping[str, Any], at: float, names: Names) -> list[Bar]:
    bars = []
    name, channel = interaction["interaction_id"], interaction["channel"]
    for index, segment in enumerate(interaction["segments"]):
        start, kind = segment["start"], segment["kind"]
        end = interaction["ended_at"] if segment["end"] is None and interaction["timed_out"] else segment["end"]
        queue, agent = plain(names.queue(name, end)), plain(names.agent(name, end))
        look = KIND_LOOKS.get(kind)
        lines = [
            f"<b>{look.label if look else plain(kind)}</b> · {plain(channel_look(channel).label)}",
            *(f"{what}: {value}" for what, value in (("Queue", queue), ("Agent", agent)) if value),
            f"{{t:{start}}} – {'now' if end is None else f'{{t:{end}}}'}",
            f"{{since:{start}}} so far" if end is None else duration(end - start),
            plain(name),
        ]
        label = _label(kind, queue, agent)
        bars.append(Bar(channel, kind, start, end, at, label, "<br>".join(lines), segment_key(name, index)))
    return bars


def _label(kind: str, queue: str, agent: str) -> str:
    """What stands on a bar of this kind."""
    if kind == Kind.IVR:
        return KIND_LOOKS[kind].label
    return short_name(queue if kind in LIGHT else (agent or queue) if kind == Kind.INTERACT else "")


def _segment_end(segment: Mapping[str, Any], interaction: Mapping[str, Any], now: Millis) -> Millis:
    if segment["end"] is not None:
        return int(segment["end"])
    if interaction["timed_out"] and interaction["ended_at"] is not None:
        return int(interaction["ended_at"])
    return max(now, int(segment["start"]))


def _end(interaction: Mapping[str, Any], now: Millis) -> Millis:
    ends = [_segment_end(segment, interaction, now) for segment in interaction["segments"]]
    return int(max([interaction["started_at"], interaction["ended_at"] or 0, *ends]))


def _traces(bars: Sequence[Bar]) -> list[dict[str, Any]]:
    """One trace for each channel and kind: Plotly draws arrays fast and traces slowly."""
    grouped: dict[tuple[str, str], list[Bar]] = defaultdict(list)
    for bar in bars:
        grouped[channel_token(bar.channel), bar.kind].append(bar)
    return [
        {
            "type": "bar",
            "orientation": "h",
            "base": [bar.start for bar in group],
            "x": [0 if bar.end is None else bar.end - bar.start for bar in group],
            "y": [bar.at for bar in group],
            "width": [THICKNESS for _ in group],
            "marker": fill(colour, kind),
            "text": [bar.label for bar in group],
            "textposition": "inside",
            "insidetextanchor": "start",
            "textangle": 0,
            "insidetextfont": {"color": token("on-channel" if kind == Kind.INTERACT else "text"), "size": 11},
            "hovertext": [bar.text for bar in group],
            "hovertemplate": "%{hovertext}<extra></extra>",
            "customdata": [bar.key for bar in group],
            "meta": {"open": [int(bar.end is None) for bar in group]},
            "showlegend": False,
        }
        for (colour, kind), group in sorted(grouped.items())
    ]


def _marks(marks: Sequence[tuple[Millis, float, str]], symbol: str, ground: str, line: str) -> dict[str, Any] | None:
    if not marks:
        return None
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [at for at, _, _ in marks],
        "y": [lane for _, lane, _ in marks],
        "marker": {"symbol": symbol, "size": 9, "color": token(ground), "line": {"color": token(line), "width": 1.5}},
        "showlegend": False,
        "hovertext": [text for _, _, text in marks],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "cliponaxis": False,
    }


def _layout(labels: Sequence[tuple[float, str]], height: int, borders: Sequence[int]) -> dict[str, Any]:
    line = token("line")
    return {
        "barmode": "overlay",
        "height": LANE_PX * height + TOP_PX + BOTTOM_PX,
        "margin": {"l": 84, "r": 16, "t": TOP_PX, "b": BOTTOM_PX},
        "paper_bgcolor": token("surface"),
        "plot_bgcolor": token("surface"),
        "font": {"family": token("font"), "size": 12, "color": token("text")},
        "hoverlabel": {
            "align": "left",
            "bgcolor": token("raised"),
            "bordercolor": token("line-strong"),
            "font": {"color": token("text")},
        },
        "hovermode": "closest",
        "dragmode": "pan",
        "showlegend": False,
        "uniformtext": {"minsize": 11, "mode": "hide"},
        "xaxis": {
            "type": "linear",
            "tickmode": "array",
            "gridcolor": line,
            "zeroline": False,
            "showline": False,
            "ticks": "outside",
            "tickcolor": token("line-strong"),
            "tickfont": {"size": 11, "color": token("muted")},
        },
        "yaxis": {
            "tickvals": [at for at, _ in labels],
            "ticktext": [label for _, label in labels],
            "range": [height - 0.5, -0.5],
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
        },
        "shapes": [
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "yref": "y",
                "y0": at - 0.5,
                "y1": at - 0.5,
                "line": {"color": line, "width": 1},
                "layer": "below",
            }
            for at in borders
        ],
    }
