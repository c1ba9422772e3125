"""The operations view as a document: how ingest stands, what is wrong, and what happened to the connection and the stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from journeymap.model.status import ConnectionChange, Gap, IngestStatus, Quarantined, SourceReport, still_missing
from journeymap.model.time import DAY, MINUTE, Millis
from journeymap.view.findings import BROUGHT, Finding, findings, reports_of

MOST_LISTED: Final = 200
"""So many gaps and connection changes are listed, the newest."""

PARTIAL: Final = "dropped"
"""The kind of gap in which some events came and some were left out."""

_MOMENTARY: Final = ("events_per_second", "lag_ms", "waiting_bytes")

LATELY: Final[Millis] = 5 * MINUTE
"""What was left out or unusable is worth a word for so long."""


def operations(
    status: IngestStatus | None,
    problem: str | None,
    gaps: Sequence[Gap],
    connections: Sequence[ConnectionChange],
    quarantine: Sequence[Quarantined],
    now: Millis,
    *,
    problem_since: Millis | None = None,
) -> dict[str, Any]:
    """All that the operations view shows, newest first in its lists; what JSON can carry.

    `gaps` and `connections` are oldest first. `problem` is what keeps the store from being read, `problem_since` since when.
    Where ingest does not run, what it measured last is no measure of now: such figures are None, and its sources are not
    connected.
    """
    running = status is not None and not status.is_stale(now)
    reports = [] if status is None else [_now(each, status, problem, now) for each in reports_of(status)]
    return {
        "now": now,
        "running": running,
        "findings": msgspec.to_builtins(
            [*findings(status, problem, now, problem_since), *_notes(gaps, quarantine, now)]
        ),
        "well": _well(status, reports),
        "status": None if status is None else _figures(status, now),
        "sources": [_source(each) for each in reports],
        "gaps": msgspec.to_builtins(list(reversed(gaps[-MOST_LISTED:]))),
        "missing": None if status is None else missing(gaps, now - DAY, now),
        "connections": _with_ends(connections)[:MOST_LISTED],
        "quarantine": msgspec.to_builtins(sorted(quarantine, key=lambda each: (-each.last_at, each.reason))),
    }


def missing(gaps: Iterable[Gap], start: Millis, now: Millis) -> dict[str, int]:
    """Of the span from `start` to `now`: how long no events came in (`ms`) in how many gaps (`gaps`), and how many events
    the platform left out of what it sent (`dropped`). Stretches in which several gaps lie count once, and what was filled
    is not missing."""
    length, reached, count, dropped = 0, start, 0, 0
    for gap in sorted(still_missing(gaps), key=lambda each: each.start):
        begin, end = max(gap.start, start), min(now if gap.end is None else gap.end, now)
        if end <= start or gap.start > now:
            continue
        if gap.kind == PARTIAL:
            dropped += gap.dropped
            continue
        count += 1
        length += max(0, end - max(begin, reached))
        reached = max(reached, end)
    return {"ms": length, "gaps": count, "dropped": dropped}


def _with_ends(changes: Sequence[ConnectionChange]) -> list[dict[str, Any]]:
    """The changes, newest first, each with when the source left that state again (`until`, None while it lasts)."""
    until: dict[str, Millis] = {}
    told = []
    for change in reversed(changes):
        told.append({**msgspec.to_builtins(change), "until": until.get(change.source)})
        until[change.source] = change.at
    return told


def _figures(status: IngestStatus, now: Millis) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(status)
    del told["pid"], told["sources"]
    return told | dict.fromkeys(_MOMENTARY) if status.is_stale(now) else told


def _source(report: SourceReport) -> dict[str, Any]:
    """The report, with how many posts were not taken, all reasons together; None for a source that is not posted to."""
    told: dict[str, Any] = msgspec.to_builtins(report)
    told["posts_turned_away"] = sum(report.posts_refused.values()) if report.name == BROUGHT else None
    return told


def _now(report: SourceReport, status: IngestStatus, problem: str | None, now: Millis) -> SourceReport:
    """The report as it stands now: who keeps a connection is gone with the ingest process."""
    if not status.is_stale(now) or report.finished:
        return report
    return msgspec.structs.replace(
        report,
        state="DISCONNECTED",
        since=status.written_at,
        down_since=status.written_at,
        error="not known while the store cannot be read" if problem else "ingest is not running",
        refused=False,
        token_expires_at=None,
        next_attempt_at=None,
    )


def _notes(gaps: Sequence[Gap], quarantine: Sequence[Quarantined], now: Millis) -> Iterator[Finding]:
    """What happened lately and is of note, though nothing is out of order now."""
    dropped = [
        gap for gap in still_missing(gaps) if gap.kind == PARTIAL and (gap.end is None or gap.end > now - LATELY)
    ]
    if dropped:
        yield Finding(
            "throttled",
            f"the source throttles: {sum(gap.dropped for gap in dropped):,} events were left out",
            "Fewer events a second are asked for now, and more again once this has passed.",
            dropped[0].start,
        )
    lately = [each for each in quarantine if each.last_at > now - LATELY]
    if lately:
        reasons = ", ".join(each.reason for each in lately)
        yield Finding(
            "unusable",
            f"messages came in that cannot be used ({reasons})",
            "The last of each kind is kept in the quarantine below. All others are not concerned.",
        )


def _well(status: IngestStatus | None, reports: Sequence[SourceReport]) -> str:
    """What can be said where nothing is wrong."""
    if reports and all(report.finished for report in reports):
        return "All that the source has was read."
    if status is None or status.last_event_at is None:
        return "The source is connected; no event has come yet."
    return "Events come in and become part of journeys as they happen."
