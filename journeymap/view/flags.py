"""Flags: what makes a journey worth a look, each read off its row and the clock."""

from __future__ import annotations

import enum
from typing import Final, TypeAlias

from journeymap.model.journey import TALKING, WAITING, Kind, State
from journeymap.model.key import KEY_KINDS
from journeymap.model.row import ROW_SEGMENTS, InteractionRow, JourneyRow
from journeymap.model.time import MINUTE, Millis
from journeymap.view.reading import Shown

LONG_WAIT: Final[Millis] = 5 * MINUTE
"""Who waits as long as this waits long."""

MANY_HANDOVERS: Final = 2
MANY_CHANNELS: Final = 3

ANONYMOUS: Final = ("session:", "interaction:", *(f"{kind}:" for kind in KEY_KINDS))
"""What the customer ids of those begin with whom no event names (docs/stitching.md, section 2)."""

Segments: TypeAlias = tuple[tuple[str, Millis, Millis | None], ...]

_WRAPUP: Final = Kind.WRAPUP.value
_AGAIN: Final = frozenset({*TALKING, Kind.QUEUE, Kind.ALERT})
"""Kinds that make it a conversation again; a survey after it (`ivr`) does not, and what else follows a wrap-up is a stream's."""


class Flag(enum.StrEnum):
    """The flags, by the names that addresses and answers spell them with."""

    WAITING_LONG = "waiting-long"
    """Someone waits now, and has for five minutes or more."""
    ABANDONED = "abandoned"
    """An interaction is over in which someone waited and nobody talked."""
    HANDED_OVER = "handed-over"
    """It was handed over twice or more."""
    REOPENED = "reopened"
    """A conversation went on after it had ended."""
    TIMED_OUT = "timed-out"
    """An interaction is closed only because nothing more was heard of it."""
    MANY_CHANNELS = "many-channels"
    """It has three channels or more."""
    ANONYMOUS = "anonymous"
    """No event names its customer."""
    LARGE = "large"
    """It has so many events that it is brought up to date every few seconds only."""


def lasting_flags(row: JourneyRow, channels: frozenset[str]) -> set[Flag]:
    """Those flags that do not depend on the clock."""
    found = set()
    if row.transfer_count >= MANY_HANDOVERS:
        found.add(Flag.HANDED_OVER)
    if len(channels) >= MANY_CHANNELS:
        found.add(Flag.MANY_CHANNELS)
    if row.customer_id.startswith(ANONYMOUS):
        found.add(Flag.ANONYMOUS)
    if row.oversized:
        found.add(Flag.LARGE)
    return found


def interaction_flags(interaction: InteractionRow, shown: Shown) -> list[Flag]:
    """What one interaction, which reads as `shown`, adds to its journey's flags."""
    found = []
    if shown.timed_out:
        found.append(Flag.TIMED_OUT)
    segments = interaction.segments
    if len(segments) > 1 and _reopened(segments):
        found.append(Flag.REOPENED)
    if segments and shown.state is State.CLOSED and _abandoned(segments):
        found.append(Flag.ABANDONED)
    return found


def waits_long(waiting_since: Millis | None, now: Millis) -> tuple[bool, Millis | None]:
    """Whether someone who has waited since then waits long; and when that becomes so, None if it is so or never will be."""
    if waiting_since is None:
        return False, None
    due = waiting_since + LONG_WAIT
    return (True, None) if now >= due else (False, due)


def _abandoned(segments: Segments) -> bool:
    """Whether the last thing was to wait, and there was no talk; where segments were cut off, there may have been."""
    kinds = [kind for kind, _, _ in segments if kind != _WRAPUP]
    return bool(
        kinds
        and kinds[-1] in WAITING
        and len(segments) < ROW_SEGMENTS
        and all(kind in WAITING or kind == Kind.IVR for kind in kinds)
    )


def _reopened(segments: Segments) -> bool:
    """Whether there was talk again after a wrap-up, or after a time without any segment, which is one of being closed."""
    before, over = segments[0][0], segments[0][2]
    for kind, start, end in segments[1:]:
        if kind in _AGAIN and (before == _WRAPUP or over != start):
            return True
        before, over = kind, end
    return False
