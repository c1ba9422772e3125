"""What the page says about itself: the banner when something is wrong, the keys, the voice for screen readers."""

from __future__ import annotations

from typing import Any, Final

from dash import html

from journeymap.web import ids
from journeymap.web.components.attributes import attributes

KEYS: Final = (
    ("↑ ↓", "previous or next journey"),
    ("Enter", "open the journey"),
    ("Space, L", "hold the picture, or let it run"),
    ("A D, ← →", "earlier, later"),
    ("+ −, W S", "zoom in, out"),
    ("F", "fit what is shown"),
    ("Home", "back to live"),
    ("/", "search"),
    ("T", "table"),
    ("E", "picture (PNG)"),
    ("O", "operations view, and back"),
    ("Esc", "close a card; leave the search"),
    ("?", "this list"),
)


def create_notice(*, can_retry: bool) -> Any:
    """A banner that lies over nothing: what happened, and what to do. Hidden while all is well."""
    children: list[Any] = [
        html.P(id=ids.NOTICE_TEXT, className="notice-text"),
        html.A("Operations", href="/operations", className="button"),
    ]
    if can_retry:
        children.append(html.Button("Try again", id=ids.NOTICE_RETRY, className="button", type="button", hidden=True))
    return html.Div(id=ids.NOTICE, className="notice", role="alert", hidden=True, children=children)


def create_announcer() -> Any:
    """Read out by screen readers, at most every ten seconds."""
    return html.Div(id=ids.ANNOUNCER, className="unseen", role="status", **attributes(aria_live="polite"))


def create_help_sheet() -> Any:
    """The keys, as a dialog."""
    return html.Dialog(
        id=ids.HELP_SHEET,
        className="help-sheet",
        **attributes(aria_label="Keys"),
        children=[
            html.H2("Keys"),
            html.Dl([html.Div([html.Dt([html.Kbd(key)]), html.Dd(what)]) for key, what in KEYS]),
            html.P(
                "Drag the chart to move in time, wheel to scroll, Ctrl or ⌘ and wheel to zoom. "
                "Point at a bar for its details, "
                "click to pin them.",
            ),
            html.Form([html.Button("Close", className="button")], method="dialog"),
        ],
    )
