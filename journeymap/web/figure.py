"""Plotly figures as plain dictionaries: one journey with a track a channel.

Bars are `base` and `x` in milliseconds on a date axis. Colours are tokens (`theme.token`) and moments in texts are
written `{t:<ms>}`: the page puts in the theme's colours and the viewer's time zone (`assets/figure.mjs`), also on the
axis. All texts that came from outside are escaped, since Plotly reads a little HTML.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from journeymap.model.journey import CHANNELS, OTHER_CHANNEL, Kind
from journeymap.model.status import Gap
from journeymap.model.time import MINUTE, SECOND, Millis
from journeymap.view.labels import duration
from journeymap.web.hatching import gap_traces
from journeymap.web.naming import AGENT_KEYS, QUEUE_KEYS, named_before, plain
from journeymap.web.theme import CHANNEL_LOOKS, KIND_LOOKS, channel_look, channel_token, token

TRACKS: Final = (*CHANNELS, OTHER_CHANNEL)
LANE_PX: Final = 36
MARGIN_PX: Final = 52
BAR_THICKNESS: Final = 0.72


class Bar(msgspec.Struct, frozen=True):
    """One segment to draw: in which track and at which height (0 is the first lane, downwards)."""

    channel: str
    kind: str
    start: Millis
    end: Millis
    lane: float
    text: str


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


def journey_figure(journey: Mapping[str, Any], now: Millis, gaps: Sequence[Gap] = ()) -> dict[str, Any]:
    """One journey: a track a channel, lanes where interactions overlap, arrows for transfers, diamonds for outcomes,
    hatching for gaps in the stream."""
    by_track: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for interaction in journey["interactions"]:
        by_track[interaction["channel"] if interaction["channel"] in TRACKS else OTHER_CHANNEL].append(interaction)
    bars: list[Bar] = []
    outcomes: list[tuple[Millis, float, str]] = []
    labels: list[tuple[float, str]] = []
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
            bars += _bars(journey, interaction, at, now)
            if interaction["disposition"]:
                outcomes.append((_end(interaction, now), at, plain(interaction["disposition"])))
        count = max(placed) + 1
        labels.append((height + (count - 1) / 2, CHANNEL_LOOKS[track].label))
        height += count
    ends = [bar.end for bar in bars] + [journey["last_event_at"]]
    margin = max(SECOND, (max(ends) - journey["started_at"]) // 40)
    window = (journey["started_at"] - margin, max(ends) + margin)
    layout = _layout(labels, height, window, LANE_PX * max(height, 1) + MARGIN_PX)
    layout["annotations"] = [arrow for arrow in (_arrow(t, place) for t in journey["transfers"]) if arrow]
    layout["uirevision"] = journey["journey_id"]
    hatched = gap_traces(gaps, window, max(height, 1), LANE_PX, now)
    return {"data": [*hatched, *_traces(bars), _outcomes(outcomes)], "layout": layout}


def _bars(journey: Mapping[str, Any], interaction: Mapping[str, Any], lane: float, now: Millis) -> list[Bar]:
    bars = []
    for segment in interaction["segments"]:
        end = _segment_end(segment, interaction, now)
        who = [
            plain(named_before(journey, interaction["interaction_id"], keys, end)) for keys in (QUEUE_KEYS, AGENT_KEYS)
        ]
        lines = [
            f"<b>{_kind_label(segment['kind'])}</b> · {plain(channel_look(interaction['channel']).label)}",
            *(f"{name}: {value}" for name, value in zip(("Queue", "Agent"), who, strict=True) if value),
            f"{{t:{segment['start']}}} – {'now' if segment['end'] is None and end == now else f'{{t:{end}}}'}",
            duration(end - segment["start"]),
            plain(interaction["interaction_id"]),
        ]
        bars.append(Bar(interaction["channel"], segment["kind"], segment["start"], end, lane, "<br>".join(lines)))
    return bars


def _kind_label(kind: str) -> str:
    look = KIND_LOOKS.get(kind)
    return look.label if look else plain(kind)


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
            "x": [bar.end - bar.start for bar in group],
            "y": [bar.lane for bar in group],
            "width": [BAR_THICKNESS] * len(group),
            "marker": _fill(colour, kind),
            "showlegend": False,
            "hovertext": [bar.text for bar in group],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
        for (colour, kind), group in sorted(grouped.items())
    ]


def _fill(colour: str, kind: str) -> dict[str, Any]:
    """Colour says the channel, fill the kind, as on the wall."""
    line = {"color": token(colour), "width": 1}
    if kind == Kind.WAIT:
        return {"color": token(f"{colour}-tint"), "line": line}
    if kind == Kind.WRAPUP:
        return {"color": token("surface"), "line": line | {"width": 1.5}}
    if kind == Kind.TRANSFER:
        pattern = {"shape": "/", "fgcolor": token(colour), "bgcolor": token("surface"), "size": 5, "solidity": 0.45}
        return {"color": token("surface"), "line": line, "pattern": pattern}
    return {"color": token(colour), "line": line}


def _outcomes(outcomes: Sequence[tuple[Millis, float, str]]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [at for at, _, _ in outcomes],
        "y": [lane for _, lane, _ in outcomes],
        "marker": {
            "symbol": "diamond",
            "size": 9,
            "color": token("surface"),
            "line": {"color": token("text"), "width": 1.5},
        },
        "showlegend": False,
        "hovertext": [text for _, _, text in outcomes],
        "hovertemplate": "Outcome: %{hovertext}<extra></extra>",
    }


def _arrow(transfer: Mapping[str, Any], place: Mapping[str, float]) -> dict[str, Any] | None:
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


def _layout(
    labels: Sequence[tuple[float, str]], height: int, window: tuple[Millis, Millis], pixels: int
) -> dict[str, Any]:
    grid = token("line")
    return {
        "barmode": "overlay",
        "height": pixels,
        "margin": {"l": 84, "r": 16, "t": 16, "b": 36},
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
        "xaxis": {
            "type": "date",
            "range": list(window) if window[0] < window[1] else [window[0], window[0] + MINUTE],
            "gridcolor": grid,
            "zeroline": False,
            "showline": False,
            "ticks": "outside",
            "tickcolor": grid,
        },
        "yaxis": {
            "tickvals": [at for at, _ in labels],
            "ticktext": [label for _, label in labels],
            "range": [max(height, 1) - 0.5, -0.5],
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
        },
    }
