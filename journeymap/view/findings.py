"""What is wrong on the way from the source to the page, and what to do: one wording for the page and for `/readyz`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from journeymap.model.names import KIND_WORDS
from journeymap.model.status import IngestStatus, SourceReport
from journeymap.model.time import MINUTE, SECOND, Millis
from journeymap.view.labels import duration

NOT_OPEN_FOR: Final[Millis] = MINUTE
"""A connection that is not OPEN for longer than this makes the process unready."""

BEHIND: Final[Millis] = 5 * SECOND
"""A greater lag of folding behind arrival is worth a word."""

FAR_BEHIND: Final[Millis] = 30 * SECOND
"""With a greater lag than this the process is unready."""

SILENT_FOR: Final[Millis] = 5 * MINUTE
"""So long a connection may be OPEN without a frame."""

TOKEN_LEFT: Final[Millis] = 150 * SECOND
TOKEN_SHARE: Final = 12
"""With less than this left of a token's life, or one part in so many of a short one, its renewal has failed: it begins at
twice of that."""

OPEN: Final = "OPEN"
START_IT: Final = "Start it with “journeymap run” or “journeymap ingest”. If it was started, its log says why it ended."
OUTDATED: Final = "Until then they are right for what they were made with."
READ_AGAIN: Final = "What is shown is as of then. It is tried again all the time."
RECONNECTS: Final = (
    "It tries again by itself. If this lasts, “journeymap doctor” checks the way to the platform step by step."
)
SILENT: Final = "Start ingest again for a new subscription, and tell the platform's support the id of this one."
TOKEN: Final = "The connection ends with it. See whether LOGIN_URL can be reached; the log names the reason."
NOT_FETCHED: Final = "Gaps stay open. Put it right on the platform's side, then press “Try again”."
FETCHED_LATER: Final = (
    "Gaps stay open until then. It is tried again by itself, and at once when you press “Try again”."
    " New events come in all the same."
)
CREDENTIALS: Final = (
    "No further attempt is made. Correct JOURNEYMAP_CLIENT_ID and JOURNEYMAP_CLIENT_SECRET and start ingest again, or "
    "press “Try again” once the platform's side is put right."
)

QUEUE: Final = (
    "No further attempt is made to read the queue. Do as it says and press “Try again”; “journeymap doctor” checks the"
    " rest."
)
BROUGHT: Final = "eventbridge"
"""The source whose refusals are those of a queue, not of a platform's credentials."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong: `sentence` says what, `remedy` what to do, `since` when it began, where that is known.

    `code` is a stable name of its kind. `unready` says that the process cannot do its work.
    """

    code: str
    sentence: str
    remedy: str
    since: Millis | None = None
    unready: bool = False

    def text(self, now: Millis) -> str:
        """The sentence with how long it has been so."""
        return self.sentence if self.since is None else f"{self.sentence}, for {duration(now - self.since)}"


def findings(
    status: IngestStatus | None, problem: str | None, now: Millis, problem_since: Millis | None = None
) -> list[Finding]:
    """All that is wrong at `now`, what stops the process first.

    `problem` keeps the store from being read or written, `problem_since` says since when, where that is known.
    """
    found = list(_findings(status, problem, now, problem_since))
    return [each for each in found if each.unready] + [each for each in found if not each.unready]


def _findings(
    status: IngestStatus | None, problem: str | None, now: Millis, problem_since: Millis | None
) -> Iterator[Finding]:
    if problem:
        yield Finding("store", problem, READ_AGAIN, problem_since, unready=True)
        if status is None or status.is_stale(now):
            return  # whether ingest runs is not known
    if status is None:
        yield Finding("stopped", "ingest is not running: it never wrote a status to this store", START_IT, unready=True)
        return
    if status.is_stale(now):
        yield Finding("stopped", "ingest is not running", START_IT, status.written_at, unready=True)
        return
    reports = reports_of(status)
    for report in reports:
        if status.reading_stopped and report.error == status.reading_stopped:
            continue  # said below
        yield from _connection(report, report.name if len(reports) > 1 else "", now)
    if status.reading_stopped:
        yield Finding(
            "reading",
            f"reading is stopped: {status.reading_stopped}",
            "Make room on the disk of the store, or choose another STORE; reading goes on by itself.",
            unready=True,
        )
    if status.lag_ms > BEHIND:
        yield Finding(
            "behind",
            f"events are folded {duration(status.lag_ms)} after they arrived",
            "Nothing is lost, and it catches up by itself. If it lasts, the machine or its disk is too slow.",
            unready=status.lag_ms > FAR_BEHIND,
        )
    if status.journal_damaged_bytes:
        yield Finding(
            "damaged",
            f"{status.journal_damaged_bytes:,} bytes of the journal are damaged and were left out",
            "Check the disk. What was committed to the store before is not concerned.",
        )
    yield from _names(status)
    if status.backfill is not None and status.backfill.problem:
        yield Finding(
            "backfill",
            f"what was missed is not fetched from the platform's records: {status.backfill.problem}",
            NOT_FETCHED if status.backfill.refused else FETCHED_LATER,
        )
    if status.stitching_outdated:
        yield Finding("outdated", status.stitching_outdated, OUTDATED)


def _names(status: IngestStatus) -> Iterator[Finding]:
    """Which names cannot be read; all that have the same reason in one sentence."""
    for_permission = [each for each in status.names if each.missing]
    if for_permission:
        kinds = ", ".join(KIND_WORDS.get(each.kind, each.kind) for each in for_permission)
        missing = " and ".join(dict.fromkeys(each.missing for each in for_permission if each.missing))
        yield Finding(
            "names",
            f"the names of {kinds} cannot be read: the OAuth client's roles lack {missing}",
            "Ids are shown instead. Give the permission to a role of the OAuth client on the platform, then press “Try again”, "
            "or wait an hour.",
        )
    failing = [each for each in status.names if each.error and not each.missing]
    if failing:
        kinds = ", ".join(KIND_WORDS.get(each.kind, each.kind) for each in failing)
        yield Finding(
            "names",
            f"the names of {kinds} cannot be read: {failing[0].error}",
            "Names known from before are shown, and ids where there are none. It is tried again every few minutes.",
        )


def reports_of(status: IngestStatus) -> Sequence[SourceReport]:
    """A report for each source; one made of the status itself where an older ingest wrote no reports."""
    if status.sources:
        return status.sources
    fields = {name: getattr(status, name) for name in SourceReport.__struct_fields__ if hasattr(status, name)}
    return [SourceReport(name=status.source, **fields)]


def _connection(report: SourceReport, name: str, now: Millis) -> Iterator[Finding]:
    which = f"the source {name}" if name else "the source"
    if report.refused:
        reason = report.error or "no reason given"
        who = (
            "the queue of EventBridge's events is not read" if report.name == BROUGHT else "the platform refuses access"
        )
        to = f" to {which}" if name and report.name != BROUGHT else ""
        remedy = QUEUE if report.name == BROUGHT else CREDENTIALS
        yield Finding("refused", f"{who}{to}: {reason}", remedy, report.since, unready=True)
    elif report.finished and report.error:
        yield Finding("input", f"{which} ended with an error: {report.error}", "", report.since)
    elif not report.finished and report.state != OPEN:
        reason = f": {report.error}" if report.error else ""
        since = report.since if report.down_since is None else report.down_since
        lasts = now - since > NOT_OPEN_FOR
        yield Finding(
            "connection", f"{which} is not connected ({report.state}){reason}", RECONNECTS, since, unready=lasts
        )
    elif not report.finished and report.live:
        yield from _stream(report, which, now)


def _stream(report: SourceReport, which: str, now: Millis) -> Iterator[Finding]:
    """What is wrong with a source that is OPEN."""
    heard_at = None if report.last_frame_at is None else max(report.since, report.last_frame_at)
    if heard_at is not None and now - heard_at > SILENT_FOR:
        yield Finding(
            "silent", f"{which} is connected, but neither events nor heartbeats come", SILENT, heard_at, unready=True
        )
    if report.token_expires_at is not None:
        left = report.token_expires_at - now
        life = None if report.token_obtained_at is None else report.token_expires_at - report.token_obtained_at
        if left < (TOKEN_LEFT if life is None else min(TOKEN_LEFT, life // TOKEN_SHARE)):
            runs = f"expires in {duration(left)}" if left > 0 else "has expired"
            yield Finding("token", f"the access token of {which} {runs} and could not be renewed", TOKEN, unready=True)
