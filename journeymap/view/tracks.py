"""A journey's row as the page draws it: bars with times relative to its start (docs/architecture.md gives the form)."""

from __future__ import annotations

import hashlib
from typing import Any, Final, TypeAlias

import msgspec

from journeymap.model.journey import Kind
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.model.time import Millis
from journeymap.view.bars import bars
from journeymap.view.facts import facts
from journeymap.view.reading import Reading

KINDS: Final = {kind.value: number for number, kind in enumerate(Kind)}
"""Segment kinds as numbers on the wire: their places in `Kind`, and in `KINDS` of `assets/base/words.mjs`."""

OPEN: Final = -1
"""Length of a segment that is still open."""

WireRow: TypeAlias = tuple[Any, ...]

_encode = msgspec.json.Encoder().encode


def wire_row(row: JourneyRow, reading: Reading) -> WireRow:
    """The row on the wire, as of the reading's moment.

    The tag is a hash of all the rest, 48 bits so that JavaScript keeps it exactly. A hash and not a counter, because
    then every process gives the same row the same tag, and a page may be answered by any of them.
    """
    start = row.started_at
    shown = [reading.shown(interaction) for interaction in row.interactions]
    interactions = [
        _wire_interaction(interaction, start, reading_of.state, reading_of.timed_out, reading_of.ended_at)
        for interaction, reading_of in zip(row.interactions, shown, strict=True)
    ]
    index = {interaction.interaction_id: place for place, interaction in enumerate(row.interactions)}
    transfers = [
        (at - start, index[source], None if target is None else index.get(target))
        for at, source, target in row.transfers
        if source in index
    ]
    known = facts(row, reading)
    rest = (
        row.customer_id,
        known.state.value,
        start,
        row.last_event_at - start,
        row.arrived_at,
        row.event_count,
        row.interaction_count,
        interactions,
        transfers,
        known.since - start,
        sorted(known.flags),
        [interaction.direction for interaction in row.interactions],
        row.transfer_count,
    )
    return (row.journey_id, _tag(rest), *rest)


def _wire_interaction(
    interaction: InteractionRow, origin: Millis, state: str, timed_out: bool, ended_at: Millis | None
) -> WireRow:
    drawn = bars(interaction.segments, interaction.last_event_at if timed_out else None)
    return (
        interaction.interaction_id,
        interaction.channel,
        str(state),
        int(timed_out),
        interaction.started_at - origin,
        interaction.last_event_at - origin,
        None if ended_at is None else ended_at - origin,
        interaction.disposition,
        interaction.queue,
        interaction.agent,
        *[(KINDS[kind], start - origin, OPEN if end is None else end - start) for kind, start, end in drawn],
    )


def _tag(rest: WireRow) -> int:
    return int.from_bytes(hashlib.blake2b(_encode(rest), digest_size=6).digest(), "big")
