"""The journey page: one customer's journey with its chart, segments, transfers and events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from dash import dcc, html

from journeymap.model.time import Millis
from journeymap.view.labels import duration
from journeymap.web import ids
from journeymap.web.components.attributes import attributes
from journeymap.web.naming import AGENT_KEYS, QUEUE_KEYS, named_before
from journeymap.web.theme import KIND_LOOKS, STATE_LABELS, channel_look, channel_token

OWN_KEYS: Final = frozenset({"event_id", "type", "timestamp", "interaction_id", "channel"})
GRAPH_CONFIG: Final[Any] = {"displayModeBar": False, "scrollZoom": True, "responsive": False, "doubleClick": "reset"}


def create_journey_frame() -> Any:
    """The page's empty frame; callbacks fill it while it is open."""
    return html.Article(
        id=ids.JOURNEY,
        className="journey",
        hidden=True,
        children=[
            html.Div(id=ids.JOURNEY_HEAD, className="journey-head"),
            html.Div(id=ids.JOURNEY_CHART_FRAME, className="journey-chart-frame"),
            html.Div(id=ids.JOURNEY_LISTS, className="journey-lists"),
        ],
    )


def create_chart() -> Any:
    """The chart, still without a figure. Not part of the first page: Plotly is loaded with the first chart."""
    return dcc.Graph(id=ids.JOURNEY_CHART, className="journey-chart", config=GRAPH_CONFIG)


def create_head(journey: Mapping[str, Any]) -> Any:
    """Who, in which state, since when, and the way back."""
    facts = [
        ("Journey", html.Code(journey["journey_id"])),
        ("Started", when(journey["started_at"])),
        ("Last event", when(journey["last_event_at"])),
        ("Length", duration(journey["last_event_at"] - journey["started_at"])),
        ("Interactions", str(len(journey["interactions"]))),
        ("Transfers", str(len(journey["transfers"]))),
        ("Events", str(len(journey["events"]))),
    ]
    return [
        html.A("← All journeys", href="/", className="back"),
        html.Div(
            className="journey-title",
            children=[
                html.H1(journey["customer_id"]),
                html.Span(
                    STATE_LABELS.get(journey["state"], journey["state"]),
                    className="state-badge",
                    style={"--swatch": f"var(--state-{journey['state'].lower()})"},
                ),
                *(channel_badge(channel) for channel in journey["channels"]),
            ],
        ),
        html.Dl(className="facts", children=[html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts]),
    ]


def create_lists(journey: Mapping[str, Any], now: Millis) -> Any:
    """All segments, transfers and events, and the customer's other journeys."""
    channels = {interaction["interaction_id"]: interaction["channel"] for interaction in journey["interactions"]}
    return [
        _list(
            "Segments",
            ("Channel", "What", "Queue", "Agent", "From", "To", "Length", "Outcome"),
            _segments(journey, now),
        ),
        _list("Transfers", ("At", "From", "To"), _transfers(journey, channels)),
        _list("Events", ("Time", "Type", "Channel", "Interaction", "Details"), _events(journey)),
        _list("Identity", ("Customer or token", "Seen in"), _identity(journey)),
        _list("Other journeys of this customer", ("Journey", "State", "From", "To"), _neighbours(journey)),
    ]


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
    """A moment; the page writes it in the viewer's time zone (`assets/times.mjs`)."""
    return "—" if moment is None else html.Time(str(moment), className="when", **attributes(data_ms=str(moment)))


def channel_badge(channel: str) -> Any:
    """A channel by name and colour."""
    return html.Span(
        channel_look(channel).label,
        className="channel-badge",
        style={"--swatch": f"var(--{channel_token(channel)})"},
    )


def _list(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Any:
    body = [html.Tr([html.Td(cell) for cell in row]) for row in rows]
    return html.Section(
        className="list",
        hidden=not body,
        children=[
            html.H2([title, html.Span(str(len(body)), className="list-count")]),
            html.Div(
                className="list-scroll",
                tabIndex="0",
                children=html.Table(
                    className="table",
                    children=[
                        html.Thead(html.Tr([html.Th(column, scope="col") for column in columns])),
                        html.Tbody(body),
                    ],
                ),
            ),
        ],
    )


def _segments(journey: Mapping[str, Any], now: Millis) -> Iterable[Sequence[Any]]:
    for interaction in journey["interactions"]:
        last = len(interaction["segments"]) - 1
        for index, segment in enumerate(interaction["segments"]):
            end = segment["end"]
            until = end if end is not None else (interaction["ended_at"] if interaction["timed_out"] else now)
            kind = KIND_LOOKS.get(segment["kind"])
            yield (
                channel_badge(interaction["channel"]),
                kind.label if kind else segment["kind"],
                named_before(journey, interaction["interaction_id"], QUEUE_KEYS, until),
                named_before(journey, interaction["interaction_id"], AGENT_KEYS, until),
                when(segment["start"]),
                when(end) if end is not None else ("timed out" if interaction["timed_out"] else "open"),
                duration(max(0, (until or now) - segment["start"])),
                (interaction["disposition"] or "") if index == last else "",
            )


def _transfers(journey: Mapping[str, Any], channels: Mapping[str, str]) -> Iterable[Sequence[Any]]:
    for transfer in journey["transfers"]:
        source, target = transfer["from_interaction"], transfer["to_interaction"]
        yield (
            when(transfer["at"]),
            _interaction(source, channels),
            "not taken yet" if target is None else _interaction(target, channels),
        )


def _interaction(interaction_id: str, channels: Mapping[str, str]) -> Any:
    return html.Span([channel_badge(channels.get(interaction_id, "other")), " ", html.Code(interaction_id)])


def _events(journey: Mapping[str, Any]) -> Iterable[Sequence[Any]]:
    for event in journey["events"]:
        details = [(key, value) for key, value in event.items() if key not in OWN_KEYS and value not in (None, "")]
        yield (
            when(event["timestamp"]),
            event["type"],
            channel_badge(event["channel"]) if event.get("channel") else "",
            html.Code(event["interaction_id"]),
            html.Span(
                className="attributes",
                children=[
                    html.Span([html.Span(key, className="attribute"), " ", str(value)]) for key, value in details
                ],
            ),
        )


def _identity(journey: Mapping[str, Any]) -> Iterable[Sequence[Any]]:
    """Which ids the events carried, so that a reader sees why these interactions are one customer's."""
    seen: dict[str, list[str]] = {}
    for event in journey["events"]:
        for key in ("customerId", "customer_id", "sessionToken", "session_token"):
            if event.get(key):
                places = seen.setdefault(str(event[key]), [])
                if event["interaction_id"] not in places:
                    places.append(event["interaction_id"])
    for value, places in seen.items():
        yield (html.Code(value), ", ".join(places))


def _neighbours(journey: Mapping[str, Any]) -> Iterable[Sequence[Any]]:
    for other in journey.get("neighbours", ()):
        yield (
            html.A(other["journey_id"], href=f"/journey/{quote(other['journey_id'], safe='')}"),
            STATE_LABELS.get(other["state"], other["state"]),
            when(other["started_at"]),
            when(other["last_event_at"]),
        )
