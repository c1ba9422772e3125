"""What work on a whole store (a rebuild, a backup, a restore) needs to know, and how it tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from journeymap.runtime.pipeline import Pipeline
from journeymap.stitch.options import StitchOptions
from journeymap.store.base import Store


class Progress(msgspec.Struct, frozen=True):
    """A step of the work: `what` is done in it, and `done` of `total` so far, counted in `unit`; `total` is None where it is
    not known."""

    what: str
    done: int = 0
    total: int | None = None
    unit: str = "bytes"


Tell = Callable[[Progress], None]
"""Hears of progress, many times a second; to raise from it stops the work."""


class StoreWork(msgspec.Struct, frozen=True):
    """Work on the store in the directory `path`.

    `make_pipeline` makes one that folds with `options` into the store that it is given. `reserve` bytes are left free on the
    store's disk.
    """

    path: Path
    options: StitchOptions
    make_pipeline: Callable[[Store, StitchOptions], Pipeline]
    reserve: int
    tell: Tell

    def tell_bytes(self, what: str) -> Callable[[int, int], None]:
        """Tells how many bytes of a step are done, of how many."""
        return lambda done, total: self.tell(Progress(what, done, total))
