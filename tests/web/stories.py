"""Journeys that nobody stitched: made up by dice, and moved on by them."""

from __future__ import annotations

import random
from typing import Any

import msgspec

from journeymap.model.change import JourneyRecord
from journeymap.model.row import InteractionRow, JourneyRow
from journeymap.stitch.options import Timeouts

CHANNELS = ("voice", "chat", "email", "message", "callback", "fax")
QUEUES = ("Billing", "Support", "Sales", "Claims", "Returns")
AGENTS = ("Ana Silva", "Bo Chen", "Cem Kaya", "Dee Moore", "Eli Roth", "Fay Osei")
OUTCOMES = ("resolved", "callback promised", "abandoned", "escalated")
DIRECTIONS = ("inbound", "inbound", "inbound", "outbound")
MINUTE = 60_000
LATE = 4_000_000_000_000
"""When an open journey would read CLOSED: not while a test lasts."""

NEVER = Timeouts(idle_after=24 * 60 * MINUTE, close_after=48 * 60 * MINUTE)
"""A story's state is what it says, however long nothing happens."""


class Story:
    """One customer's journey: interactions with closed segments, and one open segment at the end while it goes on."""

    def __init__(self, number: int, now: int, dice: random.Random, customer: str | None = None) -> None:
        self.journey_id = f"j-{number:020x}"
        self.customer = customer or f"cust-{number:05d}"
        self.started_at = now - dice.randrange(1, 40) * MINUTE
        self.events: list[dict[str, Any]] = []
        self.transfers: list[list[Any]] = []
        self.interactions: list[dict[str, Any]] = []
        at = self.started_at
        for place in range(dice.choice((1, 1, 1, 2, 2, 3))):
            at = self._interaction(place, at, now, dice)
        self.arrived_at = self.last_event_at = min(now, at)
        self.closed = dice.random() < 0.4
        last = self.interactions[-1]
        if self.closed:
            end = self.last_event_at
            kind, start, _ = last["segments"][-1]
            last["segments"][-1] = (kind, start, max(start + 1, end))
            last.update(state="CLOSED", ended=end, disposition=dice.choice(OUTCOMES))
        else:
            kind, start, _ = last["segments"][-1]
            last["segments"][-1] = (kind, min(start, now - 1000), None)
            last["state"] = {"wait": "INITIATED", "interact": "ACTIVE", "transfer": "TRANSFERRING"}.get(kind, "WRAPUP")

    def _interaction(self, place: int, at: int, now: int, dice: random.Random) -> int:
        start = at
        segments: list[tuple[str, int, int | None]] = []
        for kind in ("wait", "interact", "transfer", "wrapup")[: dice.randrange(1, 5)]:
            if kind == "transfer" and dice.random() < 0.5:
                continue
            length = dice.randrange(5_000, 8 * MINUTE)
            end = min(at + length, now)
            if at < end:
                segments.append((kind, at, end))
            at = end
        channel = dice.choice(CHANNELS)
        interaction_id = f"{self.journey_id}-i{place}"
        self.interactions.append(
            {
                "id": interaction_id,
                "channel": channel,
                "state": "CLOSED",
                "started": start,
                "last": at,
                "ended": at,
                "disposition": dice.choice((None, *OUTCOMES)),
                "queue": dice.choice(QUEUES),
                "agent": dice.choice(AGENTS),
                "direction": dice.choice(DIRECTIONS),
                "segments": segments or [("wait", start, max(start + 1, at))],
            }
        )
        if place:
            self.transfers.append([start, place - 1, place])
        self.events.append(self._event(interaction_id, channel, start))
        return max(start + 1, at - dice.randrange(0, 2 * MINUTE))

    def _event(self, interaction_id: str, channel: str, at: int) -> dict[str, Any]:
        return {
            "event_id": f"e-{interaction_id}-{len(self.events)}",
            "type": "interaction.created",
            "timestamp": at,
            "interaction_id": interaction_id,
            "channel": channel,
            "customerId": self.customer,
            "queueName": QUEUES[0],
        }

    def move(self, now: int, dice: random.Random) -> None:
        """Something happens: the open segment ends and another begins, or the journey closes."""
        if self.closed:
            return
        last = self.interactions[-1]
        kind, start, _ = last["segments"][-1]
        last["segments"][-1] = (kind, start, max(now, start + 1))
        if len(last["segments"]) > 5 and dice.random() < 0.5:
            self.closed = True
            last.update(state="CLOSED", ended=now, disposition=dice.choice(OUTCOMES))
        else:
            kind = dice.choice(("interact", "wait", "transfer", "wrapup"))
            last["segments"].append((kind, now, None))
            last["segments"] = last["segments"][-24:]
            last["state"] = {"wait": "INITIATED", "interact": "ACTIVE", "transfer": "TRANSFERRING"}.get(kind, "WRAPUP")
        last["last"] = self.last_event_at = self.arrived_at = now
        self.events.append(self._event(last["id"], last["channel"], now))

    @property
    def state(self) -> str:
        """The journey's state."""
        return (
            "CLOSED"
            if self.closed
            else {"WRAPUP": "ACTIVE"}.get(self.interactions[-1]["state"], self.interactions[-1]["state"])
        )

    @property
    def channels(self) -> list[str]:
        """Distinct channels in order."""
        return list(dict.fromkeys(one["channel"] for one in self.interactions))

    def row(self) -> JourneyRow:
        """The journey's row, as the stitcher would make it."""
        ids = [one["id"] for one in self.interactions]
        return JourneyRow(
            self.journey_id,
            self.customer,
            self.started_at,
            self.last_event_at,
            self.arrived_at,
            len(self.events),
            len(self.interactions),
            len(self.transfers),
            tuple(
                InteractionRow(
                    one["id"],
                    one["channel"],
                    one["state"],
                    one["started"],
                    one["last"],
                    one["ended"] if one["state"] == "CLOSED" else None,
                    one["disposition"],
                    one["queue"],
                    one["agent"],
                    tuple(one["segments"]),
                    one["direction"],
                )
                for one in self.interactions
            ),
            tuple((at, ids[source], None if target is None else ids[target]) for at, source, target in self.transfers),
        )

    def record(self) -> JourneyRecord:
        """What a store keeps of it."""
        closed_from = self.last_event_at if self.closed else LATE
        tail = tuple(msgspec.json.encode(event) for event in self.events)
        first, last = self.started_at, self.last_event_at
        return JourneyRecord(self.journey_id, self.customer, first, last, closed_from, self.row(), (), tail)

    def document(self, now: int) -> dict[str, Any]:
        """The journey as docs/http.md."""
        ids = [one["id"] for one in self.interactions]
        return {
            "journey_id": self.journey_id,
            "customer_id": self.customer,
            "state": self.state,
            "as_of": now,
            "started_at": self.started_at,
            "last_event_at": self.last_event_at,
            "channels": self.channels,
            "interactions": [
                {
                    "interaction_id": one["id"],
                    "channel": one["channel"],
                    "state": one["state"],
                    "started_at": one["started"],
                    "ended_at": one["ended"] if one["state"] == "CLOSED" else None,
                    "disposition": one["disposition"],
                    "timed_out": False,
                    "segments": [{"kind": kind, "start": start, "end": end} for kind, start, end in one["segments"]],
                }
                for one in self.interactions
            ],
            "transfers": [
                {"at": at, "from_interaction": ids[source], "to_interaction": None if target is None else ids[target]}
                for at, source, target in self.transfers
            ],
            "events": list(self.events),
            "neighbours": [],
        }
