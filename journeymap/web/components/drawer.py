"""The drawer's frame. `assets/wall/drawer.mjs` writes what is true of the selected journey into it, by `data-field`."""

from __future__ import annotations

from typing import Any, Final

from dash import html

from journeymap.web import ids
from journeymap.web.components.attributes import attributes

FACTS: Final = (
    ("started", "Started"),
    ("last", "Last event"),
    ("length", "Length"),
    ("events", "Events"),
    ("transfers", "Transfers"),
    ("id", "Id"),
)


def create_drawer() -> Any:
    """All about one journey, over the chart's right edge; on a phone from below. Hidden while none is selected."""
    return html.Aside(
        id=ids.DRAWER,
        className="drawer",
        hidden=True,
        tabIndex="-1",
        **attributes(aria_label="Selected journey"),
        children=[_head(), _facts(), _interactions()],
    )


def _field(name: str, tag: Any = html.Span, **options: Any) -> Any:
    return tag(**options, **attributes(data_field=name))


def _head() -> Any:
    return html.Div(
        className="drawer-head",
        children=[
            html.Div(
                className="drawer-title",
                children=[
                    _field("customer", html.H2, className="drawer-customer"),
                    html.Button(
                        "×",
                        className="button button-icon drawer-close",
                        type="button",
                        title="Close (Esc)",
                        **attributes(data_field="close", aria_label="Close the drawer"),
                    ),
                ],
            ),
            _field("standing", html.P, className="drawer-standing"),
            html.P(
                className="drawer-state",
                **attributes(data_field="state"),
                children=[
                    html.Span(className="row-dot", **attributes(aria_hidden="true")),
                    _field("word", html.Strong),
                    _field("time", className="drawer-time"),
                ],
            ),
            html.Div(
                className="drawer-actions",
                children=[
                    _field("open", html.A, children="Open journey", className="button drawer-open", href="/"),
                    _field(
                        "pin",
                        html.Button,
                        children="Pin",
                        className="button",
                        type="button",
                        title="Keep its row on top",
                    ),
                    _field(
                        "packet",
                        html.A,
                        children="Packet",
                        className="button",
                        href="/",
                        download="",
                        title="Incident packet (zip)",
                    ),
                    _field(
                        "neighbours",
                        html.A,
                        children="Same customer",
                        className="button button-link",
                        href="/",
                        title="Show this customer's journeys only",
                    ),
                ],
            ),
        ],
    )


def _facts() -> Any:
    pairs = [html.Div([html.Dt(label), _field(name, html.Dd, className=f"drawer-{name}")]) for name, label in FACTS]
    return html.Div(
        className="drawer-facts",
        children=[
            _field("channels", html.Ul, className="drawer-channels", **{"aria-label": "Channels"}),
            _field("flags", html.Ul, className="drawer-flags", **{"aria-label": "Flags"}),
            html.Dl(pairs),
        ],
    )


def _interactions() -> Any:
    return html.Section(
        className="drawer-interactions",
        children=[
            html.H3("Interactions", className="drawer-section"),
            _field("cut", html.P, className="drawer-cut", hidden=True),
            _field("interactions", html.Ol, className="told-list"),
        ],
    )
