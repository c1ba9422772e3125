"""Names of the colour tokens in `assets/tokens.css`, and the words and marks that stand beside a colour.

Python never holds a colour. Where a figure needs one it says `token:<name>`, and the page puts in the value of the
theme that is on (`assets/journey/figure.mjs`).
"""

from __future__ import annotations

from typing import Final

from journeymap.model.journey import State
from journeymap.view.looks import (
    CHANNEL_LOOKS,
    GAP_LABELS,
    KIND_LOOKS,
    LIGHT,
    STATE_LABELS,
    USUAL_KINDS,
    ChannelLook,
    KindLook,
    channel_look,
    channel_token,
)

__all__ = [
    "CHANNEL_LOOKS",
    "GAP_LABELS",
    "JOURNEY_STATES",
    "KIND_LOOKS",
    "LIGHT",
    "STATE_LABELS",
    "USUAL_KINDS",
    "ChannelLook",
    "KindLook",
    "channel_look",
    "channel_token",
    "token",
]

JOURNEY_STATES: Final = (State.INITIATED, State.ACTIVE, State.TRANSFERRING, State.IDLE, State.CLOSED)
"""States that a journey can show (a journey whose interactions wrap up is ACTIVE)."""


def token(name: str) -> str:
    """How a figure refers to a token."""
    return f"token:{name}"
