"""Rows out of journeys in memory: bounded in size, and made again only where something changed."""

from __future__ import annotations

from journeymap.model.event import order_key
from journeymap.model.row import ROW_INTERACTIONS, ROW_SEGMENTS, ROW_TRANSFERS, InteractionRow, JourneyRow
from journeymap.stitch import handover
from journeymap.stitch.hot import HotInteraction, HotJourney
from journeymap.stitch.options import Timeouts

OVERSIZED = 5_000
"""A journey of more events than this is oversized."""


def match_transfers(journey: HotJourney, timeouts: Timeouts) -> None:
    """Find the targets of a journey's transfers again, and mark the interactions whose segments that changes."""
    journey.rematch = False
    transfers = [
        transfer
        for member in journey.members.values()
        if member.stale or member.fold.handings
        for transfer in handover.awaiting(member.folded(), timeouts)
    ]
    journey.transfer_count = len(transfers)
    if not transfers and not journey.handovers:
        return
    journey.handovers = handover.match(transfers, (order_key(member.events[0]) for member in journey.members.values()))
    before, journey.began = journey.began, handover.cuts(journey.handovers)
    for interaction_id in before.keys() | journey.began.keys():
        if before.get(interaction_id) != journey.began.get(interaction_id) and interaction_id in journey.members:
            journey.members[interaction_id].row = None


def row_of(journey: HotJourney, timeouts: Timeouts) -> JourneyRow:
    """The row of a journey as it stands."""
    if journey.rematch:
        match_transfers(journey, timeouts)
    if len(journey.members) > ROW_INTERACTIONS:
        ahead = journey.prominent()
        members, started_at = ahead.first(ROW_INTERACTIONS), min(journey.start, ahead.started_at)
    else:
        members = list(journey.members.values())
        started_at = min([journey.start, *(member.folded().started_at or journey.start for member in members)])
    rows = [member.row or _interaction_row(member, journey) for member in members]
    if len(rows) > 1:
        rows.sort(key=_place)
    return JourneyRow(
        journey.journey_id,
        journey.customer_id,
        started_at,
        journey.end,
        journey.arrived_at,
        journey.event_count,
        len(journey.members),
        journey.transfer_count,
        tuple(rows),
        tuple([(item.awaiting.at, item.awaiting.source, item.target) for item in journey.handovers[-ROW_TRANSFERS:]]),
        journey.event_count > OVERSIZED,
    )


def _interaction_row(member: HotInteraction, journey: HotJourney) -> InteractionRow:
    folded = member.folded()
    began = journey.began.get(member.interaction_id)
    if began:
        state, segments = handover.segments(folded, began)
        bars = tuple([(segment.kind, segment.start, segment.end) for segment in segments[-ROW_SEGMENTS:]])
    else:
        state = folded.shown_state
        recent = [(segment.kind, segment.start, segment.end) for segment in folded.segments[-ROW_SEGMENTS:]]
        if folded.open_kind is not None:
            recent.append((folded.open_kind, folded.open_since, None))
        bars = tuple(recent[-ROW_SEGMENTS:])
    assert folded.started_at is not None
    member.row = InteractionRow(
        member.interaction_id,
        folded.shown_channel,
        state,
        folded.started_at,
        member.end,
        folded.ended_at,
        folded.disposition,
        folded.queue,
        folded.agent,
        bars,
        folded.direction,
    )
    return member.row


def _place(row: InteractionRow) -> tuple[int, str]:
    return (row.started_at, row.interaction_id)
