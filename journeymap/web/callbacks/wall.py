"""The tick: a question goes out, an answer comes back, and the page's own modules draw it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import dash
from dash import ClientsideFunction, Input, Output, no_update
from dash.exceptions import PreventUpdate

from journeymap.errors import InputError
from journeymap.model.time import Millis
from journeymap.web import ids

if TYPE_CHECKING:
    from journeymap.web.app import PageModel


def answer_question(question: Any, read_model: PageModel, now: Millis) -> Any:
    """The read model's answer, or `no_update` where nothing changed or what came is no question."""
    if not isinstance(question, dict):
        return no_update
    try:
        answer = read_model.answer(question, now)
    except InputError:
        return no_update
    return no_update if answer is None else answer


def told(answer: Any) -> Any:
    """The answer of a callback that the page waits for; an empty one ends with status 204.

    Dash would send `no_update` as an answer without content but with status 200, of which the page hears nothing. Raises
    PreventUpdate.
    """
    if answer is no_update:
        raise PreventUpdate
    return answer


def register(
    app: dash.Dash, read_model: PageModel, clock: Callable[[], Millis], retry: Callable[[], None] | None
) -> None:
    """Tie the wall's callbacks to `app`.

    The page's modules make the question at each tick (a hidden or paused page makes none). `running` keeps the
    clock still while a question is on its way: of overlapping calls Dash throws away all answers but the newest,
    so a server slower than the clock would never be seen (docs/adr).
    """

    @app.callback(
        Output(ids.ANSWER, "data"),
        Input(ids.QUESTION, "data"),
        running=[(Output(ids.TICK, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    async def answer(question: Any) -> Any:
        return told(answer_question(question, read_model, clock()))

    app.clientside_callback(  # type: ignore[no-untyped-call]  # dash leaves it untyped
        ClientsideFunction("journeymap", "ask"),
        Output(ids.QUESTION, "data"),
        Input(ids.TICK, "n_intervals"),
        prevent_initial_call=True,
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]  # dash leaves it untyped
        ClientsideFunction("journeymap", "receive"),
        Output(ids.DRAWN, "data"),
        Input(ids.ANSWER, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]  # dash leaves it untyped
        ClientsideFunction("journeymap", "filter"),
        Output(ids.FILTERS_APPLIED, "data"),
        Input(ids.FILTER_CUSTOMER, "value"),
    )
    if retry is not None:

        @app.callback(
            Output(ids.NOTICE_RETRY, "disabled"), Input(ids.NOTICE_RETRY, "n_clicks"), prevent_initial_call=True
        )
        async def try_again(_clicks: Any) -> bool:
            await asyncio.to_thread(retry)
            return False
