"""The facets: on the left of the wall, on a phone a sheet from below. `assets/filters/facets.mjs` fills in values and counts."""

from __future__ import annotations

from typing import Any, Final

from dash import html

from journeymap.web import ids
from journeymap.web.components.attributes import attributes

FACETS: Final = (
    (ids.FILTER_CHANNEL, "Channel"),
    (ids.FILTER_STATE, "State"),
    (ids.FILTER_QUEUE, "Queue"),
    (ids.FILTER_DISPOSITION, "Outcome"),
    (ids.FILTER_FLAG, "Flags"),
)
"""Facets from top to bottom: their place and their name."""


def create_filters() -> Any:
    """The panel: how many match, what is asked, and each facet's values. Nothing in the facets is Dash's."""
    return html.Aside(
        id=ids.FILTERS,
        className="facets",
        tabIndex="-1",
        **attributes(aria_label="Filters"),
        children=[
            html.Div(
                className="facets-head",
                children=[
                    html.P(id=ids.COUNTS, className="counts", children=""),
                    html.Button(
                        "Clear",
                        id=ids.FILTERS_CLEAR,
                        className="button button-link filters-clear",
                        type="button",
                        hidden=True,
                        title="Show all journeys again",
                        **attributes(aria_label="Clear filters"),
                    ),
                    html.Button(
                        "Done", id=ids.FILTERS_DONE, className="button button-filled facets-done", type="button"
                    ),
                ],
            ),
            html.Ul(id=ids.CHIPS, className="chips", **attributes(aria_label="Filters in force")),
            html.Div(id=ids.CUSTOMER_FIELD, className="facet"),
            *[_facet(place, name) for place, name in FACETS],
            html.Details(
                className="facets-more",
                children=[
                    html.Summary("More filters", className="facets-summary"),
                    html.Div(id=ids.AGENT_FIELD, className="facet"),
                    _facet(ids.FILTER_DIRECTION, "Direction"),
                    html.Div(id=ids.RANGE_FIELDS, className="facet"),
                ],
            ),
        ],
    )


def create_filters_toggle() -> Any:
    """What opens the facets where they have no place of their own: in the bar on top."""
    return html.Button(
        id=ids.FILTERS_TOGGLE,
        className="button filters-toggle",
        type="button",
        children=["Filters", html.Span(id=ids.FILTERS_NUMBER, className="filters-number")],
        **attributes(aria_expanded="false", aria_controls=ids.FILTERS),
    )


def _facet(place: str, name: str) -> Any:
    return html.Div(id=place, className="facet", role="group", **attributes(aria_label=name, data_name=name))
