"""The bar on top: search, window of time, live or paused, connection, views, share, exports, theme, help."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html

from journeymap.web import ids
from journeymap.web.components.attributes import attributes
from journeymap.web.components.filters import create_filters_toggle


def create_topbar() -> Any:
    """What is true of the whole page, whichever part of it is looked at."""
    return html.Header(
        className="topbar",
        children=[
            html.A(
                id=ids.BRAND,
                className="brand",
                href="/",
                title="The wall",
                children=[html.Span(className="brand-mark", **attributes(aria_hidden="true")), html.Span("Journeymap")],
            ),
            _search(),
            _menu(ids.WINDOW_MENU, "Last 30 min", "Window of time", "window-button"),
            create_filters_toggle(),
            html.Div(className="spacer"),
            _pulse(),
            html.A(
                className="connection",
                href="/operations",
                title="Connection to the event source. Opens the operations view (H)",
                children=[
                    html.Span("Source", className="connection-label"),
                    html.Span("CONNECTING", id=ids.CONNECTION_STATE, className="connection-state"),
                ],
            ),
            html.Button(
                "⋯",
                id=ids.MORE,
                className="button button-icon more-button",
                type="button",
                title="More",
                **attributes(aria_label="More", aria_expanded="false", data_menu=ids.MORE_PANEL),
            ),
            _more(),
            html.Div(
                className="corner",
                children=[
                    html.Ul(
                        id=ids.MAKING, className="making", hidden=True, **attributes(aria_label="Files being made")
                    ),
                    html.P(id=ids.SAID, className="said", role="status", hidden=True),
                ],
            ),
        ],
    )


def _more() -> Any:
    """What stands at the bar's end, and on a phone opens below its last button."""
    return html.Div(
        id=ids.MORE_PANEL,
        className="topbar-more",
        role="group",
        children=[_tools(), _quiet()],
        **attributes(aria_label="Views, share, export, help"),
    )


def _tools() -> Any:
    return html.Div(
        className="topbar-tools",
        children=[
            _menu(ids.VIEWS_MENU, "Views", "Saved views", ""),
            html.Button(
                "Share",
                id=ids.SHARE,
                className="button",
                type="button",
                title="Copy the address of what is shown (U)",
            ),
            html.Div(
                className="button-group export-group",
                role="group",
                **attributes(aria_label="Export what matches"),
                children=[
                    _export(ids.EXPORT_PNG, "PNG", "Picture of all matching rows (E)"),
                    _export(ids.EXPORT_SVG, "SVG", "Scalable picture of all matching rows"),
                    _export(ids.EXPORT_CSV, "CSV", "Matching segments as a table"),
                    _menu(ids.EXPORT_MENU, "Export", "More forms of export", "export-button"),
                ],
            ),
        ],
    )


def _search() -> Any:
    return dmc.TextInput(
        id=ids.FILTER_CUSTOMER,
        className="search",
        placeholder="Customer, agent, queue, id",
        debounce=250,
        value="",
        size="xs",
        attributes={
            "input": {"aria-label": "Search customer, agent, queue and ids", "maxLength": 200, "type": "search"}
        },
        rightSection=dmc.Kbd("/", size="xs"),
        rightSectionPointerEvents="none",
    )


def _pulse() -> Any:
    return html.Div(
        className="pulse",
        children=[
            html.Button(
                id=ids.PAUSE,
                className="button button-live",
                type="button",
                title="Hold the picture or let it run (Space)",
                children=[
                    html.Span(className="live-dot", **attributes(aria_hidden="true")),
                    html.Span("NOT LIVE", className="live-word"),
                ],
                **attributes(aria_pressed="false", data_mode="stopped"),
            ),
            html.Span(
                id=ids.LIVE,
                className="lag",
                title="How old the newest event was when it was painted, or what keeps new ones away",
            ),
        ],
    )


def _quiet() -> Any:
    return html.Div(
        className="button-group button-group-quiet",
        children=[
            html.A(
                id=ids.OPERATIONS_LINK,
                className="button button-icon operations-link",
                href="/operations",
                title="Operations: how events come in (H)",
                children=html.Span(className="icon icon-operations", **attributes(aria_hidden="true")),
                **attributes(aria_label="Operations"),
            ),
            html.Button(
                id=ids.THEME,
                className="button button-icon",
                type="button",
                title="Theme: as the system",
                children=html.Span(className="icon icon-theme", **attributes(aria_hidden="true")),
                **attributes(aria_label="Theme: as the system"),
            ),
            html.Button(
                html.Span("?", className="icon-help"),
                id=ids.HELP,
                className="button button-icon",
                type="button",
                title="Keys and help (?)",
                **attributes(aria_label="Keys and help"),
            ),
        ],
    )


def _menu(menu: str, label: str, title: str, look: str) -> Any:
    """A button that opens a panel below it (`assets/base/menus.mjs`); what is in the panel is the page's modules' work."""
    return html.Span(
        className="menu-place",
        children=[
            html.Button(
                id=menu,
                className=f"button menu-button {look}".strip(),
                type="button",
                title=title,
                children=html.Span(label, className="menu-text"),
                **attributes(aria_expanded="false", aria_haspopup="dialog", data_menu=f"{menu}-panel"),
            ),
            html.Div(
                id=f"{menu}-panel",
                className="menu-panel",
                role="dialog",
                **attributes(aria_label=title),
            ),
        ],
    )


def _export(button_id: str, label: str, title: str) -> Any:
    return html.Button(
        label,
        id=button_id,
        className="button export-now",
        type="button",
        title=title,
        **attributes(aria_label=f"Export {label}: {title}"),
    )
