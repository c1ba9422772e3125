"""The journey page: each part filled when it is opened, and again when that part of its journey changed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import dash
import msgspec
from dash import ClientsideFunction, Input, Output, no_update

from journeymap.errors import StoreError
from journeymap.model.journey import State as JourneyState
from journeymap.model.status import Gap
from journeymap.model.time import SECOND, Millis
from journeymap.web import ids
from journeymap.web.callbacks.wall import told
from journeymap.web.components.journey import create_chart, create_head, create_unknown, create_unreadable
from journeymap.web.components.journey_lists import create_lists
from journeymap.web.hatching import gaps_within
from journeymap.web.journey_figure import journey_figure

if TYPE_CHECKING:
    from journeymap.web.app import PageModel

REFOLD: Final = 10 * SECOND
"""How often the chart of an open journey is made anew though nothing happened: what folds, and gaps that go on, depend on the
clock. Bars that are open grow in the page."""

EVENTS_SENT: Final = 2_000
"""Of a longer journey the latest events are sent; all are in its files."""

Marks = dict[str, str]


def seen_marks(journey: Mapping[str, Any], now: Millis, gaps: Sequence[Gap] = (), *, runs: bool | None = None) -> Marks:
    """A mark for each part of the page, which differs whenever that part would look different. `gaps` are those over the time it
    shows; `runs` says whether joins can be undone."""
    names = journey.get("names", {})
    told = [journey["interactions"], journey["transfers"], len(journey["events"]), journey["last_event_at"], names]
    others = [
        [other[key] for key in ("journey_id", "state", "started_at", "last_event_at")]
        for other in journey.get("neighbours", ())
    ]
    who = [journey["journey_id"], journey["customer_id"], journey["state"]]
    grown = now // REFOLD if journey["state"] != JourneyState.CLOSED else 0
    return {
        "head": _mark([*who, told, others]),
        "figure": _mark([who, told, grown, [list(msgspec.structs.astuple(gap)) for gap in gaps]]),
        "lists": _mark([who, told, others, runs]),
        "events": _mark([who, len(journey["events"]), journey["last_event_at"], journey["channels"], names]),
    }


def show_journey(question: Any, read_model: PageModel, now: Millis, *, can_undo: bool = False) -> Any:
    """The answer to the page: `marks` of all parts, and the parts that are not as the question's `seen` marks say. With
    `can_undo` there are buttons that undo joins.

    Parts are `head`, `figure`, `lists` (components) and `events`; without any the answer is `no_update`. For an unknown or
    unreadable journey `head` says so and the other parts are null.
    """
    if not isinstance(question, dict) or not isinstance(question.get("id"), str):
        return no_update
    journey_id, seen = question["id"], question.get("seen")
    had = seen if isinstance(seen, dict) else {}
    try:
        journey = read_model.detail(journey_id, now)
        if journey is None:
            marks = {"unknown": _mark(journey_id)}
            return no_update if had == marks else _instead(journey_id, create_unknown(journey_id), marks)
        until = journey["last_event_at"] if journey["state"] == JourneyState.CLOSED else now
        gaps = gaps_within(read_model.gaps(now), (journey["started_at"], until + 1), now)
        runs = read_model.ingest_runs(now) if can_undo else None
        marks = seen_marks(journey, now, gaps, runs=runs)
        changed = {part for part, mark in marks.items() if had.get(part) != mark}
        if not changed:
            return no_update
        behind = (read_model.evidence(journey_id) if changed & {"lists", "events"} else None) or {}
    except StoreError as error:
        return _instead(journey_id, create_unreadable(str(error)), None)
    answer: dict[str, Any] = {"id": journey_id, "marks": marks}
    if "head" in changed:
        answer["head"] = create_head(journey)
    if "figure" in changed:
        answer["figure"] = _chart(journey, now, gaps)
    if "lists" in changed:
        answer["lists"] = create_lists(journey, behind.get("joined", ()), runs=runs)
    if "events" in changed:
        answer["events"] = _events(journey, behind.get("events", ()))
    return answer


def _instead(journey_id: str, notice: Any, marks: Marks | None) -> dict[str, Any]:
    return {"id": journey_id, "marks": marks, "head": notice, "figure": None, "lists": [], "events": None}


def _mark(parts: Any) -> str:
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=9).hexdigest()


def _chart(journey: Mapping[str, Any], now: Millis, gaps: Sequence[Gap]) -> dict[str, Any]:
    """The chart as a component; the page resolves its figure's colours and times before it shows it."""
    chart: dict[str, Any] = create_chart().to_plotly_json()
    figure = journey_figure(journey, now, gaps)
    return {**chart, "props": {**chart["props"], "figure": figure}}


def _events(journey: Mapping[str, Any], events: Sequence[Any]) -> dict[str, Any]:
    names = journey.get("names", {})
    return {"journey": journey["journey_id"], "total": len(events), "events": events[-EVENTS_SENT:], "names": names}


def register(app: dash.Dash, read_model: PageModel, clock: Callable[[], Millis], *, can_undo: bool) -> None:
    """Tie the journey page's callbacks to `app`."""

    @app.callback(Output(ids.JOURNEY_ANSWER, "data"), Input(ids.JOURNEY_QUESTION, "data"), prevent_initial_call=True)
    async def show(question: Any) -> Any:
        return told(await asyncio.to_thread(show_journey, question, read_model, clock(), can_undo=can_undo))

    app.clientside_callback(  # type: ignore[no-untyped-call]  # dash leaves it untyped
        ClientsideFunction("journeymap", "journey"),
        Output(ids.JOURNEY_CHART_FRAME, "children"),
        Input(ids.JOURNEY_ANSWER, "data"),
        Input(ids.SHELL, "forceColorScheme"),
        prevent_initial_call=True,
    )
