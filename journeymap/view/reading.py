"""What the view needs to know of the clock; `stitch.reading.ClockReading` is one. The view knows no time-outs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from journeymap.model.journey import State
from journeymap.model.time import Millis


class Folded(Protocol):
    """An interaction as folded from its events: an `Interaction` or an `InteractionRow`."""

    @property
    def channel(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def last_event_at(self) -> Millis: ...
    @property
    def ended_at(self) -> Millis | None: ...


class Shown(Protocol):
    """An interaction at a moment: the state to show, whether it is closed by time-out, when it ended, and, where a time-out
    made the state, since when."""

    @property
    def state(self) -> State: ...
    @property
    def timed_out(self) -> bool: ...
    @property
    def ended_at(self) -> Millis | None: ...
    @property
    def since(self) -> Millis | None: ...


class Reading(Protocol):
    """A moment, and what things read as at that moment."""

    @property
    def now(self) -> Millis: ...

    def shown(self, interaction: Folded) -> Shown:
        """What an interaction reads as."""

    def journey(self, states: Iterable[State]) -> State:
        """The state of a journey whose interactions read as `states`."""
