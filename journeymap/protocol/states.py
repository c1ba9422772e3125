"""The Event Streams conversation as a table (h11's way): what is done on every signal in every phase.

Pure data; `eventstreams.EventStreams` has a method for each step.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final


class Phase(enum.Enum):
    """Where the whole stands. The value is the connection state that is shown for it."""

    IDLE = "DISCONNECTED, not started"
    FETCHING = "CONNECTING, waiting for a token"
    CONNECTING = "CONNECTING, a socket is on its way to be live"
    OPEN = "OPEN"
    WAITING = "DISCONNECTED until the next attempt"
    REFUSED = "DISCONNECTED until an operator acts"
    HELD = "DISCONNECTED until released"
    STOPPED = "DISCONNECTED, ended"

    @property
    def state(self) -> str:
        """DISCONNECTED, CONNECTING or OPEN."""
        return self.value.split(",", maxsplit=1)[0].split(" ", maxsplit=1)[0]


class Signal(enum.Enum):
    """What can happen to the whole."""

    START = "start"
    TOKEN = "the awaited token came"
    TOKEN_REFUSED = "the credentials are refused"
    TOKEN_FAILED = "no token for now"
    UP = "main is subscribed"
    UNSURE = "main has to prove itself again"
    DOWN = "main is gone"
    DENIED = "main's token was not accepted"
    WAIT_OVER = "time for the next attempt"
    REFRESH_DUE = "the token is to be renewed"
    RETRY = "an operator says try again"
    HOLD = "nothing more is to be read for now"
    RELEASE = "reading may go on"
    STOP = "stop"


class Step(enum.StrEnum):
    """What is done. The value is the name of the method of `EventStreams` that does it."""

    BEGIN = "_begin"
    BEGIN_NOW = "_begin_now"
    IGNORE = "_ignore"
    STOP = "_stop"
    GOT_FIRST = "_got_first"
    REFUSE = "_refuse"
    NO_FIRST = "_no_first"
    GOT_NEXT = "_got_next"
    NO_NEXT = "_no_next"
    UP = "_up"
    DOWN = "_down"
    DENIED = "_denied"
    REFRESH = "_refresh"
    TRY_REFRESH = "_try_refresh"
    UNSURE = "_unsure"
    TRY_ANEW = "_try_anew"
    HOLD = "_hold"
    HOLD_ON = "_hold_on"
    FORGIVE_HELD = "_forgive_held"
    RELEASE = "_release"


TABLE: Final[Mapping[Phase, Mapping[Signal, Step]]] = {
    Phase.IDLE: {
        Signal.START: Step.BEGIN,
        Signal.TOKEN: Step.IGNORE,  # nothing was asked for, no socket is there, no timer runs
        Signal.TOKEN_REFUSED: Step.IGNORE,
        Signal.TOKEN_FAILED: Step.IGNORE,
        Signal.UP: Step.IGNORE,
        Signal.UNSURE: Step.IGNORE,
        Signal.DOWN: Step.IGNORE,
        Signal.DENIED: Step.IGNORE,
        Signal.WAIT_OVER: Step.IGNORE,
        Signal.REFRESH_DUE: Step.IGNORE,
        Signal.RETRY: Step.IGNORE,
        Signal.HOLD: Step.HOLD,
        Signal.RELEASE: Step.IGNORE,
        Signal.STOP: Step.STOP,
    },
    Phase.FETCHING: {
        Signal.START: Step.IGNORE,
        Signal.TOKEN: Step.GOT_FIRST,
        Signal.TOKEN_REFUSED: Step.REFUSE,
        Signal.TOKEN_FAILED: Step.NO_FIRST,
        Signal.UP: Step.IGNORE,  # there is no main
        Signal.UNSURE: Step.IGNORE,
        Signal.DOWN: Step.IGNORE,
        Signal.DENIED: Step.IGNORE,
        Signal.WAIT_OVER: Step.IGNORE,
        Signal.REFRESH_DUE: Step.IGNORE,
        Signal.RETRY: Step.IGNORE,  # it is being tried
        Signal.HOLD: Step.HOLD,
        Signal.RELEASE: Step.IGNORE,
        Signal.STOP: Step.STOP,
    },
    Phase.CONNECTING: {
        Signal.START: Step.IGNORE,
        Signal.TOKEN: Step.GOT_NEXT,
        Signal.TOKEN_REFUSED: Step.REFUSE,  # the socket under way is kept: its own token may be good
        Signal.TOKEN_FAILED: Step.NO_NEXT,
        Signal.UP: Step.UP,
        Signal.UNSURE: Step.IGNORE,
        Signal.DOWN: Step.DOWN,
        Signal.DENIED: Step.DENIED,
        Signal.WAIT_OVER: Step.IGNORE,
        Signal.REFRESH_DUE: Step.REFRESH,
        Signal.RETRY: Step.TRY_REFRESH,
        Signal.HOLD: Step.HOLD,
        Signal.RELEASE: Step.IGNORE,
        Signal.STOP: Step.STOP,
    },
    Phase.OPEN: {
        Signal.START: Step.IGNORE,
        Signal.TOKEN: Step.GOT_NEXT,
        Signal.TOKEN_REFUSED: Step.REFUSE,  # the socket in use goes on until its token ends: no event is thrown away
        Signal.TOKEN_FAILED: Step.NO_NEXT,
        Signal.UP: Step.IGNORE,
        Signal.UNSURE: Step.UNSURE,
        Signal.DOWN: Step.DOWN,
        Signal.DENIED: Step.DENIED,
        Signal.WAIT_OVER: Step.IGNORE,
        Signal.REFRESH_DUE: Step.REFRESH,
        Signal.RETRY: Step.TRY_REFRESH,
        Signal.HOLD: Step.HOLD,
        Signal.RELEASE: Step.IGNORE,
        Signal.STOP: Step.STOP,
    },
    Phase.WAITING: {
        Signal.START: Step.IGNORE,
        Signal.TOKEN: Step.GOT_NEXT,
        Signal.TOKEN_REFUSED: Step.REFUSE,
        Signal.TOKEN_FAILED: Step.NO_NEXT,
        Signal.UP: Step.IGNORE,
        Signal.UNSURE: Step.IGNORE,
        Signal.DOWN: Step.IGNORE,
        Signal.DENIED: Step.IGNORE,
        Signal.WAIT_OVER: Step.BEGIN,
        Signal.REFRESH_DUE: Step.REFRESH,
        Signal.RETRY: Step.BEGIN_NOW,
        Signal.HOLD: Step.HOLD,
        Signal.RELEASE: Step.IGNORE,
        Signal.STOP: Step.STOP,
    },
    Phase.REFUSED: {
        Signal.START: Step.IGNORE,
        Signal.TOKEN: Step.IGNORE,
        Signal.TOKEN_REFUSED: Step.IGNORE,
        Signal.TOKEN_FAILED: Step.IGNORE,
        Signal.UP: Step.IGNORE,
        Signal.UNSURE: Step.IGNORE,
        Signal.DOWN: Step.IGNORE,
        Signal.DENIED: Step.IGNORE,
        Signal.WAIT_OVER: Step.IGNORE,
        Signal.REFRESH_DUE: Step.IGNORE,
        Signal.RETRY: Step.TRY_ANEW,
        Signal.HOLD: Step.HOLD,  # the refusal stays visible
        Signal.RELEASE: Step.IGNORE,
        Signal.STOP: Step.STOP,
    },
    Phase.HELD: {
        Signal.START: Step.IGNORE,  # held before it began; the release begins it
        Signal.TOKEN: Step.IGNORE,  # nothing is awaited, no socket is there, no timer runs
        Signal.TOKEN_REFUSED: Step.IGNORE,
        Signal.TOKEN_FAILED: Step.IGNORE,
        Signal.UP: Step.IGNORE,
        Signal.UNSURE: Step.IGNORE,
        Signal.DOWN: Step.IGNORE,
        Signal.DENIED: Step.IGNORE,
        Signal.WAIT_OVER: Step.IGNORE,
        Signal.REFRESH_DUE: Step.IGNORE,
        Signal.RETRY: Step.FORGIVE_HELD,  # it ends a refusal, not the hold
        Signal.HOLD: Step.HOLD_ON,
        Signal.RELEASE: Step.RELEASE,
        Signal.STOP: Step.STOP,
    },
    Phase.STOPPED: {
        Signal.START: Step.IGNORE,
        Signal.TOKEN: Step.IGNORE,
        Signal.TOKEN_REFUSED: Step.IGNORE,
        Signal.TOKEN_FAILED: Step.IGNORE,
        Signal.UP: Step.IGNORE,
        Signal.UNSURE: Step.IGNORE,
        Signal.DOWN: Step.IGNORE,
        Signal.DENIED: Step.IGNORE,
        Signal.WAIT_OVER: Step.IGNORE,
        Signal.REFRESH_DUE: Step.IGNORE,
        Signal.RETRY: Step.IGNORE,
        Signal.HOLD: Step.IGNORE,
        Signal.RELEASE: Step.IGNORE,
        Signal.STOP: Step.IGNORE,
    },
}
"""What is done on every signal in every phase; a test checks that no pair is missing."""
