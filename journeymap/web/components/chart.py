"""The wall: the frame in which the page's modules draw the rows, its tools and legend, and its table twin."""

from __future__ import annotations

from typing import Any, Final

from dash import html

from journeymap.web import ids
from journeymap.web.components.attributes import attributes
from journeymap.web.components.drawer import create_drawer
from journeymap.web.components.legend import create_legend
from journeymap.web.components.notices import create_empty
from journeymap.web.components.overview import create_overview
from journeymap.web.components.table import create_table

SORT_LABELS: Final = {
    "activity": "Last activity",
    "wait": "Longest wait",
    "state": "Time in state",
    "duration": "Duration",
    "transfers": "Transfers",
}
"""The orders of `view.sorting` that the page offers."""

GROUP_LABELS: Final = {"": "None", "state": "State", "queue": "Queue"}


def create_wall(*, can_retry: bool) -> Any:
    """The chart with its tools, and the table that takes its place."""
    return html.Section(
        className="chart",
        **attributes(aria_label="Journeys"),
        children=[
            create_overview(),
            _tools(),
            html.Div(
                className="chart-body", children=[_timeline(can_retry=can_retry), create_table(), create_drawer()]
            ),
        ],
    )


def _tools() -> Any:
    return html.Div(
        id=ids.CHART_TOOLS,
        className="chart-tools",
        children=[
            _menu(ids.SORT, "Sort", SORT_LABELS),
            _menu(ids.GROUP, "Group", GROUP_LABELS),
            *create_legend(),
            html.Div(id=ids.TABLE_TOOLS, className="twin-tools"),
            html.Div(className="spacer"),
            html.Button(
                "Table",
                id=ids.TABLE_TOGGLE,
                className="button button-tool",
                type="button",
                title="The same journeys as a table (T)",
                **attributes(aria_pressed="false", aria_controls=ids.TABLE_PANEL),
            ),
            html.Button(
                "Back to live",
                id=ids.BACK_TO_LIVE,
                className="button button-pill",
                type="button",
                hidden=True,
                title="Follow the present again (L)",
            ),
            html.Span(id=ids.WINDOW, className="window"),
            html.Div(
                className="button-group",
                role="group",
                **attributes(aria_label="Time window"),
                children=[
                    _tool(ids.PAN_BACK, "‹", "Earlier (A)"),
                    _tool(ids.PAN_ON, "›", "Later (D)"),
                    _tool(ids.ZOOM_OUT, "−", "Zoom out (S)"),
                    _tool(ids.ZOOM_IN, "+", "Zoom in (W)"),
                    _tool(ids.ZOOM_FIT, "Fit", "Show all of the rows now shown (F)"),
                ],
            ),
        ],
    )


def _menu(menu_id: str, label: str, choices: dict[str, str]) -> Any:
    return html.Label(
        className="menu",
        children=[
            html.Span(label, className="menu-label"),
            html.Select(
                id=menu_id,
                className="menu-choice",
                children=[html.Option(text, value=value) for value, text in choices.items()],
            ),
        ],
    )


def _tool(button_id: str, label: str, title: str) -> Any:
    return html.Button(
        label, id=button_id, className="button button-tool", type="button", title=title, **attributes(aria_label=title)
    )


def _timeline(*, can_retry: bool) -> Any:
    """Nothing in here is Dash's: `assets/` fills it and keeps it."""
    return html.Div(
        id=ids.TIMELINE,
        className="timeline",
        role="group",
        **attributes(
            aria_label="Timeline. Arrow keys move between journeys, Enter opens one, T shows all of them as a table. "
            "Gaps in the stream are listed in the operations view, key H.",
            aria_details=ids.JOURNEY_TABLE,
        ),
        children=[
            html.Div(
                className="timeline-head",
                children=[
                    html.Div("Customer", className="timeline-corner"),
                    html.Canvas(id=ids.TIMELINE_AXIS, className="timeline-axis", **attributes(aria_hidden="true")),
                ],
            ),
            html.Div(id=ids.TIMELINE_ROWS, className="timeline-rows", tabIndex="-1"),
            create_empty(can_retry=can_retry),
        ],
    )
