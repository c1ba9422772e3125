"""`journeymap record`: from the journal of an ingest that runs, or from the source itself."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from journeymap.bootstrap import kinds_of
from journeymap.bootstrap.posting import Posts
from journeymap.bootstrap.sources import make_sources
from journeymap.errors import StoreMismatchError
from journeymap.runtime.clock import SystemClock
from journeymap.settings import Settings


def record(settings: Settings, out: Path, *, kept: bool = False) -> None:
    """Append frames to a file, a line each, until the source ends or the process is told to stop: those that a running ingest
    process receives, or else those that the source delivers. With `kept`, what the journal keeps goes first."""
    from journeymap.journal.replay import end_of_journal, is_written
    from journeymap.runtime.recording import Recording, record_journal, record_sources

    terminal = sys.stderr.isatty()

    def say(text: str) -> None:
        sys.stderr.write(f"\r{text}\n" if terminal else f"{text}\n")

    def show(frames: int) -> None:
        if terminal and frames % 10 == 0:
            sys.stderr.write(f"\r{frames:,} frames")

    journal = settings.store_path / "journal"
    ours = _is_ours(settings)
    with contextlib.closing(Recording(out, show)) as recording:
        if ours and is_written(journal):
            say(f"Ingest is running: recording from its journal in {journal} to {out} (Ctrl-C stops it)")
            record_journal(recording, journal, 0 if kept else end_of_journal(journal), say, follow=True)
        else:
            if ours and kept and journal.is_dir():
                record_journal(recording, journal, 0, say, follow=False)
                say(f"{recording.frames:,} frames of the journal in {journal} recorded")
            say(f"No ingest is running over {settings.store}: recording {settings.source} to {out} (Ctrl-C stops it)")
            clock = SystemClock()
            posts = Posts(settings, clock)
            with posts.served() as address:
                if address is not None:
                    say(f"Posts are taken at {address}")
                record_sources(recording, make_sources(settings, clock, door=posts.door))
        say(f"{recording.frames:,} frames recorded")


def _is_ours(settings: Settings) -> bool:
    """Whether the store of these settings is of the source and environment that they name."""
    from journeymap.store.disk import open_disk_reader

    kinds = kinds_of(settings)
    with contextlib.closing(
        open_disk_reader(settings.store_path, source=kinds, environment=settings.environment)
    ) as reader:
        try:
            reader.positions()
        except StoreMismatchError:
            return False
    return True
