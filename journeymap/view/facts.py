"""What filters, orders and counts ask of a journey at a moment, worked out once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from journeymap.model.journey import TALKING, WAITING, Kind, State
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.model.time import Millis
from journeymap.view.flags import Flag, Segments, interaction_flags, lasting_flags, waits_long
from journeymap.view.masking import Viewer, mask
from journeymap.view.reading import Reading, Shown

ONGOING: Final[Millis] = 2**53
"""End of what has not ended, later than any moment."""

_MASKED: Final = Viewer(sees_identifiers=False)
_ON_THE_PHONE: Final = frozenset({State.ACTIVE, State.WRAPUP})
_ALIKE: Final = {kind.value: kinds for kinds in (WAITING | {Kind.IVR}, TALKING) for kind in kinds}
"""Kinds of segments to those that mean the same state."""


class Facts(msgspec.Struct, frozen=True, gc=False):
    """A journey as it reads at one moment, and what was worked out of it.

    Names are case-folded and distinct (channels as they are): what is said of channels, queues, agents, dispositions and
    directions is of the interactions in the row. `since` is the moment from which on one of its interactions (of an IDLE or
    CLOSED journey: the last of them) has been in the journey's state without a break. `waiting_since` is when the longest
    wait that goes on now began, `waited` how long the longest that is over took (0 without any). `waits` are start and end
    (or `ONGOING`) of each. `queue` is that of the interaction that was active last of those that name one, as it is spelled,
    or "". `customer` and `names` are what a text is looked for in. `due` is the next moment at which a flag changes although
    no time-out falls due; None if there is none.
    """

    row: JourneyRow
    state: State
    since: Millis
    waiting_since: Millis | None
    waited: Millis
    waits: tuple[tuple[Millis, Millis], ...]
    flags: frozenset[str]
    due: Millis | None
    channels: frozenset[str]
    queues: frozenset[str]
    agents: frozenset[str]
    dispositions: frozenset[str]
    directions: frozenset[str]
    queue: str
    customer: str
    names: str

    @property
    def duration(self) -> Millis:
        """From its start to its last activity."""
        return self.row.last_event_at - self.row.started_at

    @property
    def ends(self) -> Millis:
        """Its last activity, or `ONGOING` while it is not CLOSED."""
        return self.row.last_event_at if self.state is State.CLOSED else ONGOING

    @property
    def masked_customer(self) -> str:
        """`customer` as those see it who may not see phone numbers and addresses."""
        return _masked(self.row.customer_id)


def facts(row: JourneyRow, reading: Reading) -> Facts:
    """The facts of a row as of the reading's moment."""
    # Asked of every row that changes, so each interaction and each segment is looked at once.
    parts = row.interactions
    shown = [reading.shown(part) for part in parts]
    state = reading.journey([each.state for each in shown])
    channels = _shared(frozenset([part.channel for part in parts]))
    flags: set[str] = {*lasting_flags(row, channels)}
    waits: list[tuple[Millis, Millis]] = []
    waiting_since: Millis | None = None
    waited: Millis = 0
    latest: InteractionRow | None = None
    names = [row.journey_id]
    for part, reads in zip(parts, shown, strict=True):
        names.append(part.interaction_id)
        if part.queue:
            names.append(part.queue)
            if latest is None or _activity(part) > _activity(latest):
                latest = part
        if part.agent:
            names.append(part.agent)
        last = part.last_event_at if reads.timed_out else ONGOING
        for start, closed in _waits(part.segments):
            end = last if closed is None else closed
            if end == ONGOING:
                waiting_since = start if waiting_since is None else min(waiting_since, start)
                waits.append((start, end))
            elif start < end:
                waited = max(waited, end - start)
                waits.append((start, end))
        flags.update(interaction_flags(part, reads))
    long, due = waits_long(waiting_since, reading.now)
    if long:
        flags.add(Flag.WAITING_LONG)
    return Facts(
        row,
        state,
        _since(state, parts, shown) if parts else row.last_event_at,
        waiting_since,
        waited,
        tuple(waits),
        _shared(frozenset(flags)),
        due,
        channels,
        _folded(tuple([part.queue for part in parts])),
        _folded(tuple([part.agent for part in parts])),
        _folded(tuple([part.disposition for part in parts])),
        _folded(tuple([part.direction for part in parts])),
        latest.queue or "" if latest else "",
        row.customer_id.casefold(),
        "\n".join(names).casefold(),
    )


def _waits(segments: Segments) -> list[tuple[Millis, Millis | None]]:
    """The stretches of waiting: from one queue to the next, and while it rings, it is one and the same."""
    found: list[tuple[Millis, Millis | None]] = []
    for kind, start, end in segments:
        if kind in WAITING:
            if found and found[-1][1] == start:
                found[-1] = (found[-1][0], end)
            else:
                found.append((start, end))
    return found


def _since(state: State, parts: Sequence[InteractionRow], shown: Sequence[Shown]) -> Millis:
    if len(parts) == 1:
        return _entered(parts[0], shown[0])
    if state in (State.IDLE, State.CLOSED):
        return max([_entered(part, reads) for part, reads in zip(parts, shown, strict=True)])
    there = _ON_THE_PHONE if state is State.ACTIVE else frozenset({state})
    return min([_entered(part, reads) for part, reads in zip(parts, shown, strict=True) if reads.state in there])


def _entered(part: InteractionRow, shown: Shown) -> Millis:
    """When an interaction entered the state that it reads as; of a wrap-up, when the talk before it began."""
    if shown.since is not None:
        return shown.since
    if not part.segments:
        return part.started_at if shown.state != State.CLOSED else part.ended_at or part.last_event_at
    _, start, end = part.segments[-1]
    if shown.state == State.CLOSED:
        return part.last_event_at if end is None else max(end, part.ended_at or end)
    if shown.state == State.WRAPUP and len(part.segments) > 1:
        kind, _, over = part.segments[-2]
        return _stretch(part.segments[:-1]) if kind in TALKING and over == start else start
    return _stretch(part.segments)


def _stretch(segments: Segments) -> Millis:
    """When the last stretch began of segments that mean the same state and differ in kind, such as talk and hold."""
    kind, start, _ = segments[-1]
    for before, began, over in reversed(segments[:-1]):
        if over != start or before == kind or before not in _ALIKE.get(kind, ()):
            break
        kind, start = before, began
    return start


def _activity(part: InteractionRow) -> tuple[Millis, str]:
    return (part.last_event_at, part.interaction_id)


# Thousands of journeys share a handful of sets: less memory, and less for the garbage collector to look at.


@lru_cache(maxsize=4_096)
def _folded(names: tuple[str | None, ...]) -> frozenset[str]:
    return _shared(frozenset([name.casefold() for name in names if name]))


@lru_cache(maxsize=4_096)
def _shared(names: frozenset[str]) -> frozenset[str]:
    return names


@lru_cache(maxsize=65_536)
def _masked(customer: str) -> str:
    return mask(customer, _MASKED).casefold()


def spelling(name: str, spelled: Iterable[str | None]) -> str:
    """Of what is spelled, that which folds to `name`; `name` itself if none does."""
    return next((each for each in spelled if each and each.casefold() == name), name)
