"""`journeymap backfill`: a period again from the platform's records."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from journeymap.cli.options import Length, settings_from, settings_options
from journeymap.runtime.logs import start_logging

if TYPE_CHECKING:
    from journeymap.protocol.backfill.slices import Period
    from journeymap.settings import Settings

EXAMPLES = """\b
Examples:
  journeymap backfill --last 2h
  journeymap backfill --from 2026-11-24T08:00 --to 2026-11-24T18:00
  journeymap backfill --from 2026-06-01 --to 2026-07-01 --jobs   far back, by the platform's jobs
  journeymap backfill --last 24h --dry-run                       what would come, and how long it takes
"""


@click.command(epilog=EXAMPLES)
@click.option(
    "--from", "from_", metavar="TIME", help="From this time on; ISO 8601 (UTC unless it says), or ms since 1970."
)
@click.option("--to", metavar="TIME", help="Up to this time. [default: now]")
@click.option("--last", type=Length(), metavar="TIME", help="So much up to now, such as 90m, 24h or 7d.")
@click.option("--jobs", is_flag=True, help="By jobs of the platform instead of queries, as far as these reach.")
@click.option("--dry-run", is_flag=True, help="Ask the platform and count; write nothing.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary.")
@settings_options("source", "store")
def backfill(
    from_: str | None, to: str | None, last: float | None, jobs: bool, dry_run: bool, quiet: bool, **given: Any
) -> None:
    """Fetch a period again from the platform's records and merge it with what is stored.

    For the sources notifications and eventbridge, whose platform keeps records of all conversations. Gaps are filled by
    themselves while ingest runs (BACKFILL=auto): this is for more, such as the months before the first start. What is known
    already is recognised, so a period may be fetched as often as you like, and what differs is corrected.

    While ingest runs over the same store, it is ingest that does the work: this leaves it a command and shows how far it is;
    Ctrl-C ends the showing, not the work. Without ingest this writes to the store itself. It needs CLIENT_ID, CLIENT_SECRET
    and REGION as ingest does, and the permission analytics:conversationDetail:view. About 24,000 conversations a minute come
    within the platform's usual limit on requests.
    """
    settings = settings_from(given)
    period = _period(from_, to, last, jobs)
    start_logging(settings)
    from journeymap.bootstrap.backfilling import ingest_runs

    holder = None if dry_run else ingest_runs(settings)
    if holder is None:
        _by_itself(settings, period, dry_run=dry_run, quiet=quiet)
    else:
        _through_ingest(settings, period, holder, quiet=quiet)


def _period(from_: str | None, to: str | None, last: float | None, jobs: bool) -> Period:
    from journeymap.errors import InputError
    from journeymap.protocol.backfill.slices import Period
    from journeymap.runtime.clock import SystemClock
    from journeymap.view.labels import parse_moment

    now = SystemClock().now()
    if last is not None:
        if from_ or to:
            raise click.UsageError("--last says all about the time: leave --from and --to out")
        start, end = now - round(last * 1000), now
    elif from_ is None:
        raise click.UsageError("--from TIME or --last TIME must be given")
    else:
        start = parse_moment(from_, "--from")
        end = now if to is None else parse_moment(to, "--to")
    if end > now:
        raise InputError("--to lies in the future: records tell only of what has happened")
    if start >= end:
        raise InputError("--from must lie before --to")
    return Period(start, end, open_too=True, jobs=jobs)


def _by_itself(settings: Settings, period: Period, *, dry_run: bool, quiet: bool) -> None:
    from journeymap.bootstrap.backfilling import refetch
    from journeymap.cli.progress import counted, with_share

    began = time.monotonic()
    with with_share("Fetching", quiet=quiet) as tell:
        found = refetch(settings, period, tell, dry_run=dry_run)
    if quiet:
        return
    conversations = counted(found.conversations, "conversation")
    if dry_run:
        events = f"{counted(found.events, 'event')} in them, nothing written"
    else:
        events = f"{counted(found.new, 'new event')}, {found.known:,} known already"
    waited = f" ({found.waited / 1000:.0f} s of it waiting for the limit on requests)" if found.waited >= 1000 else ""
    click.echo(
        f"{conversations}: {events}; {found.passed:,} records without news, {counted(found.requests, 'request')},"
        f" in {time.monotonic() - began:.1f} s{waited}",
        err=True,
    )
    if found.gaps:
        click.echo(f"{counted(found.gaps, 'gap')} closed", err=True)
    _say_doubts(found.sure, found.notes)


def _through_ingest(settings: Settings, period: Period, holder: str, *, quiet: bool) -> None:
    from journeymap.bootstrap.backfilling import LOOK_EVERY, is_refused, leave_to_ingest
    from journeymap.cli.progress import counted, with_share
    from journeymap.errors import SourceError

    began = time.monotonic()
    with leave_to_ingest(settings, period) as look, with_share("Fetching", quiet=quiet) as tell:
        if not quiet:
            click.echo(f"Ingest is running ({holder}) and fetches it; Ctrl-C ends the showing, not the work", err=True)
        try:
            said = None
            while not (fill := look()).over:
                tell(fill.share, fill.conversations, fill.requests)
                if is_refused(fill):
                    raise SourceError(f"{fill.problem} (ingest goes on with it once you press “Try again” on its page)")
                if fill.problem is not None and fill.problem != said:
                    said = fill.problem
                    click.echo(f"journeymap: {said}; ingest tries again", err=True)
                time.sleep(LOOK_EVERY)
        except KeyboardInterrupt:
            click.echo("Ingest goes on with it; its log says how it ends", err=True)
            raise
    if not quiet:
        conversations, requests = counted(fill.conversations, "conversation"), counted(fill.requests, "request")
        took = time.monotonic() - began
        click.echo(f"{conversations} with news, {fill.passed:,} without, {requests}, in {took:.1f} s", err=True)
        _say_doubts(fill.sure, fill.notes)


def _say_doubts(sure: bool, notes: tuple[str, ...] | list[str]) -> None:
    if not sure:
        click.echo(
            "Nothing newer than the end of the period was in the records: its last minutes may be missing still",
            err=True,
        )
    for note in notes:
        click.echo(note[:1].upper() + note[1:], err=True)
