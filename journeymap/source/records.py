"""The port of a platform's records: periods of the past are fetched from it, a request at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from journeymap.model.time import Millis
from journeymap.protocol.backfill.course import Outcome
from journeymap.protocol.backfill.slices import Period
from journeymap.source.base import Deliver

KnownOpen = Callable[[Millis], Sequence[str]]
"""The ids of conversations that we hold to be open at a time."""


class Fetch(Protocol):
    """A period that is being fetched."""

    @property
    def outcome(self) -> Outcome | None:
        """What came of it; None until it is done."""

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""

    @property
    def reached(self) -> Millis | None:
        """All of the period from here on has been delivered; None where that cannot be said of any of it."""

    @property
    def requests(self) -> int:
        """How many requests were made."""

    @property
    def taken(self) -> int:
        """How many records were delivered."""

    @property
    def not_before(self) -> Millis:
        """When the next step is to be taken (the clock of `Records.begin`)."""

    def step(self) -> None:
        """Make the next request and deliver what it brings, unaltered, a record a frame. Blocks as long as that takes.

        Raises what `PublicApi` raises; after that this fetch is of no use any more, and another one begins anew.
        """


class Records(Protocol):
    """The records of one platform."""

    def begin(self, period: Period, deliver: Deliver, known_open: KnownOpen) -> Fetch:
        """Begin to fetch a period. Nothing is asked yet. What was delivered before is not delivered again unless it has
        changed."""

    def abort(self) -> None:
        """End a request under way, and let all later ones fail. From any thread."""
