"""What the page says about itself: the banner when something is wrong, the empty wall, the health strip, the voice for screen
readers. `assets/standing/states.mjs` and `assets/standing/strip.mjs` write the words."""

from __future__ import annotations

from typing import Any, Final

from dash import html

from journeymap.web import ids
from journeymap.web.components.attributes import attributes

FAULTS: Final = "lost store refused stopped reading connection behind"
"""The states of `assets/standing/states.mjs` that the operations view says more about."""

STRIP: Final = (
    ("journeys", ids.OPERATIONS_TITLE, "Journeys that match, of those open or of the last 24 hours"),
    ("simulated", ids.OPERATIONS_SOURCES, "The events come from the simulated platform: no source is configured"),
    ("rate", ids.OPERATIONS_RATE, "Events arriving, mean of the last ten seconds"),
    ("behind", ids.OPERATIONS_TITLE, "From an event's arrival to its being painted here"),
    ("counts", ids.OPERATIONS_SOURCES, "Since ingest started: late events, copies of known ones, unusable messages"),
    ("gaps", ids.OPERATIONS_GAPS, "Stretches of the last 24 hours of which events may be missing"),
)
"""Parts of the health strip: name, its place in the operations view, what it says."""


def create_notice(*, can_retry: bool) -> Any:
    """A banner that lies over nothing: what happened, and what to do. Hidden while all is well."""
    buttons: list[Any] = [html.A("Operations", href="/operations", className="button", **attributes(data_for=FAULTS))]
    if can_retry:
        buttons.append(
            html.Button(
                "Try again",
                id=ids.NOTICE_RETRY,
                className="button",
                type="button",
                hidden=True,
                **attributes(data_for="refused"),
            )
        )
    buttons.append(html.Button("Got it", className="button", type="button", **attributes(data_for="simulated")))
    return html.Div(
        id=ids.NOTICE,
        className="notice",
        role="alert",
        hidden=True,
        children=[
            html.Div(
                className="notice-words",
                children=[
                    html.Strong(id=ids.NOTICE_TITLE, className="notice-title"),
                    html.P(id=ids.NOTICE_TEXT, className="notice-text"),
                ],
            ),
            html.Div(className="notice-buttons", children=buttons),
        ],
    )


def create_empty(*, can_retry: bool) -> Any:
    """What lies over the chart while it has no rows: why, and what to do. It has the chart's place, so nothing moves."""
    actions: list[Any] = [
        html.Button("Clear filters", className="button empty-clear", type="button", **attributes(data_for="no-match")),
        html.A(
            "Operations", href="/operations", className="button", **attributes(data_for=f"{FAULTS} finished no-data")
        ),
    ]
    if can_retry:
        retry = html.Button(
            "Try again", className="button empty-retry", type="button", **attributes(data_for="refused")
        )
        actions.append(retry)
    return html.Div(
        id=ids.TIMELINE_EMPTY,
        className="timeline-empty",
        hidden=True,
        children=[
            html.Strong(className="empty-title"),
            html.P(className="empty-text"),
            html.Div(className="empty-actions", children=actions),
        ],
    )


def create_health_strip() -> Any:
    """One line at the page's foot. Each part leads to its place in the operations view."""
    return html.Nav(
        id=ids.HEALTH_STRIP,
        className="health-strip",
        **attributes(aria_label="Health"),
        children=[
            html.A(className="strip-part", href="/operations", title=title, **attributes(data_part=part, data_to=place))
            for part, place, title in STRIP
        ],
    )


def create_announcer() -> Any:
    """Read out by screen readers, at most every ten seconds."""
    return html.Div(id=ids.ANNOUNCER, className="unseen", role="status", **attributes(aria_live="polite"))
