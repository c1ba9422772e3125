"""The journey page: its frame, who the journey is of, and the notices in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from dash import dcc, html

from journeymap.model.journey import State
from journeymap.model.time import Millis
from journeymap.view.labels import duration
from journeymap.web import ids
from journeymap.web.components.attributes import attributes
from journeymap.web.theme import KIND_LOOKS, STATE_LABELS, USUAL_KINDS, channel_look, channel_token

GRAPH_CONFIG: Final[Any] = {"displayModeBar": False, "scrollZoom": True, "responsive": False, "doubleClick": False}
FILES: Final = (
    ("png", "PNG", "the chart as a picture"),
    ("svg", "SVG", "the chart, to any size"),
    ("csv", "CSV", "a line a segment"),
    ("json", "JSON", "the journey with all its events"),
    ("parquet", "Parquet", "the same segments, for data tools"),
    ("zip", "Packet", "chart, events, journey and a summary"),
)
"""What can be downloaded: the ending, its name and what it holds."""

CHART_BUTTONS: Final = (
    ("back", "‹", "Earlier (←)"),
    ("on", "›", "Later (→)"),
    ("out", "−", "Wider (−)"),
    ("in", "+", "Closer (+)"),
    ("fit", "Fit", "The whole journey (F)"),
)


def create_journey_frame() -> Any:
    """The page's empty frame; callbacks and the page's own modules fill it while it is open."""
    return html.Article(
        id=ids.JOURNEY,
        className="journey",
        hidden=True,
        children=[
            html.Div(id=ids.JOURNEY_HEAD, className="journey-head"),
            html.Section(
                className="journey-chart-section",
                **attributes(aria_label="Chart"),
                children=[
                    _create_chart_bar(),
                    html.Div(
                        className="journey-plot",
                        children=[
                            html.Div(id=ids.JOURNEY_CHART_FRAME, className="journey-chart-frame"),
                            html.Div(id=ids.JOURNEY_FOLDS, className="journey-folds"),
                        ],
                    ),
                    html.Div(id=ids.JOURNEY_COMPARED, className="journey-compared"),
                ],
            ),
            html.Div(id=ids.JOURNEY_LISTS, className="journey-lists"),
            html.Section(id=ids.JOURNEY_EVENTS, className="list journey-events", hidden=True),
        ],
    )


def _create_chart_bar() -> Any:
    return html.Div(
        className="journey-chart-bar",
        children=[
            html.Div(className="journey-legend", children=[_legend_entry(kind) for kind in KIND_LOOKS]),
            html.Span(className="journey-fold-note"),
            html.Button("Unfold all", className="button journey-unfold", type="button", hidden=True),
            html.Div(
                className="journey-zoom",
                role="group",
                **attributes(aria_label="Time shown"),
                children=[
                    html.Button(
                        text,
                        className="button",
                        type="button",
                        title=title,
                        **attributes(data_zoom=name, aria_label=title),
                    )
                    for name, text, title in CHART_BUTTONS
                ],
            ),
        ],
    )


def _legend_entry(kind: str) -> Any:
    look = KIND_LOOKS[kind]
    return html.Span(
        [html.Span(className=f"fill fill-{kind}"), look.label],
        className="journey-legend-entry",
        title=look.explained,
        **({} if kind in USUAL_KINDS else attributes(data_rare=kind)),
    )


def create_chart() -> Any:
    """The chart, still without a figure. Not part of the first page: Plotly is loaded with the first chart."""
    return dcc.Graph(id=ids.JOURNEY_CHART, className="journey-chart", config=GRAPH_CONFIG)


def create_head(journey: Mapping[str, Any]) -> Any:
    """Who, in which state, since when, the way back, the customer's contacts before and after, and the files to download."""
    is_open = journey["state"] != State.CLOSED
    facts = [
        ("Started", when(journey["started_at"])),
        ("Last event", when(journey["last_event_at"])),
        ("Length", duration(journey["last_event_at"] - journey["started_at"])),
        ("Interactions", f"{len(journey['interactions']):,}"),
        ("Transfers", f"{len(journey['transfers']):,}"),
        ("Events", f"{len(journey['events']):,}"),
        ("Journey", html.Code(journey["journey_id"])),
    ]
    return [
        html.Div(
            className="journey-top",
            children=[
                html.A("← All journeys", href="/", className="back"),
                _create_turning(journey),
                _create_files(journey["journey_id"]),
            ],
        ),
        html.Div(
            className="journey-title",
            children=[
                html.H1(journey["customer_id"], tabIndex="-1"),
                state_badge(journey["state"]),
                *(channel_badge(channel) for channel in journey["channels"]),
                html.Span("Live", className="journey-live", title="This page follows the journey") if is_open else None,
            ],
        ),
        html.Dl(className="facts", children=[html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts]),
    ]


