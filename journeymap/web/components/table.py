"""The table twin: the chart's journeys as a grid. Its frame is on every page, the grid and its scripts only once it is opened."""

from __future__ import annotations

import json
from typing import Any, Final

import dash_ag_grid
from dash import html

from journeymap.web import ids
from journeymap.web.components.attributes import attributes

SCRIPT: Final = "dash_ag_grid.min.js"
_SCRIPTS: Final = (SCRIPT, "async-community.js")

BLOCK: Final = 100
"""Rows of one question: half of what a question may ask for, so that pinned ones fit too."""

BLOCKS_KEPT: Final = 6

THEME: Final = {
    "accentColor": "var(--accent)",
    "backgroundColor": "var(--surface)",
    "foregroundColor": "var(--text)",
    "textColor": "var(--text)",
    "headerBackgroundColor": "var(--stripe)",
    "headerTextColor": "var(--muted)",
    "oddRowBackgroundColor": "var(--stripe)",
    "rowHoverColor": "var(--row-hover)",
    "selectedRowBackgroundColor": "var(--accent-ground)",
    "borderColor": "var(--line)",
    "chromeBackgroundColor": "var(--surface)",
    "menuBackgroundColor": "var(--raised)",
    "tooltipBackgroundColor": "var(--raised)",
    "inputBackgroundColor": "var(--surface)",
    "rangeSelectionBorderColor": "var(--focus)",
    "fontFamily": "var(--font)",
    "fontSize": "var(--size)",
    "headerFontSize": "var(--size-small)",
    "headerFontWeight": 500,
    "cellHorizontalPadding": 10,
    "wrapperBorder": False,
    "wrapperBorderRadius": 0,
    "spacing": 4,
}
"""The grid's looks by our tokens, so that they follow the page's theme by themselves."""


def serve_when_wanted() -> None:
    """Keep the grid's scripts (2 MB) out of the page's first load: they are served, and the page asks for them itself.

    Of an imported component package Dash puts all scripts on every page that are not marked as loaded later.
    """
    dash_ag_grid._js_dist = [  # noqa: SLF001  # the only place where a package tells Dash of its scripts
        {"relative_package_path": name, "namespace": "dash_ag_grid", "dynamic": True} for name in _SCRIPTS
    ]


def create_table() -> Any:
    """The frame, empty and hidden: `assets/table/grid.mjs` fills it when it is opened."""
    return html.Section(
        id=ids.TABLE_PANEL,
        className="twin",
        hidden=True,
        **attributes(aria_label="Journeys as a table", data_script=f"/_dash-component-suites/dash_ag_grid/{SCRIPT}"),
        children=[
            html.Div(
                id=ids.JOURNEY_TABLE,
                className="twin-table",
                children=html.Div(id=ids.TABLE_FRAME, className="twin-frame"),
            ),
            html.Div(id=ids.TABLE_DETAIL, className="twin-detail", hidden=True),
        ],
    )


def create_grid() -> Any:
    """The grid without columns and rows: both are the page's (`assets/table/columns.mjs`, `assets/table/listing.mjs`)."""
    return dash_ag_grid.AgGrid(
        id=ids.TABLE_GRID,
        className="twin-grid",
        style={"height": "100%", "width": "100%"},
        columnDefs=[],
        rowModelType="infinite",
        getRowId="params.data.id",
        defaultColDef={
            "resizable": True,
            "sortable": False,
            "suppressHeaderMenuButton": True,
            "suppressHeaderFilterButton": True,
            "suppressHeaderContextMenu": True,
            "suppressFloatingFilterButton": True,
        },
        dashGridOptions={
            "theme": {"function": f"themeQuartz.withParams({json.dumps(THEME)})"},
            "rowHeight": 28,
            "headerHeight": 30,
            "floatingFiltersHeight": 32,
            "cacheBlockSize": BLOCK,
            "maxBlocksInCache": BLOCKS_KEPT,
            "blockLoadDebounceMillis": 60,
            "infiniteInitialRowCount": 1,
            "rowBuffer": 10,
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
            "animateRows": False,
            "enableBrowserTooltips": True,
            "enableCellTextSelection": True,
            "suppressDragLeaveHidesColumns": True,
            "suppressMultiSort": True,
            # Rows and cells stand in the document as they stand on the screen: screen readers go by it.
            "ensureDomOrder": True,
            "suppressColumnVirtualisation": True,
        },
    )
