"""The state machine of one interaction, as a table (docs/stitching.md, section 4).

Every pair of an event type and a state has its row in `TRANSITIONS`; a pair without one cannot occur. `step` takes one
event in order; `fold` takes all of them. Hand-overs are not seen here: they change neither which rows apply nor which
transfers there are, only where a transfer segment ends, so `handover` puts them on top.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from journeymap.model.event import CREATED, DISPOSED, ENDED, STARTED, TRANSFERRED, Event, OrderKey, order_key
from journeymap.model.journey import OTHER_CHANNEL, Kind, Segment, State
from journeymap.model.time import Millis

BEFORE: Final = None
"""The state before the first event of a known type."""


class Move(msgspec.Struct, frozen=True, gc=False):
    """What one event does in one state.

    `to` is the state afterwards. `opens` is the kind of the segment that begins at this time; with `closes`, or with a new
    one, the open segment ends. `ends` and `closes_it` set `ended_at` and `closed_at`, `reopens` clears both.
    `transfers` says that it is a transfer.
    """

    to: State | None
    opens: Kind | None = None
    closes: bool = False
    ends: bool = False
    closes_it: bool = False
    reopens: bool = False
    transfers: bool = False


_KNOWN: Final = (State.INITIATED, State.ACTIVE, State.TRANSFERRING, State.WRAPUP, State.CLOSED)
_NOT_CLOSED: Final = (BEFORE, State.INITIATED, State.ACTIVE, State.TRANSFERRING, State.WRAPUP)

_START: Final = Move(State.ACTIVE, opens=Kind.INTERACT, reopens=True)
_TRANSFER: Final = Move(State.TRANSFERRING, opens=Kind.TRANSFER, transfers=True)
_END: Final = Move(State.WRAPUP, opens=Kind.WRAPUP, ends=True)
_DISPOSE: Final = Move(State.CLOSED, closes=True, closes_it=True)

TRANSITIONS: Final[dict[tuple[str, State | None], Move]] = {
    (CREATED, BEFORE): Move(State.INITIATED, opens=Kind.WAIT),
    **{(CREATED, state): Move(state) for state in _KNOWN},
    **{(STARTED, state): _START for state in (BEFORE, *_KNOWN)},
    **{(TRANSFERRED, state): _TRANSFER for state in _NOT_CLOSED},
    (TRANSFERRED, State.CLOSED): Move(State.CLOSED),  # a closed interaction has nothing to hand over
    **{(ENDED, state): _END for state in _NOT_CLOSED},
    (ENDED, State.CLOSED): Move(State.CLOSED),
    **{(DISPOSED, state): _DISPOSE for state in (BEFORE, *_KNOWN)},
}
"""(event type, state) to what happens. Types that are not here change no state."""


class Handing(msgspec.Struct, gc=False):
    """One transfer of an interaction. `superseded_at` is the time of the interaction's next start or transfer, `left_at`
    that of the event that took it out of TRANSFERRING; None while there is none."""

    key: OrderKey
    at: Millis
    superseded_at: Millis | None = None
    left_at: Millis | None = None


class Fold(msgspec.Struct, gc=False):
    """An interaction as far as its events have been folded. `segments` are the closed ones; `open_kind` and `open_since`
    are the open one. `started_at` is that of the first known event (inferred starts included), else of the first."""

    state: State | None = BEFORE
    started_at: Millis | None = None
    ended_at: Millis | None = None
    closed_at: Millis | None = None
    channel: str | None = None
    disposition: str | None = None
    queue: str | None = None
    agent: str | None = None
    open_kind: Kind | None = None
    open_since: Millis = 0
    segments: list[Segment] = []
    handings: tuple[Handing, ...] = ()
    direction: str | None = None

    @property
    def shown_state(self) -> State:
        """The state, where an interaction of unknown event types only counts as INITIATED."""
        return State.INITIATED if self.state is None else self.state

    @property
    def shown_channel(self) -> str:
        """The channel, `other` where no event names one."""
        return self.channel or OTHER_CHANNEL


def step(fold: Fold, event: Event) -> None:
    """Take the next event, in order, into `fold`."""
    if fold.channel is None:
        fold.channel = event.channel
    if fold.direction is None:
        fold.direction = event.direction
    fold.disposition = event.disposition or fold.disposition
    fold.queue = event.queue or fold.queue
    fold.agent = event.agent or fold.agent
    move = TRANSITIONS.get((event.type, fold.state))
    if move is None:  # an unknown type: activity, but no change of state
        if fold.started_at is None:
            fold.started_at = event.timestamp
        return
    at = event.timestamp
    if fold.state is BEFORE:
        fold.started_at = at
        if event.duration is not None and event.type in (ENDED, DISPOSED):
            # The stream was joined in the middle of a conversation: its end says how long it had lasted.
            fold.started_at = at - event.duration
            fold.open_kind, fold.open_since = Kind.INTERACT, fold.started_at
    if event.type in (STARTED, TRANSFERRED) and fold.handings and fold.handings[-1].superseded_at is None:
        fold.handings[-1].superseded_at = at
    if move.opens is not None or move.closes:
        if fold.state is State.TRANSFERRING:
            fold.handings[-1].left_at = at
        if fold.open_kind is not None and fold.open_since < at:
            fold.segments.append(Segment(fold.open_kind, fold.open_since, at))
        fold.open_kind, fold.open_since = move.opens, at
    if move.reopens:
        fold.ended_at = fold.closed_at = None
    if move.ends or (move.closes_it and fold.ended_at is None):
        fold.ended_at = at
    if move.closes_it:
        fold.closed_at = at
    if move.transfers:
        fold.handings += (Handing(order_key(event), at),)
    fold.state = move.to


def fold(events: Iterable[Event]) -> Fold:
    """All events of one interaction, in order."""
    result = Fold()
    for event in events:
        step(result, event)
    return result
