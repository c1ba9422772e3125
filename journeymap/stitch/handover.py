"""Hand-overs: who takes over a transfer, and where the transfer segment then ends (docs/stitching.md, section 4)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from journeymap.model.event import OrderKey
from journeymap.model.journey import Kind, Segment, State, Transfer
from journeymap.model.time import Millis
from journeymap.stitch.machine import Fold, Handing
from journeymap.stitch.options import Timeouts

First: TypeAlias = OrderKey
"""An interaction stands for hand-overs as the order key of its first event; its id is the last part of it."""


class Awaiting(msgspec.Struct, frozen=True, gc=False):
    """A transfer that awaits a target from `at` until `until`, both included."""

    key: OrderKey
    at: Millis
    until: Millis

    @property
    def source(self) -> str:
        """The interaction that is handed over."""
        return self.key[3]


class Handover(msgspec.Struct, frozen=True, gc=False):
    """A transfer with its target and the moment the target began; both None while there is none."""

    awaiting: Awaiting
    target: str | None
    target_began: Millis | None

    @property
    def transfer(self) -> Transfer:
        """The transfer as part of a journey."""
        return Transfer(self.awaiting.at, self.awaiting.source, self.target)


def awaiting(folded: Fold, timeouts: Timeouts) -> list[Awaiting]:
    """The transfers of one interaction, each with the span in which it awaits a target."""
    patience = timeouts.close(folded.shown_channel)
    return [Awaiting(handing.key, handing.at, _until(handing, patience)) for handing in folded.handings]


def _until(handing: Handing, patience: Millis) -> Millis:
    given_up = handing.at + patience
    return given_up if handing.superseded_at is None else min(given_up, handing.superseded_at)


def match(transfers: Iterable[Awaiting], firsts: Iterable[First]) -> list[Handover]:
    """Targets for the transfers of one journey, in the order of the transfers.

    Each takes the first interaction other than its own, not yet a target, whose first event lies within its span.
    """
    free = sorted(firsts)
    handovers = []
    for transfer in sorted(transfers, key=lambda transfer: transfer.key):
        target = began = None
        place = bisect_left(free, (transfer.at,))  # a shorter tuple sorts before its extensions
        while place < len(free) and free[place][0] <= transfer.until:
            if free[place][3] != transfer.source:
                began, _, _, target = free.pop(place)
                break
            place += 1
        handovers.append(Handover(transfer, target, began))
    return handovers


def cuts(handovers: Iterable[Handover]) -> dict[str, dict[OrderKey, Millis]]:
    """For each source interaction: its transfers (by key) and when their targets began."""
    found: dict[str, dict[OrderKey, Millis]] = {}
    for handover in handovers:
        if handover.target_began is not None:
            found.setdefault(handover.awaiting.source, {})[handover.awaiting.key] = handover.target_began
    return found


def segments(folded: Fold, began: Mapping[OrderKey, Millis]) -> tuple[State, Sequence[Segment]]:
    """State and segments of an interaction, the open one last, after the hand-overs in `began`.

    A hand-over acts while the source is still TRANSFERRING on account of that transfer: then the transfer segment ends
    when the target begins, and wrap-up follows. Events of the source at the same millisecond come first.
    """
    state = folded.shown_state
    result = list(folded.segments)
    if folded.open_kind is not None:
        result.append(Segment(folded.open_kind, folded.open_since, None))
    for handing in folded.handings:
        start = began.get(handing.key)
        if start is None or (handing.left_at is not None and start >= handing.left_at):
            continue
        place = _find(result, handing)
        split = [] if start == handing.at else [Segment(Kind.TRANSFER, handing.at, start)]
        result[place : place + 1] = [*split, Segment(Kind.WRAPUP, start, handing.left_at)]
        if handing.left_at is None:
            state = State.WRAPUP
    return state, result


def _find(among: Sequence[Segment], handing: Handing) -> int:
    """Where the segment of a transfer stands; it has a length, for otherwise no hand-over could act on it."""
    return next(
        place
        for place, segment in enumerate(among)
        if segment.kind == Kind.TRANSFER and segment.start == handing.at and segment.end == handing.left_at
    )
