"""The lists of the journey page: segments, transfers, identity, and the customer's other contacts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from dash import html

from journeymap.model.time import Millis
from journeymap.readmodel.evidence import Rule
from journeymap.view.labels import duration, short_name
from journeymap.web.components.attributes import attributes
from journeymap.web.components.journey import channel_badge, journey_path, state_badge, when
from journeymap.web.components.undo import STOPPED, create_undo
from journeymap.web.journey_figure import segment_key
from journeymap.web.naming import Names
from journeymap.web.theme import KIND_LOOKS

UNDOING: Final = "Undo"

RULES: Final = {
    Rule.NAMED: "The customer id on the earliest event of an interaction that carries one",
    Rule.BOUND: "A session token, bound by the earliest event anywhere that carries token and customer id",
    Rule.PHONE: "A telephone number that this customer's side used, and nobody else's",
    Rule.EMAIL: "An e-mail address that this customer's side used, and nobody else's",
    Rule.MESSAGING: "What a messaging service calls this customer, and nobody else",
    Rule.VISITOR: "Whom the platform tracks on the web as this customer, and nobody else",
    Rule.SHARED: "Shared: too many customers or interactions have it, so it joins nobody",
    Rule.ALONE: "Split from itself by an operator: it joins nobody",
    Rule.MERGED: "Merged: an alias, for events before it as much as after it",
    Rule.ELSEWHERE: "A key that leads to another customer: it joins nothing here",
    Rule.SPLIT: "Split: the one is no alias, no key and no contact of the other any more",
    Rule.OTHER: "A further customer id in an interaction that another one had named; joins nothing",
    Rule.UNBOUND: "A session token of which no event says whose it is",
    Rule.ANONYMOUS: "Nothing tells whose it is: the interaction stands for itself",
}
"""The rules of docs/stitching.md, section 2, in a sentence each."""


def create_lists(journey: Mapping[str, Any], joined: Sequence[Mapping[str, Any]], *, runs: bool | None = None) -> Any:
    """All segments and transfers of a journey's document, which ids were joined, and the customer's other contacts.

    `runs` says whether there is an ingest that can undo a join; None: there are no buttons for that.
    """
    channels = {part["interaction_id"]: part["channel"] for part in journey["interactions"]}
    others = sorted(journey.get("neighbours", ()), key=lambda other: other["started_at"], reverse=True)
    return [
        _list(
            "Segments",
            ("Channel", "What", "Queue", "Agent", "From", "To", "Length", "Outcome", "Interaction"),
            _segments(journey),
        ),
        html.Div(
            className="journey-pair",
            children=[
                _list(
                    "Transfers",
                    ("At", "From", "To"),
                    _transfers(journey, channels),
                    empty="Nobody handed this customer over.",
                ),
                _list(
                    "Other contacts of this customer",
                    ("Started", "State", "Channels", "Length", "Outcome", ""),
                    _contacts(others),
                    empty="This is the only contact that is still kept.",
                ),
            ],
        ),
        _list(
            "Identity",
            ("Id", "Rule", "Leads to", "Event", "At", "In", *([] if runs is None else [UNDOING])),
            _identity(joined, channels, journey["journey_id"], runs),
            note="Which ids were joined to this customer, by which rule and by which event. Of one customer, interactions belong "
            "to one journey as long as the pauses between them are not too long."
            + (f" {STOPPED}" if runs is False and any(each["undo"] for each in joined) else ""),
        ),
    ]


def _list(
    title: str, columns: Sequence[str], rows: Iterable[tuple[str, Sequence[Any]]], *, empty: str = "", note: str = ""
) -> Any:
    body = [html.Tr([html.Td(cell) for cell in cells], **attributes(data_key=key)) for key, cells in rows]
    table = html.Table(
        className="table",
        children=[
            html.Thead(html.Tr([html.Th(column, scope="col") for column in columns])),
            html.Tbody(body),
        ],
    )
    return html.Section(
        className="list",
        hidden=not body and not empty,
        children=[
            html.H2([title, html.Span(f"{len(body):,}", className="list-count")]),
            html.P(note, className="list-note") if note else None,
            html.Div(
                className="list-scroll", tabIndex="0", role="region", children=table, **attributes(aria_label=title)
            )
            if body
            else html.P(empty, className="list-empty"),
        ],
    )


def _segments(journey: Mapping[str, Any]) -> Iterable[tuple[str, Sequence[Any]]]:
    names = Names(journey)
    for part in journey["interactions"]:
        name = part["interaction_id"]
        last = len(part["segments"]) - 1
        for index, segment in enumerate(part["segments"]):
            start, end = segment["start"], segment["end"]
            until = part["ended_at"] if end is None and part["timed_out"] else end
            kind = KIND_LOOKS.get(segment["kind"])
            yield (
                segment_key(name, index),
                (
                    channel_badge(part["channel"]),
                    html.Span(
                        [
                            html.Span(className=f"fill fill-{segment['kind']}"),
                            kind.label if kind else segment["kind"],
                        ],
                        className="journey-legend-entry",
                    ),
                    _named(names.queue(name, until)),
                    _named(names.agent(name, until)),
                    when(start),
                    when(until) if until is not None else html.Span("open", className="journey-open"),
                    growing(start) if until is None else duration(until - start),
                    (short_name(part["disposition"] or "") if index == last else "")
                    + (" (timed out)" if index == last and part["timed_out"] else ""),
                    html.Code(name),
                ),
            )


def _named(name: str) -> Any:
    """A name; of an id that has none its beginning, the whole of it in the tip."""
    short = short_name(name)
    return (short or "–") if short == name else html.Span(short, title=name)


def growing(start: Millis) -> Any:
    """How long something has gone on that began at `start`; `assets/journey/journeypage.mjs` writes it each second."""
    return html.Span("…", className="growing", **attributes(data_since=str(start)))


def _transfers(journey: Mapping[str, Any], channels: Mapping[str, str]) -> Iterable[tuple[str, Sequence[Any]]]:
    for index, transfer in enumerate(journey["transfers"]):
        source, target = transfer["from_interaction"], transfer["to_interaction"]
        cells = (
            when(transfer["at"]),
            _interaction(source, channels),
            "not taken yet" if target is None else _interaction(target, channels),
        )
        yield f"{source}#{index}", cells


def _interaction(interaction_id: str, channels: Mapping[str, str]) -> Any:
    return html.Span(
        [channel_badge(channels.get(interaction_id, "other")), " ", html.Code(interaction_id)], className="interaction"
    )


def _identity(
    joined: Sequence[Mapping[str, Any]], channels: Mapping[str, str], journey_id: str, runs: bool | None
) -> Iterable[tuple[str, Sequence[Any]]]:
    for each in joined:
        undo = () if runs is None else (create_undo(each, journey_id, runs=runs),)
        event = each["event_id"]
        if event is None:
            by: Any = "–"
        elif each["event_of"] is None or each["event_of"] in channels:
            by = html.Span([each["type"] or "an event", " ", html.Code(event)])
        else:
            by = html.Span([each["type"] or "an event", " ", html.Code(event), " in ", html.Code(each["event_of"])])
        of = f"#{each['interactions'][0]}" if each["contact"] else ""
        yield (
            f"{each['rule']}#{each['id']}{of}",
            (
                html.Code(each["id"]),
                RULES[Rule(each["rule"])],
                html.Code(each["to"]) if each["to"] else "–",
                by,
                when(each["at"]),
                html.Div([_interaction(name, channels) for name in each["interactions"]], className="interactions")
                if each["interactions"]
                else "–",
                *undo,
            ),
        )


def _contacts(others: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, Sequence[Any]]]:
    for other in others:
        outcome = ", ".join(map(short_name, other.get("dispositions", ()))) or "–"
        cells = (
            html.A(when(other["started_at"]), href=journey_path(other["journey_id"])),
            state_badge(other["state"]),
            html.Span([channel_badge(channel) for channel in other.get("channels", ())], className="badges"),
            duration(other["last_event_at"] - other["started_at"]),
            outcome,
            html.Button(
                "Compare",
                className="button journey-compare",
                type="button",
                title="Show its chart below this one",
                **attributes(data_journey=other["journey_id"], data_at=str(other["started_at"]), aria_pressed="false"),
            ),
        )
        yield other["journey_id"], cells
