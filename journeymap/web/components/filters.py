"""The filters by channel and state, which are the colour legend too, and how many journeys match."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html

from journeymap.web import ids
from journeymap.web.components.attributes import attributes
from journeymap.web.theme import CHANNEL_LOOKS, JOURNEY_STATES, STATE_LABELS, channel_token


def create_filters() -> Any:
    """One row of chips. A chip's count (`data-count`) is written by the page's modules."""
    return html.Section(
        className="filters",
        **attributes(aria_label="Filters"),
        children=[
            html.Button(
                "Filters",
                id=ids.FILTERS_TOGGLE,
                className="button filters-toggle",
                type="button",
                **attributes(aria_expanded="false", aria_controls=ids.FILTERS),
            ),
            html.Div(
                id=ids.FILTERS,
                className="filters-body",
                children=[
                    _facet(
                        ids.FILTER_CHANNEL,
                        ids.CHANNEL_CHOICE,
                        "Channel",
                        [(look.name, look.label, channel_token(look.name)) for look in CHANNEL_LOOKS.values()],
                    ),
                    _facet(
                        ids.FILTER_STATE,
                        ids.STATE_CHOICE,
                        "State",
                        [(state.value, STATE_LABELS[state], f"state-{state.lower()}") for state in JOURNEY_STATES],
                    ),
                ],
            ),
            html.Div(className="spacer"),
            html.P(id=ids.COUNTS, className="counts", children=""),
        ],
    )


def _facet(facet_id: str, choice_id: str, label: str, choices: list[tuple[str, str, str]]) -> Any:
    group = dmc.CheckboxGroup(
        id=choice_id,
        className="facet",
        value=[],
        label=label,
        children=html.Div(
            className="facet-choices",
            children=[
                dmc.Checkbox(
                    value=value,
                    className="chip",
                    size="xs",
                    label=html.Span(
                        className="chip-label",
                        children=[
                            html.Span(
                                className="swatch",
                                style={"--swatch": f"var(--{token})"},
                                **attributes(aria_hidden="true"),
                            ),
                            html.Span(text),
                            html.Span(className="chip-count", **attributes(data_count=f"{facet_id}:{value}")),
                        ],
                    ),
                )
                for value, text, token in choices
            ],
        ),
    )
    # Mantine gives its group no id of its own in the page; the hook is around it.
    return html.Div(id=facet_id, children=group)
