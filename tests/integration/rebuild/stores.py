"""Stores to be rebuilt."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from journeymap.model.event import CREATED, ENDED, STARTED, TRANSFERRED
from journeymap.model.journey import Journey
from journeymap.model.time import DAY, HOUR, MINUTE, Millis
from journeymap.runtime.rebuilding import Rebuilt, rebuild
from journeymap.runtime.work import Progress
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.store.disk import open_disk_reader
from journeymap.testing import frame
from tests.property.soups import OPTIONS, START
from tests.stored import journeys_in, rows_in, work_on

NOW = START + 10 * HOUR


OTHERS = [
    replace(OPTIONS, engagement_window=10 * MINUTE),
    replace(OPTIONS, engagement_window=DAY),
    replace(OPTIONS, timeouts=Timeouts(5 * MINUTE, MINUTE, {}, {"pigeon": 5 * HOUR})),
]


def rebuilt(
    path: Path,
    options: StitchOptions,
    tell: Callable[[Progress], None] = lambda _: None,
    *,
    patience: float = 0,
    reserve: int = 0,
    **more: int,
) -> Rebuilt:
    return rebuild(work_on(path, options, tell, reserve=reserve, **more), patience)


def in_store(path: Path, options: StitchOptions) -> list[Journey]:
    with contextlib.closing(open_disk_reader(path)) as reader:
        found = journeys_in(reader, options)
        assert {journey.journey_id for journey in found} == rows_in(reader).keys()
        return found


def of_customers(count: int, first: int = 0, at: Millis = START) -> list[bytes]:
    """Frames of so many customers: two interactions each that a window of an hour joins and one of ten minutes does not,
    with a transfer in between that a patience of a minute ends."""
    frames = []
    for n in range(first, first + count):
        frames += [
            frame(CREATED, at + n, f"i{n}", event_id=f"a{n}", customerId=f"c{n}", channelType="voice"),
            frame(STARTED, at + n + 1, f"i{n}", event_id=f"b{n}", note="x" * (n % 300)),
            frame(TRANSFERRED, at + n + MINUTE, f"i{n}", event_id=f"c{n}"),
            frame(STARTED, at + n + 20 * MINUTE, f"k{n}", event_id=f"d{n}", customerId=f"c{n}"),
            frame(ENDED, at + n + 21 * MINUTE, f"k{n}", event_id=f"e{n}"),
        ]
    return frames
