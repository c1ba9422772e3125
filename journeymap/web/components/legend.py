"""The wall's legend: in a line what a stream of five types tells, where there is room; all of it behind a button."""

from __future__ import annotations

from typing import Any, Final

from dash import html

from journeymap.web.components.attributes import attributes
from journeymap.web.theme import CHANNEL_LOOKS, KIND_LOOKS, USUAL_KINDS

MARKS: Final = {
    "idle": ("idle", "Faint from the last event on: nothing has happened since"),
    "transfer": ("handed over", "Arrow: to the interaction that took over. A ring: nobody has yet"),
    "disposition": ("outcome", "Diamond: the agent noted an outcome"),
    "timeout": ("timed out", "Clock: closed because nothing more came; the end was never told"),
    "gap": ("no events", "Hatched across the chart: a gap in the stream. Point at it for why"),
}
"""Marks beside the kinds' fills, with a word and an explanation."""

LINE: Final = tuple(KIND_LOOKS[kind] for kind in USUAL_KINDS)
"""The kinds for which there is room in the line."""


def create_legend() -> list[Any]:
    """A line of fills and marks, and a button that opens all of it with the channels and a sentence on each."""
    return [
        html.Ul(
            className="legend",
            **attributes(aria_label="Legend"),
            children=[
                *(_entry(f"fill fill-{look.name}", look.label, look.explained) for look in LINE),
                *(_entry(f"mark-{name}", word, told, "legend-mark") for name, (word, told) in MARKS.items()),
            ],
        ),
        html.Details(
            className="legend-whole",
            children=[
                html.Summary("Legend", className="button button-tool"),
                html.Div(
                    className="legend-sheet",
                    children=[
                        html.P("A row is a customer's journey. Colour is the channel, fill is what happens."),
                        html.Ul([_channel(look.name, look.label) for look in CHANNEL_LOOKS.values()]),
                        html.Dl(
                            [
                                *(
                                    _told(f"fill fill-{look.name}", look.label, look.explained)
                                    for look in KIND_LOOKS.values()
                                ),
                                *(_told(f"mark-{name}", word, told) for name, (word, told) in MARKS.items()),
                            ]
                        ),
                    ],
                ),
            ],
        ),
    ]


def _entry(mark: str, word: str, told: str, name: str = "legend-kind") -> Any:
    return html.Li(
        title=told, className=name, children=[html.Span(className=mark, **attributes(aria_hidden="true")), word]
    )


def _channel(name: str, label: str) -> Any:
    return html.Li([html.Span(className="badge", **attributes(data_channel=name, aria_hidden="true")), label])


def _told(mark: str, word: str, told: str) -> Any:
    return html.Div(
        [
            html.Dt([html.Span(className=mark, **attributes(aria_hidden="true")), word]),
            html.Dd(told),
        ]
    )
