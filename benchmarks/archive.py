"""A store with very many closed journeys in it, made quickly: some thousand are stitched, the others are copies with other ids.

All ids of a visit hold the same key of twelve digits, and journey ids have a fixed length too, so a copy is a replacement in
the encoded changes. Every record is one that the stitcher could have written, with pointers and session tokens.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.crowd import KEY, Visit, event, key_of, visits
from benchmarks.parts import OPTIONS, now, opened
from journeymap.decode.event import decode_frame
from journeymap.model.change import Changes, RowChanges
from journeymap.model.event import Event
from journeymap.model.journey import journey_id_of
from journeymap.stitch.hot import EmptyShelf
from journeymap.stitch.stitcher import Stitcher
from journeymap.store.base import Commit

ORIGINALS = 2_000
COMMITTED = 5_000
DAY = 86_400_000
OLDEST = 28 * DAY
YOUNGEST = 2 * DAY

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Changes).decode


class Original(NamedTuple):
    """A stitched visit: its beginning, its interactions, and its changes, encoded, with the key that stands for the ids."""

    visit: Visit
    began: int
    interactions: tuple[str, ...]
    changes: bytes

    def copy(self, number: int) -> Changes:
        """The same visit of another customer."""
        key = key_of(number)
        text = self.changes
        for name in self.interactions:
            text = text.replace(
                journey_id_of(name).encode(), journey_id_of(name.replace(KEY.decode(), key.decode())).encode()
            )
        return _decode(text.replace(KEY, key))


class Archive(NamedTuple):
    """What was written: customer `number` (below `size`) is a copy of original `number % len(originals)`."""

    size: int
    originals: list[Original]

    def late_event(self, number: int, serial: int) -> bytes:
        """An event that comes days late, into the middle of a stored journey."""
        original = self.originals[number % len(self.originals)]
        part = original.visit[len(original.visit) // 2]
        text = event(part, key_of(number), original.began + part.at + 1)
        return text.replace(b'"eventId":"', b'"eventId":"late-%d-' % serial, 1)


def fill(folder: Path, size: int) -> Archive:
    """Make a store in `folder` with `size` closed journeys of the last four weeks."""
    chance = random.Random(3)
    today = now()
    originals = [original(chance.choice(visits()), today - chance.randint(YOUNGEST, OLDEST)) for _ in range(ORIGINALS)]
    with opened(folder) as store:
        for first in range(0, size, COMMITTED):
            whole = Changes()
            for number in range(first, min(first + COMMITTED, size)):
                part = originals[number % ORIGINALS].copy(number)
                whole.journeys += part.journeys
                whole.tokens += part.tokens
                whole.pointers.update(part.pointers)
            store.commit(Commit(today, RowChanges(), whole, {"journal": 0}))
    return Archive(size, originals)


def original(visit: Visit, began: int) -> Original:
    """A visit, stitched."""
    stitcher = Stitcher(OPTIONS, EmptyShelf())
    stitched = [decoded(event(part, KEY, began + part.at)) for part in visit]
    stitcher.apply(stitched)
    stitcher.take_rows(began)
    names = tuple(dict.fromkeys(item.interaction_id for item in stitched))
    return Original(visit, began, names, _encode(stitcher.take_changes()))


def decoded(text: bytes) -> Event:
    """One event of ours."""
    events, _ = decode_frame(text)
    return events[0]
