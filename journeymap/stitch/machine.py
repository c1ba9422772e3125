"""The state machine of one interaction, as a table (docs/stitching.md, section 4).

Every pair of a stream's event type and a state has its row in `TRANSITIONS`; a pair without one cannot occur. What a platform
tells of several sessions at once has its rows in `LEGS`, the same in every state, and `SHOWN` says what they come to together.
`step` takes one event in order; `fold` takes all of them. Hand-overs are not seen here: they change neither which rows apply nor
which transfers there are, only where a transfer segment ends, so `handover` puts them on top.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from journeymap.model.event import (
    ACD_ANSWERED,
    ACD_END,
    ACD_START,
    ACW,
    AFTERWARDS,
    CREATED,
    CUSTOMER_END,
    CUSTOMER_START,
    DISPOSED,
    ENDED,
    FLOW_END,
    FLOW_START,
    HOLD_END,
    HOLD_START,
    STARTED,
    TRANSFERRED,
    USER_ANSWER,
    USER_END,
    USER_MISSED,
    USER_START,
    USER_TRANSFERRED,
    VOICEMAIL_END,
    VOICEMAIL_START,
    Event,
    OrderKey,
    order_key,
)
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


NEW: Final = "new"
OVER: Final = "over"
"""What a leg is spent on before it is there, and for good after it."""


class Leg(msgspec.Struct, frozen=True, gc=False):
    """What an event of a media session does to its leg: the part that this session has in the conversation.

    `to` is what the leg is spent on from now, where it was spent on one of `of`; otherwise it stays as it is. `answers`: an agent
    took the customer, so the agent's own leg is spent on talking. `transfers`: the agent hands the customer on, which is a
    transfer segment unless somebody else has the customer already.
    """

    to: str
    of: frozenset[str]
    answers: bool = False
    transfers: bool = False


_BEGINS: Final = frozenset({NEW})
_GOES_ON: Final = frozenset({NEW, *Kind})

LEGS: Final[dict[str, Leg]] = {
    CUSTOMER_START: Leg(Kind.WAIT, _BEGINS),
    FLOW_START: Leg(Kind.IVR, _BEGINS),
    FLOW_END: Leg(OVER, _GOES_ON),
    VOICEMAIL_START: Leg(Kind.IVR, _BEGINS),
    VOICEMAIL_END: Leg(OVER, _GOES_ON),
    ACD_START: Leg(Kind.QUEUE, _BEGINS),
    ACD_END: Leg(OVER, _GOES_ON),
    ACD_ANSWERED: Leg(OVER, _GOES_ON, answers=True),
    USER_START: Leg(Kind.ALERT, _BEGINS),
    USER_ANSWER: Leg(Kind.INTERACT, frozenset({NEW, Kind.ALERT})),
    HOLD_START: Leg(Kind.HOLD, frozenset({NEW, Kind.ALERT, Kind.INTERACT})),
    HOLD_END: Leg(Kind.INTERACT, frozenset({Kind.HOLD})),
    USER_MISSED: Leg(OVER, _GOES_ON),
    USER_TRANSFERRED: Leg(Kind.WRAPUP, _GOES_ON, transfers=True),
    USER_END: Leg(Kind.WRAPUP, _GOES_ON),
    ACW: Leg(OVER, _GOES_ON),
    CUSTOMER_END: Leg(OVER, _GOES_ON),
}
"""Event type to what happens to its leg, in whatever state the interaction is."""

TRANSFERS: Final = frozenset({TRANSFERRED, *(name for name, leg in LEGS.items() if leg.transfers)})
"""Types by which an interaction is handed on."""

SHOWN: Final = {
    Kind.INTERACT: State.ACTIVE,
    Kind.HOLD: State.ACTIVE,
    Kind.ALERT: State.INITIATED,
    Kind.QUEUE: State.INITIATED,
    Kind.IVR: State.INITIATED,
    Kind.WRAPUP: State.WRAPUP,
}
"""What an interaction is spent on and its state: the first of these kinds that one of its legs is spent on."""

_ON_THE_WAY: Final = (State.INITIATED, State.TRANSFERRING)
"""In these states, somebody's wrap-up is of an earlier part, and the customer is who counts."""

ARRIVES: Final = frozenset({CUSTOMER_START, FLOW_START, VOICEMAIL_START, ACD_START, USER_START, USER_ANSWER})
"""Types by which a transfer has found its way inside its own interaction."""


class Handing(msgspec.Struct, gc=False):
    """One transfer of an interaction. `superseded_at` is the time of the interaction's next start or transfer, `left_at`
    that of the event that took it out of TRANSFERRING; None while there is none."""

    key: OrderKey
    at: Millis
    superseded_at: Millis | None = None
    left_at: Millis | None = None


class Fold(msgspec.Struct, gc=False):
    """An interaction as far as its events have been folded. `segments` are the closed ones; `open_kind` and `open_since`
    are the open one. `started_at` is that of the first known event (inferred starts included), else of the first. `legs` are
    what a platform's sessions are spent on, `agents` whose they are; with `left` the customer is gone."""

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
    legs: dict[str, str] = {}
    agents: dict[str, str] = {}
    left: bool = False

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
    if event.type in AFTERWARDS:
        fold.queue = fold.queue or event.queue
        fold.agent = fold.agent or event.agent
    else:
        fold.queue = event.queue or fold.queue
        fold.agent = event.agent or fold.agent
    at = event.timestamp
    leg = LEGS.get(event.type)
    move = TRANSITIONS.get((event.type, fold.state))
    if move is None and leg is None:  # an unknown type: activity, but no change of state
        if fold.started_at is None:
            fold.started_at = at
        return
    if fold.state is BEFORE:
        _begin(fold, event)
    if leg is not None:
        _step_leg(fold, event, leg)
    elif move is not None:
        _step(fold, event, move)


