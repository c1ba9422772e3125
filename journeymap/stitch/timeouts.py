"""Time-outs, read off the clock and never stored (docs/stitching.md, sections 5 and 6).

Works on an `Interaction` and on an `InteractionRow` alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from journeymap.model.journey import State
from journeymap.model.time import Millis
from journeymap.stitch.options import Timeouts


class Folded(Protocol):
    """An interaction as folded from its events."""

    @property
    def channel(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def last_event_at(self) -> Millis: ...
    @property
    def ended_at(self) -> Millis | None: ...


class Shown(msgspec.Struct, frozen=True, gc=False):
    """An interaction at a moment: the state to show, whether it is closed by time-out, and when it ended.

    Where `timed_out`, an open segment is drawn to `last_event_at`. `since` is when a time-out made the state, None where
    none did.
    """

    state: State
    timed_out: bool
    ended_at: Millis | None
    since: Millis | None = None


def shown(interaction: Folded, now: Millis, timeouts: Timeouts) -> Shown:
    """What `interaction` reads as at `now`."""
    if interaction.state == State.CLOSED:
        return Shown(State.CLOSED, False, interaction.ended_at)
    quiet = max(0, now - interaction.last_event_at)
    if quiet >= (length := timeouts.close(interaction.channel)):
        ended_at = interaction.last_event_at if interaction.ended_at is None else interaction.ended_at
        return Shown(State.CLOSED, True, ended_at, interaction.last_event_at + length)
    if quiet >= (length := timeouts.idle(interaction.channel)):
        return Shown(State.IDLE, False, interaction.ended_at, interaction.last_event_at + length)
    return Shown(State(interaction.state), False, interaction.ended_at)


def journey_state(states: Iterable[State]) -> State:
    """The state of a journey whose interactions show `states`."""
    present = set(states)
    if State.TRANSFERRING in present:
        return State.TRANSFERRING
    if State.ACTIVE in present or State.WRAPUP in present:
        return State.ACTIVE
    if State.INITIATED in present:
        return State.INITIATED
    return State.IDLE if State.IDLE in present else State.CLOSED


def next_due(interactions: Iterable[Folded], now: Millis, timeouts: Timeouts) -> Millis | None:
    """The next moment after `now` at which a time-out changes what one of `interactions` reads as; None if none will."""
    due: Millis | None = None
    for interaction in interactions:
        if interaction.state == State.CLOSED:
            continue
        for length in (timeouts.idle(interaction.channel), timeouts.close(interaction.channel)):
            moment = interaction.last_event_at + length
            if moment > now and (due is None or moment < due):
                due = moment
    return due


def closed_from(interactions: Sequence[Folded], timeouts: Timeouts) -> Millis:
    """The moment from which a journey of `interactions` reads CLOSED if nothing more happens."""
    return max(
        interaction.last_event_at + (0 if interaction.state == State.CLOSED else timeouts.close(interaction.channel))
        for interaction in interactions
    )
