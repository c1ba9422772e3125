"""The wall display's one line. `assets/wall/display.mjs` writes it, and shows it for `?display=wall`."""

from __future__ import annotations

from typing import Any

from dash import html

from journeymap.web import ids
from journeymap.web.components.attributes import attributes


def create_display_bar() -> Any:
    """Clock, how current the picture is, and the connection to the source: all the chrome that a wall display has."""
    return html.Header(
        id=ids.DISPLAY_BAR,
        className="display-bar",
        hidden=True,
        children=[
            html.Span(className="display-clock", **attributes(data_part="clock")),
            html.Span(
                className="display-live",
                children=[
                    html.Span(className="live-dot", **attributes(aria_hidden="true")),
                    html.Span(**attributes(data_part="word")),
                    html.Span(className="display-lag", **attributes(data_part="lag")),
                ],
            ),
            html.Div(className="spacer"),
            html.Span(
                className="display-simulated", hidden=True, children="Simulated", **attributes(data_part="simulated")
            ),
            html.Span(className="connection-label", children="Source"),
            html.Span(className="connection-state", **attributes(data_part="connection")),
        ],
    )