def _begin(fold: Fold, event: Event) -> None:
    """The first event of a known type."""
    fold.started_at = event.timestamp
    if event.duration is not None and event.type in (ENDED, DISPOSED, CUSTOMER_END):
        # The stream was joined in the middle of a conversation: its end says how long it had lasted.
        fold.started_at = event.timestamp - event.duration
        fold.open_kind, fold.open_since = Kind.INTERACT, fold.started_at


def _step(fold: Fold, event: Event, move: Move) -> None:
    """An event of a stream."""
    at = event.timestamp
    if event.type in (STARTED, TRANSFERRED):
        _supersede(fold, at)
    if move.opens is not None or move.closes:
        _open(fold, move.opens, at)
    if move.reopens:
        fold.ended_at = fold.closed_at = None
    if move.ends or (move.closes_it and fold.ended_at is None):
        fold.ended_at = at
    if move.closes_it:
        fold.closed_at = at
        fold.legs.clear()
    if move.transfers:
        fold.handings += (Handing(order_key(event), at),)
    fold.state = move.to


def _open(fold: Fold, kind: Kind | None, at: Millis) -> None:
    """End the open segment, and begin one of this kind if there is one."""
    if fold.state is State.TRANSFERRING:
        fold.handings[-1].left_at = at
    if fold.open_kind is not None and fold.open_since < at:
        fold.segments.append(Segment(fold.open_kind, fold.open_since, at))
    fold.open_kind, fold.open_since = kind, at


def _supersede(fold: Fold, at: Millis) -> None:
    """The interaction goes on by itself: its last transfer awaits nobody any more."""
    if fold.handings and fold.handings[-1].superseded_at is None:
        fold.handings[-1].superseded_at = at


def _step_leg(fold: Fold, event: Event, row: Leg) -> None:
    """An event of a session: it moves its leg, and the interaction shows what all legs come to."""
    at = event.timestamp
    _move(fold, event, row)
    if event.type in ARRIVES:
        _supersede(fold, at)
    if event.type == CUSTOMER_START:
        fold.left = False
    if event.type == CUSTOMER_END and Kind.WAIT not in fold.legs.values():
        _leave(fold, at)
    present = set(fold.legs.values())
    shown = next((kind for kind in SHOWN if kind in present), None)
    if row.transfers and not fold.left:
        _hand_on(fold, event, shown)
    elif shown is not None and (shown is not Kind.WRAPUP or fold.left or fold.state not in _ON_THE_WAY):
        _show(fold, shown, at)
    elif shown is None and (fold.left or (event.type == ACW and fold.state is BEFORE)):
        _close(fold, at)
    elif fold.state is BEFORE:
        fold.state = State.INITIATED
        if event.type == CUSTOMER_START:
            _open(fold, Kind.WAIT, at)


def _move(fold: Fold, event: Event, row: Leg) -> None:
    """Move the legs as an event's row says."""
    name = event.leg or event.agent or ""
    if event.agent is not None and name != event.agent:
        fold.legs.pop(event.agent, None)
    if fold.legs.get(name, NEW) in row.of:
        fold.legs[name] = row.to
        if event.agent is not None:
            fold.agents[name] = event.agent
    if row.answers:
        ringing = [
            leg
            for leg, kind in fold.legs.items()
            if kind == Kind.ALERT and event.agent in (None, fold.agents.get(leg, event.agent))
        ]
        # Where nothing was heard of the agent's session, its leg goes by the agent's name until something is.
        for leg in ringing or ([] if event.agent is None or _talks(fold, event.agent) else [event.agent]):
            fold.legs[leg] = Kind.INTERACT


def _talks(fold: Fold, agent: str) -> bool:
    return any(fold.agents.get(leg) == agent and kind in (Kind.INTERACT, Kind.HOLD) for leg, kind in fold.legs.items())


def _leave(fold: Fold, at: Millis) -> None:
    """The customer is gone. Whoever talked has the paperwork left, and nothing else goes on."""
    talked = (Kind.INTERACT, Kind.HOLD, Kind.WRAPUP)
    fold.legs = {leg: Kind.WRAPUP if kind in talked else OVER for leg, kind in fold.legs.items()}
    fold.left = True
    if fold.ended_at is None:
        fold.ended_at = at
    _supersede(fold, at)


def _hand_on(fold: Fold, event: Event, shown: Kind | None) -> None:
    """An agent hands the customer on."""
    at = event.timestamp
    _supersede(fold, at)
    if shown is None or shown is Kind.WRAPUP:
        _open(fold, Kind.TRANSFER, at)
        fold.state = State.TRANSFERRING
        fold.handings += (Handing(order_key(event), at),)
    else:  # to somebody who has the customer already
        _show(fold, shown, at)
        fold.handings += (Handing(order_key(event), at, superseded_at=at, left_at=at),)


def _show(fold: Fold, kind: Kind, at: Millis) -> None:
    """Be spent on this kind; what is no wrap-up is a conversation that goes on, or goes on again."""
    if fold.open_kind is not kind:
        _open(fold, kind, at)
    fold.state = SHOWN[kind]
    fold.closed_at = None
    if kind is not Kind.WRAPUP:
        fold.ended_at = None
    elif fold.left and fold.ended_at is None:
        fold.ended_at = at


def _close(fold: Fold, at: Millis) -> None:
    """Nobody has anything left to do."""
    if fold.state is State.CLOSED:
        return
    _open(fold, None, at)
    fold.state = State.CLOSED
    fold.closed_at = at
    if fold.ended_at is None:
        fold.ended_at = at


def fold(events: Iterable[Event]) -> Fold:
    """All events of one interaction, in order."""
    result = Fold()
    for event in events:
        step(result, event)
    return result
