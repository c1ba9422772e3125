"""A join of the journey page is undone: ingest is told, and the page hears whether it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import dash
from dash import ClientsideFunction, Input, Output, no_update

from journeymap.errors import JourneymapError
from journeymap.model.event import SPLIT
from journeymap.model.time import Millis
from journeymap.web import ids
from journeymap.web.callbacks.wall import told
from journeymap.web.components.undo import STOPPED

if TYPE_CHECKING:
    from journeymap.web.app import PageModel

Change = Callable[[str, str, str], None]
"""Has ingest `split` the second from the third, or `join` it. Raises JourneymapError."""


def undo_join(question: Any, read_model: PageModel, change: Change, now: Millis) -> Any:
    """Undo the join that the question names by its journey and its mark; `problem` of the answer says why it was not, else null.

    The page never names ids itself: it may show them masked, and can only undo what it was shown.
    """
    if not isinstance(question, dict):
        return no_update
    answer = {"at": question.get("at"), "problem": None}
    try:
        if not read_model.ingest_runs(now):
            return {**answer, "problem": STOPPED}
        event = read_model.undoing(str(question.get("journey")), str(question.get("join")))
        if event is None:
            return {**answer, "problem": "This join does not stand any more: the list shows what does."}
        kind, one, other = event
        change("split" if kind == SPLIT else "join", one, other)
    except JourneymapError as error:
        return {**answer, "problem": str(error)}
    return answer


def register(app: dash.Dash, read_model: PageModel, clock: Callable[[], Millis], change: Change | None) -> None:
    """Tie the callback to `app`; without `change` nothing can be undone."""
    if change is None:
        return

    @app.callback(Output(ids.UNDO_ANSWER, "data"), Input(ids.UNDO_QUESTION, "data"), prevent_initial_call=True)
    async def undo(question: Any) -> Any:
        return told(await asyncio.to_thread(undo_join, question, read_model, change, clock()))

    app.clientside_callback(  # type: ignore[no-untyped-call]  # dash leaves it untyped
        ClientsideFunction("journeymap", "undone"),
        Output(ids.UNDO_DRAWN, "data"),
        Input(ids.UNDO_ANSWER, "data"),
        prevent_initial_call=True,
    )
