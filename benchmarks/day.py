"""A day of events through the whole ingest side, as fast as it goes: `python -m benchmarks.day --hours 24 --rate 50`.

The parts are the real ones, put together as in the product: `Ingest` with its threads, journal, pipeline, store on disk. Only
two are not: the clock tells the time of the story, and the source plays the simulated platform's story on that clock, an event
a frame, waiting at every step until ingest has caught up. Retention and the journal's bound are short enough to be applied.

Memory follows the load, and the load follows the time of day; what the peak of a day took, the allocator keeps; and journeys grow
longer until the first customers' engagement windows have passed. So a whole day comes first as the warm-up, and memory and
the number of objects are compared between its end and the same time of day 24 hours later. Ends with 1 where they, descriptors or
threads have grown, the retention or the journal's bound was not applied, or an event of the last hours is not in the store
exactly once.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.processes import resident
from journeymap.journal.journal import Journal
from journeymap.model.event import Event
from journeymap.model.time import DAY, HOUR, MINUTE, SECOND, Millis
from journeymap.runtime.memory import calm_collector
from journeymap.runtime.pipeline import Pipeline, PipelineOptions
from journeymap.runtime.shelf import StoreShelf, events_of
from journeymap.runtime.worker import Ingest, IngestOptions
from journeymap.simulator.story import Story
from journeymap.source.base import ConnectionState, Deliver, SourceStatus
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.stitch.stitcher import Stitcher
from journeymap.store.base import Query
from journeymap.store.disk import DiskStore, open_disk_store

BEGIN: Millis = 1_790_035_200_000
"""Midnight, UTC, of the day that is played."""

STITCHING = StitchOptions(Timeouts(5 * MINUTE, 30 * MINUTE), DAY)
SEGMENT = 8 << 20
PATIENCE = 120.0
IN_USE = 8
"""So many descriptors more may just be open: a segment that is being synced, packed or read."""

OPEN = SourceStatus(ConnectionState.OPEN)


class Course(NamedTuple):
    """What is played: times in milliseconds, `rate` in events a second, `journal` in bytes.

    Memory is looked at from `warm_up` after the beginning on, and it and the objects may grow by the share `growth`. `step` is
    how far the story goes on before ingest has to have caught up.
    """

    length: Millis = DAY
    warm_up: Millis = DAY
    rate: float = 50.0
    retention: Millis = 2 * HOUR
    evict_interval: Millis = MINUTE
    journal: int = 64 << 20
    growth: float = 0.05
    step: Millis = 5 * SECOND
    seed: int = 1

    @property
    def end(self) -> Millis:
        """When it is over."""
        return BEGIN + self.warm_up + self.length


class Sample(NamedTuple):
    """How the process stands at a moment of the story. Memory is resident and anonymous, in bytes."""

    at: Millis
    memory: int
    descriptors: int
    threads: int
    objects: int
    events: int
    hot: int
    stored: int
    evicted: int
    store: int
    journal: int
    seconds: float


class Played(NamedTuple):
    """What came of it. `wrong` says in sentences what should not be."""

    samples: list[Sample]
    events: int
    wrong: list[str]


class StoryClock:
    """Tells the time of the story."""

    def __init__(self, now: Millis) -> None:
        self.at = now

    def now(self) -> Millis:
        return self.at


class StorySource:
    """Plays the story on its clock. `settled` waits until ingest has taken in what was delivered, `look` sees each step."""

    name = "story"
    live = True

    def __init__(
        self, course: Course, clock: StoryClock, settled: Callable[[], None], look: Callable[[Millis], None]
    ) -> None:
        self._course = course
        self._clock = clock
        self._settled = settled
        self._look = look
        self._stopping = False
        self._received = 0
        self.finished = threading.Event()

    def run(self, deliver: Deliver) -> None:
        story = Story(self._course.seed, self._course.rate)
        encode = msgspec.json.encode
        for start in range(BEGIN, self._course.end, self._course.step):
            for told_at, event in story.events(start, start + self._course.step):
                self._clock.at = told_at
                deliver(encode(event), told_at)
                self._received += 1
            # One millisecond before the next point of the grid on which ingest flushes, so that it need not wait for it.
            self._clock.at = start + self._course.step - 1
            if self._stopping:
                return
            self._settled()
            self._look(start + self._course.step)
        self.finished.set()

    def stop(self) -> None:
        self._stopping = True

    def retry(self) -> None:
        """There is nothing to try."""

    def hold(self, reason: str) -> None:
        raise RuntimeError(f"the disk of the benchmark is too small: {reason}")

    def release(self) -> None:
        """It is never held."""

    def status(self) -> SourceStatus:
        return msgspec.structs.replace(OPEN, since=BEGIN, received=self._received)


@contextlib.contextmanager
def ingesting(
    course: Course, folder: Path, source_for: Callable[[Pipeline, Journal, DiskStore, StoryClock], StorySource]
) -> Iterator[tuple[Ingest, Pipeline, DiskStore, StorySource, StoryClock]]:
    """Ingest at work on the story."""
    clock = StoryClock(BEGIN)
    store = open_disk_store(folder, source="story", environment="dev", now=BEGIN, folded_with=STITCHING.fingerprint)
    with contextlib.closing(store):
        shelf = StoreShelf(store)
        keeping = PipelineOptions(retention=course.retention, evict_interval=course.evict_interval)
        pipeline = Pipeline(store, lambda: Stitcher(STITCHING, shelf, shelf.identity_events()), keeping)
        with contextlib.closing(Journal.open(folder / "journal", segment_bytes=SEGMENT)) as journal:
            source = source_for(pipeline, journal, store, clock)
            # A tenth of the usual interval, since the story runs much faster than time.
            options = IngestOptions(journal_max_bytes=course.journal, fsync_interval=SECOND // 10)
            ingest = Ingest(store, journal, [source], pipeline, clock, options)
            ingest.start()
            calm_collector()
            try:
                yield ingest, pipeline, store, source, clock
            finally:
                ingest.stop()
                if ingest.failure is not None:
                    raise ingest.failure


def play(course: Course, folder: Path, say: Callable[[Sample], None], every: Millis = HOUR) -> Played:
    """Play the course into a new store in `folder`; `say` hears of a sample `every` so often."""
    samples: list[Sample] = []
    began = time.monotonic()
    most_journal = 0

    def source_for(pipeline: Pipeline, journal: Journal, store: DiskStore, clock: StoryClock) -> StorySource:
        def settled() -> None:
            deadline = time.monotonic() + PATIENCE
            while pipeline.fed_to < journal.end:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"ingest is stuck: {journal.end - pipeline.fed_to} bytes behind")
                time.sleep(0.0005)

        def look(at: Millis) -> None:
            nonlocal most_journal
            if at % MINUTE:
                return
            most_journal = max(most_journal, journal.size())
            if (at - BEGIN) % every == 0:
                samples.append(sample(at, pipeline, journal, store, time.monotonic() - began))
                say(samples[-1])

        return StorySource(course, clock, settled, look)

    with ingesting(course, folder, source_for) as (ingest, pipeline, store, source, clock):
        while not source.finished.wait(0.1):
            if ingest.failure is not None:
                raise ingest.failure
        ingest.stop()
        counts = pipeline.counts
        wrong = [*flat(samples, course), *kept(store, course, clock.now())]
        if counts.new + counts.duplicate + counts.conflicting + counts.expired != counts.events:
            wrong.append(f"the counts do not add up: {counts}")
        # It is applied now and then, by whole segments, and the newest are not packed yet.
        if most_journal > course.journal + 4 * SEGMENT:
            wrong.append(f"the journal's bound was not applied: it took up {most_journal:,} bytes")
    return Played(samples, counts.events, wrong)


def sample(at: Millis, pipeline: Pipeline, journal: Journal, store: DiskStore, seconds: float) -> Sample:
    """How it stands now."""
    return Sample(
        at,
        resident(),
        sum(1 for _ in Path("/proc/self/fd").iterdir()),
        threading.active_count(),
        sys.getallocatedblocks(),
        pipeline.counts.events,
        pipeline.hot_journeys,
        store.count(),
        pipeline.counts.evicted,
        store.size(),
        journal.size(),
        seconds,
    )


def flat(samples: list[Sample], course: Course) -> list[str]:
    """What has grown from the end of the warm-up to the end that should not."""
    before = next(one for one in samples if one.at >= BEGIN + course.warm_up)
    after = samples[-1]
    wrong = []
    if after.memory > before.memory * (1 + course.growth):
        wrong.append(f"memory has grown from {before.memory / 1e6:.1f} to {after.memory / 1e6:.1f} MB")
    if after.objects > before.objects * (1 + course.growth):
        wrong.append(f"objects have grown from {before.objects:,} to {after.objects:,}")
    wrong += [
        f"{name} have grown from {was} to {now}"
        for name, was, now in (
            ("descriptors", before.descriptors + IN_USE, after.descriptors),
            ("threads", before.threads, after.threads),
        )
        if now > was
    ]
    return wrong


def kept(store: DiskStore, course: Course, now: Millis) -> list[str]:
    """What the store should not hold, or should and does not: events within the retention exactly once, and no journey that
    closed before it."""
    horizon = now - course.retention
    told = {
        event["eventId"]
        for _, event in Story(course.seed, course.rate).events(max(BEGIN, horizon), course.end)
        if event["timestamp"] >= horizon
    }
    held: list[Event] = []
    overdue = 0
    after = None
    while rows := store.query(Query(after=after, limit=1_000)):
        for record in store.find_many([row.journey_id for row in rows]).values():
            held += events_of(record, store)
            overdue += max(record.last_event_at + course.evict_interval, record.closed_from) < horizon - MINUTE
        after = (rows[-1].last_event_at, rows[-1].journey_id)
    ids = {event.event_id for event in held}
    wrong = []
    if len(ids) != len(held):
        wrong.append(f"{len(held) - len(ids):,} events are in the store twice")
    if missing := told - ids:
        wrong.append(f"{len(missing):,} of the last {len(told):,} events are not in the store, {min(missing)} for one")
    if overdue:
        wrong.append(f"the retention was not applied: {overdue:,} journeys are past it")
    return wrong


HEAD = "hour      events  a second   memory  objects  fds  threads  in memory   stored    evicted    store  journal"


def spelled(now: Sample, before: Sample | None) -> str:
    """A sample as a line under `HEAD`; `before` is the one before it, for the speed."""
    events = now.events - (before.events if before else 0)
    seconds = now.seconds - (before.seconds if before else 0)
    return (
        f"{(now.at - BEGIN) / HOUR:4.1f} {now.events:11,} {events / seconds:9,.0f} {now.memory / 1e6:5.0f} MB"
        f" {now.objects / 1e6:6.2f}M {now.descriptors:4} {now.threads:8} {now.hot:10,} {now.stored:8,} {now.evicted:10,}"
        f" {now.store / 1e6:5.0f} MB {now.journal / 1e6:5.0f} MB"
    )


def main() -> int:
    """Play a day and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.day", description=__doc__)
    parser.add_argument(
        "--hours", type=float, default=24, help="how long after the warm-up; memory compares best after 24"
    )
    parser.add_argument("--warm-up", type=float, default=24, help="hours before memory is looked at [24]")
    parser.add_argument("--rate", type=float, default=50, help="mean events a second [50]")
    parser.add_argument("--retention", type=float, default=2, help="hours [2]")
    parser.add_argument("--seed", type=int, default=1, help="of the story [1]")
    given = parser.parse_args()
    course = Course(
        round(given.hours * HOUR),
        round(given.warm_up * HOUR),
        given.rate,
        round(given.retention * HOUR),
        seed=given.seed,
    )
    before: list[Sample] = []

    def say(now: Sample) -> None:
        print(spelled(now, before[-1] if before else None), flush=True)
        before.append(now)

    print(HEAD)
    with tempfile.TemporaryDirectory(prefix="journeymap-day-") as folder:
        played = play(course, Path(folder), say)
    for sentence in played.wrong:
        print(f"WRONG: {sentence}")
    first = next((one for one in played.samples if one.at >= BEGIN + course.warm_up), played.samples[-1])
    last = played.samples[-1]
    print(
        f"{played.events:,} events in {last.seconds:.0f} s; memory {first.memory / 1e6:.1f} MB after the warm-up,"
        f" {last.memory / 1e6:.1f} MB at the end; {last.evicted:,} journeys evicted"
    )
    return int(bool(played.wrong))


if __name__ == "__main__":
    sys.exit(main())
