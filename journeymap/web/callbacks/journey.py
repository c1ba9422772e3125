"""The journey page: filled when it is opened, and again when its journey changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import dash
from dash import ClientsideFunction, Input, Output, State, no_update

from journeymap.errors import StoreError
from journeymap.model.journey import State as JourneyState
from journeymap.model.status import Gap
from journeymap.model.time import SECOND, Millis
from journeymap.web import ids
from journeymap.web.components.journey import create_chart, create_head, create_lists, create_unknown, create_unreadable
from journeymap.web.figure import journey_figure
from journeymap.web.hatching import gaps_within

if TYPE_CHECKING:
    from journeymap.web.app import PageModel

REDRAW_OPEN: Final = 5 * SECOND
"""How often the chart of an open journey is drawn anew though nothing happened: its open bars grow."""

UNKNOWN: Final = "unknown"
NO_FIGURE: Final = None


def seen_mark(journey: Mapping[str, Any], now: Millis, gaps: Sequence[Gap] = ()) -> str:
    """Differs whenever the page of this journey would look different. `gaps` are those over the time it shows."""
    states = [interaction["state"] for interaction in journey["interactions"]]
    grown = now // REDRAW_OPEN if journey["state"] != JourneyState.CLOSED else 0
    return "|".join(
        (
            journey["journey_id"],
            journey["customer_id"],
            journey["state"],
            ",".join(states),
            str(journey["last_event_at"]),
            str(len(journey["events"])),
            str(len(journey["transfers"])),
            str(grown),
            ",".join(f"{gap.start}-{gap.end}" for gap in gaps),
        )
    )


def show_journey(question: Any, seen: Any, read_model: PageModel, now: Millis) -> tuple[Any, Any, Any, Any]:
    """Head, chart, lists and their mark; `no_update` for all where nothing changed since `seen`."""
    nothing = (no_update, no_update, no_update, no_update)
    if not isinstance(question, dict) or not isinstance(question.get("id"), str):
        return nothing
    try:
        journey = read_model.detail(question["id"], now)
    except StoreError as error:
        return create_unreadable(str(error)), NO_FIGURE, [], None
    if journey is None:
        mark = f"{UNKNOWN}|{question['id']}"
        return nothing if seen == mark else (create_unknown(question["id"]), NO_FIGURE, [], mark)
    until = journey["last_event_at"] if journey["state"] == JourneyState.CLOSED else now
    gaps = gaps_within(read_model.gaps(now), (journey["started_at"], until + 1), now)
    mark = seen_mark(journey, now, gaps)
    if seen == mark:
        return nothing
    return create_head(journey), _chart(journey, now, gaps), create_lists(journey, now), mark


def _chart(journey: Mapping[str, Any], now: Millis, gaps: Sequence[Gap]) -> dict[str, Any]:
    """The chart as a component; the page resolves its figure's colours and times before it shows it."""
    chart: dict[str, Any] = create_chart().to_plotly_json()
    return {**chart, "props": {**chart["props"], "figure": journey_figure(journey, now, gaps)}}


def register(app: dash.Dash, read_model: PageModel, clock: Callable[[], Millis]) -> None:
    """Tie the journey page's callbacks to `app`."""

    @app.callback(
        Output(ids.JOURNEY_HEAD, "children"),
        Output(ids.JOURNEY_FIGURE, "data"),
        Output(ids.JOURNEY_LISTS, "children"),
        Output(ids.JOURNEY_SEEN, "data"),
        Input(ids.JOURNEY_QUESTION, "data"),
        State(ids.JOURNEY_SEEN, "data"),
        prevent_initial_call=True,
    )
    async def show(question: Any, seen: Any) -> tuple[Any, Any, Any, Any]:
        return await asyncio.to_thread(show_journey, question, seen, read_model, clock())

    app.clientside_callback(  # type: ignore[no-untyped-call]  # dash leaves it untyped
        ClientsideFunction("journeymap", "figure"),
        Output(ids.JOURNEY_CHART_FRAME, "children"),
        Input(ids.JOURNEY_FIGURE, "data"),
        Input(ids.SHELL, "forceColorScheme"),
        prevent_initial_call=True,
    )
