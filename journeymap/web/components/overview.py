"""The overview strip above the wall's rows: the frame that the page's modules draw in."""

from __future__ import annotations

from typing import Any

from dash import html

from journeymap.web import ids
from journeymap.web.components.attributes import attributes


def create_overview() -> Any:
    """A canvas for how much went on, and on it the window of the rows, a slider for keys and screen readers."""
    return html.Div(
        id=ids.OVERVIEW,
        className="overview",
        role="group",
        **attributes(aria_label="Overview of all matching journeys over time"),
        children=[
            html.Canvas(className="overview-canvas", **attributes(aria_hidden="true")),
            html.Div(
                className="overview-window",
                role="slider",
                tabIndex="0",
                **attributes(
                    aria_label="Window of time: arrow keys move it, End goes back to live",
                    aria_orientation="horizontal",
                    aria_valuemin="0",
                    aria_valuemax="1",
                    aria_valuenow="1",
                    aria_valuetext="Not known yet",
                ),
            ),
        ],
    )
