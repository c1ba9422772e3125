"""The page: its HTML frame and the tree of components that Dash puts into it."""

from __future__ import annotations

from typing import Any, Final

import dash_mantine_components as dmc
from dash import dcc, html

from journeymap.web import ids
from journeymap.web.components.attributes import attributes
from journeymap.web.components.chart import create_wall
from journeymap.web.components.display import create_display_bar
from journeymap.web.components.filters import create_filters
from journeymap.web.components.help import create_command_box, create_help_sheet
from journeymap.web.components.journey import create_journey_frame
from journeymap.web.components.notices import create_announcer, create_health_strip, create_notice
from journeymap.web.components.operations import create_operations_frame
from journeymap.web.components.topbar import create_topbar

TICK_MS: Final = 500

INDEX: Final = """<!DOCTYPE html>
<html lang="en">
  <head>
    {%metas%}
    <title>{%title%}</title>
    {%favicon%}
    {%css%}
    <link rel="stylesheet" href="/assets/tokens.css">
    <link rel="stylesheet" href="/assets/shell.css">
    <link rel="stylesheet" href="/assets/filters/facets.css">
    <link rel="stylesheet" href="/assets/wall/wall.css">
    <link rel="stylesheet" href="/assets/wall/overview.css">
    <link rel="stylesheet" href="/assets/standing/strip.css">
    <script src="/assets/boot.js"></script>
    <script type="module" src="/assets/main.mjs"></script>
  </head>
  <body>
    {%app_entry%}
    {frames}
    <footer>{%config%}{%scripts%}{%renderer%}</footer>
  </body>
</html>
"""


FRAMES: Final = (
    ids.MORE_PANEL, ids.FILTERS, ids.CHART_TOOLS, ids.TIMELINE, ids.DRAWER, ids.OPERATIONS, ids.HEALTH_STRIP,
)  # fmt: skip
"""Elements in which nothing is Dash's: `frames.take_out` takes out what is in them."""


def create_layout(*, time_zone: str | None, can_retry: bool) -> Any:
    """Everything on the page. It is the same for every viewer: what differs lives in the browser."""
    return dmc.MantineProvider(
        id=ids.SHELL,
        defaultColorScheme="auto",
        theme={
            "fontFamily": "var(--font)",
            "primaryColor": "indigo",
            "defaultRadius": "sm",
            "respectReducedMotion": True,
        },
        children=html.Div(
            className="page",
            **attributes(data_time_zone=time_zone or ""),
            children=[
                html.A("Skip to the content", id=ids.SKIP, className="skip button", href=f"#{ids.CONTENT}"),
                create_topbar(),
                create_display_bar(),
                create_notice(can_retry=can_retry),
                html.Main(
                    id=ids.CONTENT,
                    className="page-main",
                    tabIndex="-1",
                    children=[
                        html.Div(
                            id=ids.WALL,
                            className="wall",
                            children=[create_filters(), create_wall(can_retry=can_retry)],
                        ),
                        create_journey_frame(),
                        create_operations_frame(can_retry=can_retry),
                    ],
                ),
                create_health_strip(),
                create_help_sheet(),
                create_command_box(),
                create_announcer(),
                *_wiring(),
            ],
        ),
    )


def _wiring() -> list[Any]:
    """The parts that nobody sees: the clock of the questions, and the places where questions and answers lie."""
    return [
        dcc.Interval(id=ids.TICK, interval=TICK_MS),
        dcc.Store(id=ids.QUESTION),
        dcc.Store(id=ids.ANSWER),
        dcc.Store(id=ids.DRAWN),
        dcc.Store(id=ids.FILTERS_APPLIED),
        dcc.Store(id=ids.TABLE_OPENED),
        dcc.Store(id=ids.TABLE_QUESTION),
        dcc.Store(id=ids.TABLE_ANSWER),
        dcc.Store(id=ids.TABLE_DRAWN),
        dcc.Store(id=ids.JOURNEY_QUESTION),
        dcc.Store(id=ids.JOURNEY_ANSWER),
        dcc.Store(id=ids.UNDO_QUESTION),
        dcc.Store(id=ids.UNDO_ANSWER),
        dcc.Store(id=ids.UNDO_DRAWN),
        dcc.Store(id=ids.OPERATIONS_QUESTION),
        dcc.Store(id=ids.OPERATIONS_ANSWER),
        dcc.Store(id=ids.OPERATIONS_DRAWN),
    ]
