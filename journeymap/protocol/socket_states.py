"""The life of one socket as a table (h11's way): what is done on every signal in every phase.

Pure data; `connection.Connection` has a method for each step.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final


class Phase(enum.Enum):
    """Where one socket stands."""

    OPENING = "opening"
    GREETING = "waiting for the first frame"
    SUBSCRIBING = "subscribing"
    PROVING = "subscribed, nothing received yet"
    LIVE = "live"
    CHANGING = "live, and a subscription to take the place of this one is asked for"
    DRAINING = "replaced, read until it is empty"
    CLOSED = "closed"


class Signal(enum.Enum):
    """What can happen to one socket."""

    OPENED = "handshake done"
    CLOSED = "socket gone"
    DENIED = "handshake refused"
    GREETED = "connection.opened"
    SIGN = "event, heartbeat or throttle"
    HEARD = "pong"
    SUBSCRIBED = "matching subscription"
    MISMATCHED = "subscription for something else"
    UNSUBSCRIBED = "no subscription"
    DUE = "phase took too long"
    SILENT = "nothing heard"
    RATE = "another number of events a second is wanted"
    RETIRE = "replaced"
    DELETED = "the deletion of its subscription was answered"
    EMPTY = "the last ping was answered"
    DROP = "no longer wanted"


class Step(enum.StrEnum):
    """What is done. The value is the name of the method of `Connection` that does it."""

    OPENED = "_opened"
    GONE = "_gone"
    TURNED_AWAY = "_turned_away"
    IGNORE = "_ignore"
    ORPHAN = "_orphan"
    UNOPENED = "_unopened"
    DROP = "_drop"
    GREETED = "_greeted"
    FIRST_SIGN = "_first_sign"
    HEARD = "_heard"
    SUBSCRIBE = "_subscribe"
    SILENT = "_silent"
    GREETED_LATE = "_greeted_late"
    SUBSCRIBED = "_subscribed"
    MISMATCHED = "_mismatched"
    UNSUBSCRIBED = "_unsubscribed"
    UNANSWERED = "_unanswered"
    GREETED_AGAIN = "_greeted_again"
    PROVEN = "_proven"
    UNPROVEN = "_unproven"
    RETIRE = "_retire"
    SIGN = "_sign"
    CHANGE = "_change"
    CHANGED = "_changed"
    CHANGED_WRONGLY = "_changed_wrongly"
    UNCHANGED = "_unchanged"
    LAST_PING = "_last_ping"
    LAST_PONG = "_last_pong"
    LAST_SIGN = "_last_sign"


TABLE: Final[Mapping[Phase, Mapping[Signal, Step]]] = {
    Phase.OPENING: {
        Signal.OPENED: Step.OPENED,
        Signal.CLOSED: Step.GONE,
        Signal.DENIED: Step.TURNED_AWAY,
        Signal.GREETED: Step.IGNORE,  # no frame can come before the handshake is done
        Signal.SIGN: Step.IGNORE,
        Signal.HEARD: Step.IGNORE,
        Signal.SUBSCRIBED: Step.ORPHAN,
        Signal.MISMATCHED: Step.ORPHAN,
        Signal.UNSUBSCRIBED: Step.IGNORE,
        Signal.DUE: Step.UNOPENED,
        Signal.SILENT: Step.IGNORE,
        Signal.RATE: Step.IGNORE,
        Signal.RETIRE: Step.DROP,
        Signal.DELETED: Step.IGNORE,
        Signal.EMPTY: Step.IGNORE,
        Signal.DROP: Step.DROP,
    },
    Phase.GREETING: {
        Signal.OPENED: Step.IGNORE,
        Signal.CLOSED: Step.GONE,
        Signal.DENIED: Step.IGNORE,
        Signal.GREETED: Step.GREETED,
        Signal.SIGN: Step.FIRST_SIGN,
        Signal.HEARD: Step.HEARD,
        Signal.SUBSCRIBED: Step.ORPHAN,
        Signal.MISMATCHED: Step.ORPHAN,
        Signal.UNSUBSCRIBED: Step.IGNORE,
        Signal.DUE: Step.SUBSCRIBE,  # no greeting: the configured callback URL stands
        Signal.SILENT: Step.SILENT,
        Signal.RATE: Step.IGNORE,
        Signal.RETIRE: Step.DROP,
        Signal.DELETED: Step.IGNORE,
        Signal.EMPTY: Step.HEARD,
        Signal.DROP: Step.DROP,
    },
    Phase.SUBSCRIBING: {
        Signal.OPENED: Step.IGNORE,
        Signal.CLOSED: Step.GONE,
        Signal.DENIED: Step.IGNORE,
        Signal.GREETED: Step.GREETED_LATE,
        Signal.SIGN: Step.HEARD,  # may belong to an earlier subscription: proves the socket, not this one
        Signal.HEARD: Step.HEARD,
        Signal.SUBSCRIBED: Step.SUBSCRIBED,
        Signal.MISMATCHED: Step.MISMATCHED,
        Signal.UNSUBSCRIBED: Step.UNSUBSCRIBED,
        Signal.DUE: Step.UNANSWERED,
        Signal.SILENT: Step.SILENT,
        Signal.RATE: Step.IGNORE,
        Signal.RETIRE: Step.DROP,
        Signal.DELETED: Step.IGNORE,
        Signal.EMPTY: Step.HEARD,
        Signal.DROP: Step.DROP,
    },
    Phase.PROVING: {
        Signal.OPENED: Step.IGNORE,
        Signal.CLOSED: Step.GONE,
        Signal.DENIED: Step.IGNORE,
        Signal.GREETED: Step.GREETED_AGAIN,
        Signal.SIGN: Step.PROVEN,
        Signal.HEARD: Step.HEARD,
        Signal.SUBSCRIBED: Step.ORPHAN,
        Signal.MISMATCHED: Step.ORPHAN,
        Signal.UNSUBSCRIBED: Step.IGNORE,
        Signal.DUE: Step.UNPROVEN,
        Signal.SILENT: Step.SILENT,
        Signal.RATE: Step.IGNORE,
        Signal.RETIRE: Step.RETIRE,
        Signal.DELETED: Step.IGNORE,
        Signal.EMPTY: Step.HEARD,
        Signal.DROP: Step.DROP,
    },
    Phase.LIVE: {
        Signal.OPENED: Step.IGNORE,
        Signal.CLOSED: Step.GONE,
        Signal.DENIED: Step.IGNORE,
        Signal.GREETED: Step.GREETED_AGAIN,
        Signal.SIGN: Step.SIGN,
        Signal.HEARD: Step.HEARD,
        Signal.SUBSCRIBED: Step.ORPHAN,
        Signal.MISMATCHED: Step.ORPHAN,
        Signal.UNSUBSCRIBED: Step.IGNORE,
        Signal.DUE: Step.UNPROVEN,  # pongs alone do not make a subscription live
        Signal.SILENT: Step.SILENT,
        Signal.RATE: Step.CHANGE,
        Signal.RETIRE: Step.RETIRE,
        Signal.DELETED: Step.IGNORE,
        Signal.EMPTY: Step.HEARD,
        Signal.DROP: Step.DROP,
    },
    Phase.CHANGING: {
        Signal.OPENED: Step.IGNORE,
        Signal.CLOSED: Step.GONE,
        Signal.DENIED: Step.IGNORE,
        Signal.GREETED: Step.GREETED_AGAIN,
        Signal.SIGN: Step.SIGN,
        Signal.HEARD: Step.HEARD,
        Signal.SUBSCRIBED: Step.CHANGED,
        Signal.MISMATCHED: Step.CHANGED_WRONGLY,
        Signal.UNSUBSCRIBED: Step.UNCHANGED,
        Signal.DUE: Step.UNPROVEN,
        Signal.SILENT: Step.SILENT,
        Signal.RATE: Step.IGNORE,  # one change at a time
        Signal.RETIRE: Step.RETIRE,
        Signal.DELETED: Step.IGNORE,
        Signal.EMPTY: Step.HEARD,
        Signal.DROP: Step.DROP,
    },
    Phase.DRAINING: {
        Signal.OPENED: Step.IGNORE,
        Signal.CLOSED: Step.DROP,
        Signal.DENIED: Step.IGNORE,
        Signal.GREETED: Step.IGNORE,
        Signal.SIGN: Step.LAST_SIGN,
        Signal.HEARD: Step.HEARD,
        Signal.SUBSCRIBED: Step.ORPHAN,
        Signal.MISMATCHED: Step.ORPHAN,
        Signal.UNSUBSCRIBED: Step.IGNORE,
        Signal.DUE: Step.DROP,
        Signal.SILENT: Step.DROP,
        Signal.RATE: Step.IGNORE,
        Signal.RETIRE: Step.IGNORE,
        Signal.DELETED: Step.LAST_PING,
        Signal.EMPTY: Step.LAST_PONG,
        Signal.DROP: Step.DROP,
    },
    Phase.CLOSED: {
        Signal.OPENED: Step.IGNORE,
        Signal.CLOSED: Step.IGNORE,
        Signal.DENIED: Step.IGNORE,
        Signal.GREETED: Step.IGNORE,
        Signal.SIGN: Step.IGNORE,
        Signal.HEARD: Step.IGNORE,
        Signal.SUBSCRIBED: Step.ORPHAN,
        Signal.MISMATCHED: Step.ORPHAN,
        Signal.UNSUBSCRIBED: Step.IGNORE,
        Signal.DUE: Step.IGNORE,
        Signal.SILENT: Step.IGNORE,
        Signal.RATE: Step.IGNORE,
        Signal.RETIRE: Step.IGNORE,
        Signal.DELETED: Step.IGNORE,
        Signal.EMPTY: Step.IGNORE,
        Signal.DROP: Step.IGNORE,
    },
}
"""What is done on every signal in every phase; a test checks that no pair is missing."""
