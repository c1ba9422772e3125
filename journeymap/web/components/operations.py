"""The operations view: how events come in, told to whoever keeps it running.

A fixed frame with all labels, units and explanations. `assets/operations/operations.mjs` writes what is true now into it: into
each element with `data-figure` (a path in the document of `view/operations.py`), in the form that `data-form` names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from dash import html

from journeymap import __version__
from journeymap.web import ids
from journeymap.web.components.attributes import attributes

NOTHING: Final = "—"


class Figure(msgspec.Struct, frozen=True):
    """One figure: where it stands in the document, in which form it is written, and what it means to a newcomer."""

    path: str
    form: str
    label: str
    explained: str
    unit: str = ""


HEADLINES: Final = (
    Figure(
        "status.events_per_second", "rate", "Arriving", "Mean of the last ten seconds. The line shows the last minutes.",
        "events per second",
    ),
    Figure("status.lag_ms", "span", "Behind", "Time from an event's arrival to its being part of a journey.", "after arrival"),
    Figure(
        "status.journal_lag_bytes", "bytes", "Not stored yet",
        "What was received, is safe in the journal, and is not in the store yet. It is folded again after a crash.",
        "waiting in the journal",
    ),
    Figure(
        "missing.ms", "span", "Without events, last 24 h",
        "Time in which the source was not connected, ingest did not run, or reading was stopped.", "in gaps",
    ),
    Figure(
        "status.counts.quarantined", "count", "Unusable", "Messages that could not be read as events, set aside below.",
        "messages",
    ),
)  # fmt: skip

EVENTS: Final = (
    Figure("status.counts.received", "count", "Received", "Messages from the source; one may carry many events.", "messages"),
    Figure("status.counts.events", "count", "Folded", "Events that are part of journeys.", "events"),
    Figure("status.counts.late", "count", "Late", "Came after later ones had been folded; folded in all the same.", "events"),
    Figure("status.counts.duplicate", "count", "Duplicates", "Copies of events that were known; of no effect.", "events"),
    Figure("status.counts.conflicting", "count", "Conflicting", "Copies of one event that differ.", "events"),
    Figure("status.counts.expired", "count", "Expired", "Older than the retention time when they came; left out.", "events"),
    Figure("status.counts.throttled", "count", "Throttled", "How often the platform said that it slows the stream.", "times"),
    Figure("status.counts.dropped", "count", "Left out", "What the platform says it did not send. It cannot be had again here.",
           "events"),
)  # fmt: skip

BEHIND: Final = (
    Figure("status.last_event_at", "ago", "Newest event", "How long ago the newest event arrived here."),
    Figure("status.waiting_bytes", "bytes", "Waiting", "In the journal and not folded yet."),
    Figure("status.flush_ms", "milliseconds", "Last write", "How long writing to the store took the last time."),
)

STORE: Final = (
    Figure("status.store_bytes", "bytes", "Store", "Size of the store on disk."),
    Figure("status.journal_bytes", "bytes", "Journal", "Size of the log of all that was received, on disk."),
    Figure("status.journal_oldest_at", "ago", "Journal reaches back", "Age of the oldest message in the journal."),
    Figure("status.disk_free_bytes", "bytes", "Disk free", "What is free on the disk of store and journal."),
    Figure("status.journal_torn_bytes", "bytes", "Torn off", "A half-written end of the journal, cut off after a crash."),
    Figure("status.journal_damaged_bytes", "bytes", "Damaged", "Parts of the journal that the disk gave back changed."),
    Figure("status.journeys", "count", "Journeys stored", "Every journey within the retention time.", "journeys"),
    Figure("status.open_journeys", "count", "In progress", "Journeys that are not closed.", "journeys"),
    Figure("status.hot_journeys", "count", "In memory", "Journeys that ingest holds ready to be continued.", "journeys"),
    Figure("status.stitching_outdated", "reason", "Outdated", "Why today's settings would make other journeys of it."),
)  # fmt: skip

INGEST: Final = (
    Figure("status.started_at", "since", "Running since", "When the ingest process started."),
    Figure("status.release", "text", "Release", "Journeymap's release that ingest runs."),
    Figure("status.written_at", "ago", "Last heard of", "Age of its last report; it reports every second."),
)

TOKEN: Final = (
    Figure("token_obtained_at", "moment", "Obtained", "When the platform issued the token in use."),
    Figure(
        "token_renewal_at",
        "moment",
        "Renewal",
        "When a new token is asked for. The old one stays in use until the new one is in hand.",
    ),
    Figure("token_expires_at", "moment", "Expires", "From then on the platform does not take it any more."),
    Figure("token_expires_at", "left", "Left", "Time until it expires."),
)

CONNECTION: Final = (
    Figure("last_frame_at", "ago", "Last message", "How long ago an event or a heartbeat came."),
    Figure("last_heard_at", "ago", "Last sign of life", "Answers to our pings count. After 30 s without it connects anew."),
    Figure("next_attempt_at", "in", "Next attempt", "When it tries to connect again."),
    Figure("reconnects", "count", "Reconnects", "Connections made after the first, since ingest started.", "times"),
    Figure("max_events_per_second", "count", "Asked for", "The most that we take now. Lowered when the platform throttles.",
           "events per second"),
    Figure("configured_events_per_second", "count", "Configured", "The most that the settings allow (MAX_EVENTS_PER_SECOND).",
           "events per second"),
    Figure("dropped", "count", "Left out", "Events that the platform says it did not send.", "events"),
    Figure("topics", "count", "Topics", "What the Notification Service sends: on queues, conversations, contacts.", "topics"),
    Figure("topic_channels", "count", "Topic channels", "How many of its channels they come on; each takes 1,000 topics.",
           "channels"),
    Figure("topics_refused", "count", "Refused topics", "Topics that the OAuth client's roles do not allow; the log says which.",
           "topics"),
    Figure("queue_waiting", "count", "In the queue", "Messages that wait in the SQS queue, an estimate of every 15 s.",
           "messages"),
    Figure("posts_turned_away", "count", "Turned away", "Posts that were not taken: a wrong key, too many a second, no room.",
           "posts"),
    Figure("subscription_id", "text", "Subscription", "The platform's id of what it sends us."),
    Figure("connection_id", "text", "Connection", "The platform's id of the socket it sends over."),
)  # fmt: skip

GAP_COLUMNS: Final = ("From", "To", "Length", "What", "Filled", "Why", "Source")
HISTORY_COLUMNS: Final = ("Time", "State", "For", "Why")


def create_operations_frame(*, can_retry: bool) -> Any:
    """The page's frame. Dash never touches it again: the page's modules fill it while it is open."""
    return html.Article(
        id=ids.OPERATIONS,
        className="operations",
        hidden=True,
        **attributes(aria_labelledby=ids.OPERATIONS_TITLE),
        children=[
            _head(),
            _verdict(can_retry=can_retry),
            html.Dl(className="headlines", children=[_headline(figure) for figure in HEADLINES]),
            html.Div(
                className="operations-columns",
                children=[
                    html.Div(className="operations-main", children=[_sources(can_retry=can_retry), _gaps(), _quarantine()]),
                    html.Div(
                        className="operations-side",
                        children=[
                            _figures("Events since ingest started", EVENTS),
                            _figures("How far behind", BEHIND),
                            _figures("Store and journal", STORE),
                            _figures("Ingest process", INGEST, [("Release of this page", __version__)]),
                        ],
                    ),
                ],
            ),
        ],
    )  # fmt: skip


def _head() -> Any:
    return html.Header(
        className="operations-head",
        children=[
            html.A("← Live view", href="/", className="back"),
            html.H1("Operations", id=ids.OPERATIONS_TITLE, tabIndex="-1"),
            html.P(id=ids.OPERATIONS_AS_OF, className="operations-as-of"),
            html.Button(
                "Explain figures",
                id=ids.OPERATIONS_EXPLAIN,
                className="button",
                type="button",
                title="Show below each figure what it means",
                **attributes(aria_pressed="false"),
            ),
        ],
    )


def _verdict(*, can_retry: bool) -> Any:
    return html.Section(
        id=ids.OPERATIONS_VERDICT,
        className="verdict",
        **attributes(aria_label="Verdict"),
        children=[
            html.Span(className="verdict-mark", **attributes(aria_hidden="true")),
            html.Div(
                className="verdict-words",
                children=[
                    html.H2(NOTHING, className="verdict-title"),
                    html.P(className="verdict-remedy"),
                    html.Ul(className="verdict-others", hidden=True),
                ],
            ),
            html.P(className="verdict-since"),
            *([_retry("verdict-retry")] if can_retry else []),
        ],
    )


def _retry(name: str) -> Any:
    return html.Button("Try again", className=f"button {name}", type="button", hidden=True)


def _headline(figure: Figure) -> Any:
    more = [html.Canvas(id=ids.OPERATIONS_RATE, className="spark")] if figure.form == "rate" else []
    return html.Div(className="headline", children=[_label(figure), html.Dd([_value(figure), _unit(figure), *more])])


def _figures(title: str, figures: Sequence[Figure], fixed: Sequence[tuple[str, str]] = ()) -> Any:
    return html.Section(
        className="panel",
        children=[
            html.H2(title),
            html.Dl(
                className="figures",
                children=[
                    *(html.Div([_label(figure), html.Dd([_value(figure), _unit(figure)])]) for figure in figures),
                    *(html.Div([html.Dt(label), html.Dd(value)]) for label, value in fixed),
                ],
            ),
        ],
    )


def _label(figure: Figure) -> Any:
    return html.Dt(
        title=figure.explained,
        children=[html.Span(figure.label), html.Span(figure.explained, className="explanation")],
    )


def _value(figure: Figure) -> Any:
    return html.Span(NOTHING, className="value", **attributes(data_figure=figure.path, data_form=figure.form))


def _unit(figure: Figure) -> Any:
    return html.Span(f" {figure.unit}" if figure.unit else "", className="unit")


def _sources(*, can_retry: bool) -> Any:
    """The place of the sources, and the one that is copied for each."""
    return html.Section(
        className="panel-group",
        children=[
            html.H2("Source", id=ids.OPERATIONS_SOURCES_TITLE, className="unseen"),
            html.Div(id=ids.OPERATIONS_SOURCES),
            html.P("No source has reported yet.", id=ids.OPERATIONS_NO_SOURCE, className="panel nothing"),
            html.Article(
                id=ids.OPERATIONS_SOURCE,
                className="panel source",
                hidden=True,
                children=[
                    html.Header(
                        className="source-head",
                        children=[
                            html.H3(NOTHING, className="source-name"),
                            html.Span(NOTHING, className="connection-state source-state"),
                            html.Span(className="source-since"),
                        ],
                    ),
                    html.P(className="source-error", hidden=True),
                    html.Ul(className="source-notes", hidden=True),
                    *([_retry("source-retry")] if can_retry else []),
                    html.Dl(
                        className="facts source-facts",
                        children=[html.Div([_label(figure), html.Dd([_value(figure), _unit(figure)])]) for figure in CONNECTION],
                    ),
                    html.Div(
                        className="token",
                        children=[
                            html.H4("Access token"),
                            html.Div(
                                className="token-bar",
                                role="meter",
                                children=html.Span(className="token-left"),
                                **attributes(aria_label="Token's lifetime left"),
                            ),
                            html.Dl(
                                className="facts",
                                children=[html.Div([_label(figure), html.Dd(_value(figure))]) for figure in TOKEN],
                            ),
                        ],
                    ),
                    html.H4("Connection history"),
                    _table("history", HISTORY_COLUMNS, "Changes of the connection, newest first"),
                ],
            ),
        ],
    )  # fmt: skip


def _gaps() -> Any:
    return html.Section(
        className="panel gaps",
        children=[
            html.H2("Gaps in the stream"),
            html.P(id=ids.OPERATIONS_GAPS_WORDS, className="panel-words"),
            html.P(id=ids.OPERATIONS_FILLING_WORDS, className="panel-words", hidden=True),
            html.Div(
                className="strip",
                **attributes(aria_hidden="true"),
                children=[
                    html.Div(id=ids.OPERATIONS_STRIP, className="strip-band"),
                    html.Div(id=ids.OPERATIONS_STRIP_AXIS, className="strip-axis"),
                ],
            ),
            html.Div(id=ids.OPERATIONS_GAPS, children=_table("gaps-table", GAP_COLUMNS, "Gaps, newest first")),
        ],
    )


def _quarantine() -> Any:
    return html.Section(
        className="panel",
        children=[
            html.H2("Quarantine"),
            html.P(id=ids.OPERATIONS_QUARANTINE_WORDS, className="panel-words"),
            html.Div(id=ids.OPERATIONS_QUARANTINE, className="quarantine"),
        ],
    )


def _table(name: str, columns: Sequence[str], label: str) -> Any:
    return html.Div(
        className="list-scroll",
        tabIndex="0",
        role="group",
        **attributes(aria_label=label),
        children=html.Table(
            className=f"table {name}",
            children=[html.Thead(html.Tr([html.Th(column, scope="col") for column in columns])), html.Tbody()],
        ),
    )
