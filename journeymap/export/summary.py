"""The page of words in an incident packet: what happened to whom, when, and what the packet's files hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from journeymap.export.caption import Look, Subject, counted
from journeymap.export.svg import plain
from journeymap.model.row import JourneyRow
from journeymap.model.status import Gap
from journeymap.model.time import Millis
from journeymap.view.labels import day_and_time, duration
from journeymap.view.looks import GAP_LABELS, KIND_LOOKS, STATE_LABELS, channel_look, filling_in_words
from journeymap.view.rows import DrawnInteraction, DrawnRow, drawn_row
from journeymap.view.summary import summary

if TYPE_CHECKING:
    from journeymap.export.selection import Selection

MOST_LINES: Final = 40
"""Lines of a list at most: it is one page."""

FILES: Final = (
    ("chart.svg, chart.png", "the chart, for any viewer"),
    ("journeys.json", "the journeys with interactions, segments, transfers and events"),
    ("events.ndjson", "the events alone, one a line, as they were received"),
)
OWN_CHARTS: Final = ("charts/", "each journey's own chart, with a track a channel and its interactions in words")
_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|#~])")


def summary_text(
    rows: Sequence[JourneyRow], selection: Selection, subject: Subject, *, own_charts: bool = False
) -> str:
    """The page in Markdown; rows masked already."""
    look = selection.look
    lines = [f"# {safe(subject.title)}", "", *(f"{safe(note)}  " for note in subject.notes), ""]
    if selection.one and rows:
        lines += _one(drawn_row(rows[0], selection.reading), rows[0], selection, look)
    else:
        lines += _many(rows, selection, look)
    lines += _gaps(subject, look)
    files = (*FILES, OWN_CHARTS) if own_charts else FILES
    lines += ["## Files", "", *(f"- {name}: {text}" for name, text in files), ""]
    return "\n".join(lines)


def safe(text: str) -> str:
    """A text from outside that Markdown shows letter for letter."""
    return _SPECIAL.sub(r"\\\1", plain(text))


def _many(rows: Sequence[JourneyRow], selection: Selection, look: Look) -> Iterator[str]:
    yield "## Journeys"
    yield ""
    yield "| customer | state | channels | started | last event | longest wait | transfers | outcomes | journey |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in rows[:MOST_LINES]:
        about = summary(row, selection.reading)
        wait = "–" if about.longest_wait_ms is None else duration(about.longest_wait_ms)
        channels = ", ".join(safe(channel_look(channel).label) for channel in about.channels)
        moments = " | ".join(day_and_time(moment, look.zone) for moment in (about.started_at, about.last_event_at))
        outcomes = ", ".join(map(safe, about.dispositions)) or "–"
        state = next((label for key, label in STATE_LABELS.items() if key == about.state), about.state)
        yield (
            f"| {safe(about.customer_id)} | {state} | {channels} | {moments} | {wait} | {about.transfers} | {outcomes} "
            f"| {safe(about.journey_id)} |"
        )
    if len(rows) > MOST_LINES:
        yield f"\nAnd {len(rows) - MOST_LINES:,} more; journeys.json has them all."
    yield ""


def _one(row: DrawnRow, folded: JourneyRow, selection: Selection, look: Look) -> Iterator[str]:
    now = selection.reading.now
    about = summary(folded, selection.reading)
    wait = "no wait" if about.longest_wait_ms is None else f"longest wait {duration(about.longest_wait_ms)}"
    counts = f"{counted(about.interactions, 'interaction')}, {counted(about.transfers, 'transfer')}"
    yield f"{STATE_LABELS.get(row.state, row.state.value)} for {duration(now - row.since)}; {counts}, {wait}."
    yield ""
    yield "## What happened"
    yield ""
    yield "| from | to | length | channel | what | queue | agent |"
    yield "|---|---|---|---|---|---|---|"
    steps = sorted(
        ((start, end, kind, one) for one in row.interactions for kind, start, end in one.bars), key=lambda step: step[0]
    )
    for start, end, kind, one in steps[:MOST_LINES]:
        yield _step(start, end, kind, one, now, look)
    if len(steps) > MOST_LINES:
        yield f"\nAnd {len(steps) - MOST_LINES:,} more; journeys.json has them all."
    yield ""
    ended = [one for one in row.interactions if one.disposition or one.timed_out]
    if ended:
        yield "## How interactions ended"
        yield ""
        for one in ended[:MOST_LINES]:
            how = safe(one.disposition) if one.disposition else "no outcome noted"
            late = " (timed out)" if one.timed_out else ""
            yield f"- {safe(channel_look(one.channel).label)}, {safe(one.interaction_id)}: {how}{late}"
        yield ""


def _step(start: Millis, end: Millis | None, kind: str, one: DrawnInteraction, now: Millis, look: Look) -> str:
    until = "still going on" if end is None else day_and_time(end, look.zone)
    length = duration((now if end is None else end) - start)
    what = KIND_LOOKS[kind].label if kind in KIND_LOOKS else safe(kind)
    names = " | ".join(safe(name) if name else "–" for name in (one.queue, one.agent))
    channel = safe(channel_look(one.channel).label)
    return f"| {day_and_time(start, look.zone)} | {until} | {length} | {channel} | {what} | {names} |"


def _gaps(subject: Subject, look: Look) -> Iterator[str]:
    shown = [gap for gap in subject.gaps if gap.start < subject.end and (gap.end is None or gap.end > subject.start)]
    if not shown:
        return
    yield "## Events may be missing"
    yield ""
    for gap in shown[-MOST_LINES:]:
        until = "now" if gap.end is None else day_and_time(gap.end, look.zone)
        yield f"- {day_and_time(gap.start, look.zone)} to {until}: {GAP_LABELS.get(gap.kind, safe(gap.kind))}{_filling(gap)}"
    yield ""


def _filling(gap: Gap) -> str:
    fetched = filling_in_words(gap)
    return fetched and f" ({safe(fetched)})"
