"""How long each step of the conversation may take."""

from __future__ import annotations

import msgspec

from journeymap.model.time import MINUTE, SECOND, Millis


class Limits(msgspec.Struct, frozen=True):
    """How long each thing may take, in milliseconds."""

    token: Millis = 30 * SECOND
    opening: Millis = 20 * SECOND
    greeting: Millis = 2 * SECOND
    answer: Millis = 20 * SECOND
    proof: Millis = 35 * SECOND
    """A subscription that brings neither event nor heartbeat for so long has failed."""
    ping: Millis = 10 * SECOND
    silence: Millis = 30 * SECOND
    """A socket that brings neither frame nor pong for so long is dead."""
    drain: Millis = 30 * SECOND
    """How long a replaced socket is still read, if nothing tells that it is empty."""
    settle: Millis = 500
    """A replaced socket that has answered the last ping is empty once it brings nothing for so long."""
    health: Millis = MINUTE
    """After so long OPEN the backoff starts anew."""