def _create_turning(journey: Mapping[str, Any]) -> Any:
    """Links to the customer's contact before this one and to the one after it."""
    earlier, later = turning(journey)
    return html.Nav(
        className="journey-turn",
        **attributes(aria_label="Other contacts of this customer"),
        children=[
            _turn("previous", "‹ Earlier", "Contact before this one ([)", earlier),
            _turn("next", "Later ›", "Contact after this one (])", later),
        ],
    )


def turning(journey: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """The customer's journey before this one, and the one after it."""
    place = (journey["started_at"], journey["journey_id"])
    others = sorted(journey.get("neighbours", ()), key=lambda other: (other["started_at"], other["journey_id"]))
    before = [other for other in others if (other["started_at"], other["journey_id"]) < place]
    after = [other for other in others if (other["started_at"], other["journey_id"]) > place]
    return before[-1] if before else None, after[0] if after else None


def _turn(name: str, text: str, title: str, other: Mapping[str, Any] | None) -> Any:
    if other is None:
        return html.Span(text, className="turn none", **attributes(aria_disabled="true"))
    return html.A(
        [text, " ", when(other["started_at"])],
        href=journey_path(other["journey_id"]),
        className="turn",
        title=title,
        **attributes(data_turn=name),
    )


def _create_files(journey_id: str) -> Any:
    links = [
        html.A(
            [html.B(name), " ", html.Span(what)],
            href=f"/export/journey/{quote(journey_id, safe='')}.{form}",
            className="journey-file",
            download="",
            **attributes(data_form=form),
        )
        for form, name, what in FILES
    ]
    return html.Details(
        className="journey-files",
        children=[html.Summary("Export", className="button"), html.Div(links, className="journey-files-list")],
    )


def journey_path(journey_id: str) -> str:
    """Where a journey's page is."""
    return f"/journey/{quote(journey_id, safe='')}"


def state_badge(state: str) -> Any:
    """A state by name and colour."""
    return html.Span(
        _state_label(state),
        className="state-badge",
        style={"--swatch": f"var(--state-{state.lower()})"},
    )


def _state_label(state: str) -> str:
    return next((label for name, label in STATE_LABELS.items() if name == state), state)


def create_unknown(journey_id: str) -> Any:
    """What stands in place of a journey that does not exist."""
    return [
        html.A("← All journeys", href="/", className="back"),
        html.Div(
            className="unknown",
            children=[
                html.H1("There is no such journey"),
                html.P(["No journey has the id ", html.Code(journey_id[:80]), "."]),
                html.P(
                    "It may have been removed when its retention time ended, or the link is incomplete. "
                    "Look for the customer in the live view instead."
                ),
                html.A("Open the live view", href="/", className="button"),
            ],
        ),
    ]


def create_unreadable(reason: str) -> Any:
    """What stands in place of a journey that cannot be read now."""
    return [
        html.A("← All journeys", href="/", className="back"),
        html.Div(
            className="unknown",
            children=[
                html.H1("This journey cannot be read now"),
                html.P(reason),
                html.P("The page tries again by itself."),
            ],
        ),
    ]


def when(moment: Millis | None) -> Any:
    """A moment; the page writes it in the viewer's time zone (`assets/base/times.mjs`)."""
    return "—" if moment is None else html.Time(str(moment), className="when", **attributes(data_ms=str(moment)))


def channel_badge(channel: str) -> Any:
    """A channel by name and colour."""
    return html.Span(
        channel_look(channel).label,
        className="channel-badge",
        style={"--swatch": f"var(--{channel_token(channel)})"},
    )
