"""The words, letters and colour tokens by which channels, kinds, states and gaps are known, on the page and in exports.

Python never holds a colour: it names a token of `assets/tokens.css`.
"""

from __future__ import annotations

from typing import Final

import msgspec

from journeymap.model.journey import CHANNELS, OTHER_CHANNEL, Kind, State
from journeymap.model.status import Gap


class ChannelLook(msgspec.Struct, frozen=True):
    """How a channel is shown. `letter` stands for it where there is room for one letter only."""

    name: str
    label: str
    letter: str


class KindLook(msgspec.Struct, frozen=True):
    """How a segment kind is shown: `pattern` is Plotly's name of the lines in it, `explained` the legend's tooltip."""

    name: str
    label: str
    explained: str
    pattern: str


CHANNEL_LOOKS: Final = {
    look.name: look
    for look in (
        ChannelLook("voice", "Voice", "V"),
        ChannelLook("chat", "Chat", "C"),
        ChannelLook("email", "E-mail", "E"),
        ChannelLook("message", "Message", "M"),
        ChannelLook("callback", "Callback", "B"),
        ChannelLook(OTHER_CHANNEL, "Other", "O"),
    )
}
assert set(CHANNEL_LOOKS) == {*CHANNELS, OTHER_CHANNEL}

KIND_LOOKS: Final = {
    look.name: look
    for look in (
        KindLook(Kind.WAIT, "Waiting", "Light: the customer waits for somebody", ""),
        KindLook(Kind.INTERACT, "Talking", "Solid: customer and agent talk or write", ""),
        KindLook(Kind.TRANSFER, "Transfer", "Hatched: handed over, not yet taken", "/"),
        KindLook(Kind.WRAPUP, "Wrap-up", "Outlined: the agent finishes the paperwork", ""),
        KindLook(Kind.IVR, "IVR", "Light, named on the bar: menus, bots and voicemail", ""),
        KindLook(Kind.QUEUE, "In queue", "Light, with the queue's name: waits there for an agent", ""),
        KindLook(Kind.ALERT, "Ringing", "Upright lines: it rings at an agent, unanswered", "|"),
        KindLook(Kind.HOLD, "On hold", "Lying lines: the agent has put the customer on hold", "-"),
    )
}

USUAL_KINDS: Final = (Kind.WAIT, Kind.INTERACT, Kind.TRANSFER, Kind.WRAPUP)
"""What a stream of the five types tells; legends always name these."""

LIGHT: Final = frozenset({Kind.WAIT, Kind.IVR, Kind.QUEUE})
"""Kinds whose bars are light: in the channel's tint, so that a name can stand on them."""

STATE_LABELS: Final = {
    State.INITIATED: "Waiting",
    State.ACTIVE: "Active",
    State.TRANSFERRING: "Transferring",
    State.WRAPUP: "Wrap-up",
    State.IDLE: "Idle",
    State.CLOSED: "Closed",
}

GAP_LABELS: Final = {
    "disconnected": "disconnected",
    "stopped": "ingest did not run",
    "dropped": "the source throttled",
    "disk": "reading was stopped",
}
"""Kinds of gaps in the stream (`model.status.Gap`) in words; the page's own are in `assets/standing/gaps.mjs`."""


def filling_in_words(gap: Gap) -> str:
    """How the filling of a gap stands; nothing where nothing is fetched."""
    if gap.problem:
        return f"not filled: {gap.problem}"
    return "" if gap.filling is None else f"being filled, {gap.filling:.0%}"


def channel_look(channel: str) -> ChannelLook:
    """How `channel` is shown; one without a track of its own keeps its name and takes the look of the "other" track."""
    look = CHANNEL_LOOKS.get(channel)
    if look is not None:
        return look
    return ChannelLook(channel, channel, CHANNEL_LOOKS[OTHER_CHANNEL].letter)


def channel_token(channel: str) -> str:
    """The token of a channel's colour."""
    return f"channel-{channel if channel in CHANNEL_LOOKS else OTHER_CHANNEL}"
