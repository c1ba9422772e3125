"""The table: its grid is sent once it is opened, its rows are asked for as those of the chart are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import dash
from dash import ClientsideFunction, Input, Output

from journeymap.model.time import Millis
from journeymap.web import ids
from journeymap.web.callbacks.wall import answer_question, told
from journeymap.web.components.table import create_grid

if TYPE_CHECKING:
    from journeymap.web.app import PageModel


def register(app: dash.Dash, read_model: PageModel, clock: Callable[[], Millis]) -> None:
    """Tie the table's callbacks to `app`. The page's module asks, and never while a question is on its way."""

    @app.callback(Output(ids.TABLE_FRAME, "children"), Input(ids.TABLE_OPENED, "data"), prevent_initial_call=True)
    async def grid(_opened: Any) -> Any:
        return create_grid()

    @app.callback(Output(ids.TABLE_ANSWER, "data"), Input(ids.TABLE_QUESTION, "data"), prevent_initial_call=True)
    async def answer(question: Any) -> Any:
        answer = told(answer_question(question, read_model, clock()))
        return {**answer, "serial": question.get("serial")}

    app.clientside_callback(  # type: ignore[no-untyped-call]  # dash leaves it untyped
        ClientsideFunction("journeymap", "table"),
        Output(ids.TABLE_DRAWN, "data"),
        Input(ids.TABLE_ANSWER, "data"),
        prevent_initial_call=True,
    )
