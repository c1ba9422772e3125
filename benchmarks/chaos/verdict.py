"""Whether the store holds exactly what was delivered, and says of it what `journeymap stitch` says."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from benchmarks.processes import CHECKOUT
from journeymap.bootstrap import stitch_options
from journeymap.decode.event import decode_frame
from journeymap.journal.replay import read_journal
from journeymap.model.change import JourneyRecord
from journeymap.model.event import Event
from journeymap.runtime.shelf import events_of, fold_record
from journeymap.settings import load
from journeymap.stitch.hot import EmptyShelf
from journeymap.stitch.options import StitchOptions
from journeymap.stitch.reading import ClockReading
from journeymap.stitch.stitcher import Stitcher
from journeymap.store.base import Query, StoreReader
from journeymap.store.disk import open_disk_reader
from journeymap.view.document import document

Key = tuple[str, str]
"""What makes two copies of an event one event: its interaction and its id."""


class Verdict(NamedTuple):
    """Counts of different events, and of what is wrong with them; `wrong` says it in sentences."""

    sent: int
    acknowledged: int
    received: int
    stored: int
    missing: int
    invented: int
    doubled: int
    journeys: int
    differing: int
    rows_differing: int
    damaged: int

    @property
    def wrong(self) -> list[str]:
        """What must not be."""
        found = {
            "acknowledged events are not in the store": self.missing,
            "events are in the store that were never sent": self.invented,
            "events are in the store more than once": self.doubled,
            "journeys differ from what `journeymap stitch` makes of the journal": self.differing,
            "rows that pages show differ from their journeys": self.rows_differing,
            "bytes of the journal cannot be read": self.damaged,
        }
        return [f"{count:,} {what}" for what, count in found.items() if count]


class Evidence(NamedTuple):
    """What there is to compare: a store at rest, with the journal in it, and the platform's two logs. `environment` holds
    the settings of ingest, `as_of` is the clock (ms) at which journeys are compared."""

    store: Path
    sent: Path
    acknowledged: Path
    environment: Mapping[str, str]
    as_of: int


def judge(evidence: Evidence, stitched: Callable[[Evidence, Iterable[bytes]], Sequence[bytes]]) -> Verdict:
    """Compare them; `stitched` is what tells the journeys of the events received (`stitch`)."""
    store, as_of = evidence.store, evidence.as_of
    with _settings(evidence.environment):
        options = stitch_options(load(shipped_timeouts=False))
    replay = read_journal(store / "journal")
    journal = [event for record in replay for event in decode_frame(record.data)[0]]
    with contextlib.closing(open_disk_reader(store)) as reader:
        held = [event for record in records(reader) for event in events_of(record, reader)]
        stored = lines_of(reader, options, as_of)
        rows_differing = different_rows(reader, journal, options)
    counted = Counter(map(key_of, held))
    were_sent = set(evidence.sent.read_bytes().splitlines())
    promised = {key_of(_decoded(line)) for line in evidence.acknowledged.read_bytes().splitlines()}
    expected = stitched(evidence, (event.raw for event in journal))
    return Verdict(
        sent=len({key_of(event) for event in map(_decoded, were_sent)}),
        acknowledged=len(promised),
        received=len({key_of(event) for event in journal}),
        stored=len(counted),
        missing=len(promised - counted.keys()),
        invented=sum(event.raw not in were_sent for event in held),
        doubled=sum(count - 1 for count in counted.values()),
        journeys=len(stored),
        differing=sum(((Counter(stored) - Counter(expected)) + (Counter(expected) - Counter(stored))).values()),
        rows_differing=rows_differing,
        damaged=replay.damage.bytes,
    )


def key_of(event: Event) -> Key:
    """What it is recognised by."""
    return event.interaction_id, event.event_id


def _decoded(line: bytes) -> Event:
    return decode_frame(line)[0][0]


def records(reader: StoreReader) -> Iterator[JourneyRecord]:
    """All journeys of a store."""
    after = None
    while rows := reader.query(Query(after=after, limit=1_000)):
        yield from reader.find_many([row.journey_id for row in rows]).values()
        after = (rows[-1].last_event_at, rows[-1].journey_id)


def lines_of(reader: StoreReader, options: StitchOptions, as_of: int) -> list[bytes]:
    """The journeys of a store, spelled as `journeymap stitch` spells them."""
    reading = ClockReading(as_of, options.timeouts)
    found = []
    for record in records(reader):
        journey = fold_record(record, [event.raw for event in events_of(record, reader)], options)
        found.append(document(journey, reading))
    return found


def different_rows(reader: StoreReader, events: Sequence[Event], options: StitchOptions) -> int:
    """How many rows that a page would show are not those of these events. When the newest event arrived is left out: copies
    that came later may have told."""
    stitcher = Stitcher(options, EmptyShelf())
    stitcher.apply(events)
    expected = {row.journey_id: replace(row, arrived_at=0) for row in stitcher.take_rows(0, last=True).rows}
    shown = {row.journey_id: replace(row, arrived_at=0) for row in reader.snapshot(0, sys.maxsize).rows}
    return sum(expected.get(name) != shown.get(name) for name in expected.keys() | shown.keys())


@contextlib.contextmanager
def _settings(environment: Mapping[str, str]) -> Iterator[None]:
    """The process as if started with these variables."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def stitch(evidence: Evidence, events: Iterable[bytes]) -> list[bytes]:
    """What `journeymap stitch` makes of these events, a line a journey."""
    with tempfile.TemporaryDirectory() as scratch:
        given, out = Path(scratch, "received.jsonl"), Path(scratch, "stitched.jsonl")
        with given.open("wb") as file:
            file.writelines(event + b"\n" for event in events)
        command = [
            sys.executable,
            "-m",
            "journeymap",
            "stitch",
            "-q",
            f"{given}",
            "-o",
            f"{out}",
            "--as-of",
            f"{evidence.as_of}",
        ]
        subprocess.run(command, cwd=CHECKOUT, env={**os.environ, **evidence.environment}, check=True)
        return out.read_bytes().splitlines()
