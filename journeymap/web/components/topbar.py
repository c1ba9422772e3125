"""The bar on top: search, live or paused, connection, exports, theme, help."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html

from journeymap.web import ids
from journeymap.web.components.attributes import attributes


def create_topbar() -> Any:
    """What is true of the whole page, whichever part of it is looked at."""
    return html.Header(
        className="topbar",
        children=[
            html.A(
                id=ids.BRAND,
                className="brand",
                href="/",
                children=[html.Span(className="brand-mark", **attributes(aria_hidden="true")), html.Span("Journeymap")],
            ),
            dmc.TextInput(
                id=ids.FILTER_CUSTOMER,
                className="search",
                placeholder="Customer contains …",
                debounce=250,
                value="",
                size="xs",
                attributes={
                    "input": {"aria-label": "Show customers whose id contains", "maxLength": 100, "type": "search"}
                },
                rightSection=dmc.Kbd("/", size="xs"),
                rightSectionPointerEvents="none",
            ),
            html.Button(
                "Clear filters",
                id=ids.FILTERS_CLEAR,
                className="button button-link filters-clear",
                type="button",
                hidden=True,
            ),
            html.Div(className="spacer"),
            html.Div(
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
            ),
            html.A(
                className="connection",
                href="/operations",
                title="Connection to the event source. Opens the operations view (H)",
                children=[
                    html.Span("Source", className="connection-label"),
                    html.Span("CONNECTING", id=ids.CONNECTION_STATE, className="connection-state"),
                ],
            ),
            html.Div(
                className="button-group",
                role="group",
                **attributes(aria_label="Export what matches"),
                children=[
                    _button(ids.EXPORT_PNG, "PNG", "Picture of all matching rows (E)"),
                    _button(ids.EXPORT_SVG, "SVG", "Scalable picture of all matching rows"),
                    _button(ids.EXPORT_CSV, "CSV", "Matching segments as a table"),
                ],
            ),
            html.Div(
                className="button-group button-group-quiet",
                children=[
                    html.A(
                        id=ids.OPERATIONS_LINK,
                        className="button operations-link",
                        href="/operations",
                        title="How events come in: connection, gaps, quarantine, store (H)",
                        children=[
                            html.Span(className="icon icon-operations", **attributes(aria_hidden="true")),
                            html.Span("Operations"),
                        ],
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
                        "?",
                        id=ids.HELP,
                        className="button button-icon",
                        type="button",
                        title="Keys and help (?)",
                        **attributes(aria_label="Keys and help"),
                    ),
                ],
            ),
        ],
    )


def _button(button_id: str, label: str, title: str) -> Any:
    return html.Button(
        label,
        id=button_id,
        className="button",
        type="button",
        title=title,
        **attributes(aria_label=f"Export {label}: {title}"),
    )
