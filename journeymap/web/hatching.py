"""Gaps in the stream on Plotly figures: hatched over all rows, below their bars, and as a strong band along the time axis.

The lines lean to the left where those of transfers lean to the right, and are grey, which no channel is, so that a gap is
never taken for a bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from journeymap.model.status import Gap, still_missing
from journeymap.model.time import Millis
from journeymap.view.labels import duration
from journeymap.view.looks import filling_in_words
from journeymap.view.operations import PARTIAL
from journeymap.web.naming import plain
from journeymap.web.theme import GAP_LABELS, token

FAINT: Final = 0.4
BAND_PX: Final = 5


def gaps_within(gaps: Sequence[Gap], window: tuple[Millis, Millis], now: Millis) -> list[Gap]:
    """The gaps that are not filled and lie in `window`, at least in part."""
    return [gap for gap in still_missing(gaps) if gap.start < window[1] and _end(gap, now) > window[0]]


def gap_traces(
    gaps: Sequence[Gap],
    window: tuple[Millis, Millis],
    rows: int,
    row_px: int,
    now: Millis,
) -> list[dict[str, Any]]:
    """Traces to be drawn before all others in a figure of `rows` rows of `row_px` pixels each."""
    shown = gaps_within(gaps, window, now)
    band = BAND_PX / row_px
    traces = []
    for partial in (False, True):
        some = [gap for gap in shown if (gap.kind == PARTIAL) is partial]
        if some:
            edge = rows - 0.5 - band / 2
            traces.append(_trace(some, window, (rows - 1) / 2, rows, now, partial=partial, opacity=FAINT))
            traces.append(_trace(some, window, edge, band, now, partial=partial, opacity=1))
    return traces


def gap_sentence(gap: Gap, now: Millis) -> str:
    """What a gap means, as text for Plotly; moments are left to the page."""
    span = f"since {{t:{gap.start}}}" if gap.end is None else f"from {{t:{gap.start}}} to {{t:{gap.end}}}"
    what = f"{gap.dropped:,} events left out" if gap.kind == PARTIAL else "No events"
    why = f" ({plain(gap.detail)})" if gap.detail else ""
    label = GAP_LABELS.get(gap.kind) or plain(gap.kind)
    fetched = filling_in_words(gap)
    return f"{what} {span}: {label}{why}<br>{duration(_end(gap, now) - gap.start)}{fetched and f'<br>{plain(fetched)}'}"


def _trace(
    gaps: Sequence[Gap],
    window: tuple[Millis, Millis],
    middle: float,
    thickness: float,
    now: Millis,
    *,
    partial: bool,
    opacity: float,
) -> dict[str, Any]:
    spans = [(max(gap.start, window[0]), min(_end(gap, now), window[1])) for gap in gaps]
    return {
        "type": "bar",
        "orientation": "h",
        "base": [start for start, _ in spans],
        "x": [end - start for start, end in spans],
        "y": [middle] * len(gaps),
        "width": [thickness] * len(gaps),
        "marker": _marker(partial=partial),
        "opacity": opacity,
        "showlegend": False,
        "hovertext": [gap_sentence(gap, now) for gap in gaps],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _marker(*, partial: bool) -> dict[str, Any]:
    pattern = {"shape": "\\", "fgcolor": token("gap"), "bgcolor": token("gap-ground"), "size": 14 if partial else 7}
    return {
        "color": token("gap-ground"),
        "line": {"color": token("gap"), "width": 1},
        "pattern": {**pattern, "solidity": 0.15 if partial else 0.25},
    }


def _end(gap: Gap, now: Millis) -> Millis:
    return max(now, gap.start) if gap.end is None else gap.end
