"""The operations view: asked every second while it is looked at, answered with what changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import dash
import msgspec
from dash import ClientsideFunction, Input, Output, no_update

from journeymap.model.time import Millis
from journeymap.web import ids

if TYPE_CHECKING:
    from journeymap.web.app import PageModel

_encode = msgspec.json.Encoder().encode


def answer_operations(question: Any, read_model: PageModel, now: Millis) -> Any:
    """The parts of the document that differ from what the page has seen, and the tags of all; `no_update` if none does.

    The question's `seen` are the tags that the page was last told.
    """
    if not isinstance(question, dict):
        return no_update
    seen = question.get("seen")
    known = seen if isinstance(seen, dict) else {}
    document = read_model.operations(now)
    del document["now"]
    tags = {name: hashlib.blake2b(_encode(part), digest_size=8).hexdigest() for name, part in document.items()}
    parts = {name: part for name, part in document.items() if known.get(name) != tags[name]}
    return {"now": now, "parts": parts, "tags": tags} if parts else no_update


def register(app: dash.Dash, read_model: PageModel, clock: Callable[[], Millis]) -> None:
    """Tie the operations view's callbacks to `app`. The page's module asks, and never while a question is on its way."""

    @app.callback(
        Output(ids.OPERATIONS_ANSWER, "data"), Input(ids.OPERATIONS_QUESTION, "data"), prevent_initial_call=True
    )
    async def answer(question: Any) -> Any:
        return answer_operations(question, read_model, clock())

    app.clientside_callback(  # type: ignore[no-untyped-call]  # dash leaves it untyped
        ClientsideFunction("journeymap", "operations"),
        Output(ids.OPERATIONS_DRAWN, "data"),
        Input(ids.OPERATIONS_ANSWER, "data"),
        prevent_initial_call=True,
    )
