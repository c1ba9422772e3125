"""How long each step of the conversation may take, and how much fits into what."""

from __future__ import annotations

from typing import Final

import msgspec

from journeymap.model.time import HOUR, MINUTE, SECOND, Millis

MOST_TOPICS: Final = 1_000
"""Topics of a topic channel that the platform allows."""

MOST_CHANNELS: Final = 20
"""Topic channels of a client that the platform allows: one more, and it removes another."""

USED_CHANNELS: Final = MOST_CHANNELS - 1
"""So many carry topics at most: one is needed beside them while another is replaced."""

EXTRA_CHANNELS: Final = 3
"""So many more than queues need are taken for the topics of single conversations at most: each is one more that can be lost."""

LONGEST_TOPIC: Final = 200
"""Characters of a topic, also of several that are combined into one."""

RENEW_BEFORE_END: Final = 30 * MINUTE


class Limits(msgspec.Struct, frozen=True):
    """How long each thing may take, in milliseconds."""

    opening: Millis = 20 * SECOND
    ping: Millis = 20 * SECOND
    pong: Millis = 10 * SECOND
    """A ping that is not answered for so long means that the socket is dead."""
    silence: Millis = 95 * SECOND
    """A socket that brings nothing for so long is dead: three heartbeats are missing."""
    overlap: Millis = 5 * SECOND
    """How long what is replaced is still read: what was sent on it may be under way."""
    switch: Millis = 2 * SECOND
    """How long it is waited for the next socket where the one in use has ended because the platform has that one already, as
    it seems: word of it is under way then."""
    notice: Millis = 50 * SECOND
    """How long after the notice that a socket is about to close its end is taken to mean that. The platform gives a minute."""
    health: Millis = MINUTE
    """After so long live the backoff starts anew."""
    rediscovery: Millis = 5 * MINUTE
    """How often it is looked for new queues."""
    forgiving: Millis = HOUR
    """After so long a sort of topics that was refused is tried again: roles change."""
    linger: Millis = 2 * MINUTE
    """How long a conversation that has ended is followed: wrap-up comes after its end."""
    pace: Millis = 2 * SECOND
    """How often topics of conversations are changed at most, with up to two topic channels; more, the rarer."""


def room_for_conversations(queues: int) -> int:
    """How many topics of single conversations there is room for beside those of so many queues."""
    covered = min(queues, USED_CHANNELS * MOST_TOPICS)
    needed = -(-covered // MOST_TOPICS)
    return min(needed + EXTRA_CHANNELS, USED_CHANNELS) * MOST_TOPICS - covered


def renewal_of(now: Millis, ends_at: Millis) -> Millis:
    """When what ends then is to be renewed: 30 minutes before, or when a third is left of a life shorter than 90 minutes."""
    return ends_at - min(RENEW_BEFORE_END, max(ends_at - now, 0) // 3)
