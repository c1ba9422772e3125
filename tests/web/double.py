"""A read model with moving journeys that nobody stitched: it speaks the wire format, no more."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from journeymap.model.status import ConnectionChange, EventCounts, Gap, IngestStatus, Quarantined, SourceReport
from journeymap.view.operations import operations

CHANNELS = ("voice", "chat", "email", "message", "callback", "fax")
QUEUES = ("Billing", "Support", "Sales", "Claims", "Returns")
AGENTS = ("Ana Silva", "Bo Chen", "Cem Kaya", "Dee Moore", "Eli Roth", "Fay Osei")
OUTCOMES = ("resolved", "callback promised", "abandoned", "escalated")
MINUTE = 60_000
OPEN_STATES = ("INITIATED", "ACTIVE", "TRANSFERRING", "IDLE")


def wall_clock() -> int:
    """The machine's clock in ms."""
    return time.time_ns() // 1_000_000


class Story:
    """One customer's journey: interactions with closed segments, and one open segment at the end while it goes on."""

    def __init__(self, number: int, now: int, dice: random.Random, customer: str | None = None) -> None:
        self.journey_id = f"j-{number:020x}"
        self.customer = customer or f"cust-{number:05d}"
        self.tag = 1
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
        self.tag += 1

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

    def wire(self) -> list[Any]:
        """The row on the wire."""
        origin = self.started_at
        codes = ("wait", "interact", "transfer", "wrapup")
        return [
            self.journey_id,
            self.tag,
            self.customer,
            self.state,
            origin,
            self.last_event_at - origin,
            self.arrived_at,
            len(self.events),
            len(self.interactions),
            [
                [
                    one["id"],
                    one["channel"],
                    one["state"],
                    0,
                    one["started"] - origin,
                    one["last"] - origin,
                    None if one["state"] != "CLOSED" else one["ended"] - origin,
                    one["disposition"],
                    one["queue"],
                    one["agent"],
                    *[
                        [codes.index(kind), start - origin, -1 if end is None else end - start]
                        for kind, start, end in one["segments"]
                    ],
                ]
                for one in self.interactions
            ],
            [[at - origin, source, target] for at, source, target in self.transfers],
        ]

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


class DoubleReadModel:
    """Answers questions over `count` stories; `run` moves some of them from a thread of its own."""

    def __init__(self, count: int, *, seed: int = 7, clock: Callable[[], int] = wall_clock) -> None:
        self.dice = random.Random(seed)
        self.clock = clock
        self.version = 1
        self.committed_at = clock()
        self.status: dict[str, Any] = {
            "state": "OPEN",
            "since": clock() - MINUTE,
            "error": None,
            "refused": False,
            "lag_ms": 40,
            "ingest_running": True,
        }
        self.ingest: IngestStatus | None = reported(clock())
        self.silent_since: int | None = None
        self.problem: str | None = None
        self.gap_list: list[Gap] = []
        self.changes: list[ConnectionChange] = []
        self.unusable: list[Quarantined] = []
        self.slow_s = 0.0
        self.stories = {story.journey_id: story for story in (Story(n, clock(), self.dice) for n in range(count))}
        self.next_number = count
        self.questions: list[Mapping[str, Any]] = []
        self.lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, customer: str) -> Story:
        """A new open journey of this customer."""
        with self.lock:
            story = Story(self.next_number, self.clock(), self.dice, customer)
            self.next_number += 1
            self.stories[story.journey_id] = story
            story.last_event_at = story.arrived_at = self.clock()
            self._commit()
            return story

    def step(self, moves: int) -> None:
        """`moves` random journeys move on; one commit."""
        with self.lock:
            names = list(self.stories)
            for _ in range(moves):
                story = self.stories[self.dice.choice(names)]
                if story.closed and self.dice.random() < 0.5:
                    story.closed = False
                    story.interactions[-1]["segments"][-1] = (*story.interactions[-1]["segments"][-1][:2], None)
                story.move(self.clock(), self.dice)
            self._commit()

    def _commit(self) -> None:
        self.version += 1
        self.committed_at = self.clock()

    def run(self, events_per_second: float) -> None:
        """Start moving."""

        def go() -> None:
            while not self._stop.wait(0.1):
                wanted = events_per_second / 10
                moves = int(wanted) + (self.dice.random() < wanted % 1)
                if moves:
                    self.step(moves)

        self._thread = threading.Thread(target=go, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop moving."""
        self._stop.set()
        if self._thread:
            self._thread.join()

    def _matching(self, request: Mapping[str, Any]) -> list[Story]:
        customer = (request.get("customer") or "").lower()
        channels, states = set(request.get("channels") or ()), set(request.get("states") or ())
        found = [
            story
            for story in self.stories.values()
            if customer in story.customer.lower()
            and (not channels or channels & set(story.channels))
            and (not states or story.state in states)
        ]
        return sorted(found, key=lambda story: (-story.last_event_at, story.journey_id))

    def answer(self, request: Mapping[str, Any], now: int) -> dict[str, Any] | None:
        """As docs/architecture.md says."""
        if self.slow_s:
            time.sleep(self.slow_s)
        with self.lock:
            self.questions.append(request)
            if request.get("at") and request["version"] == self.version:
                return None
            matching = self._matching(request)
            hold = request.get("hold")
            if hold is None:
                offset = request.get("offset", 0)
                order = [story.journey_id for story in matching[offset : offset + request.get("count", 60)]]
            else:
                matches = {story.journey_id for story in matching}
                order = [journey_id for journey_id in hold if journey_id in matches]
            have = dict(map(tuple, request.get("have", ())))
            counts: dict[str, int] = {}
            for story in matching:
                for channel in story.channels:
                    counts[channel] = counts.get(channel, 0) + 1
            return {
                "version": self.version,
                "now": now,
                "committed_at": self.committed_at,
                "total": len(self.stories),
                "open": sum(not story.closed for story in self.stories.values()),
                "matched": len(matching),
                "channels": counts,
                "order": order,
                "rows": [self.stories[name].wire() for name in order if have.get(name) != self.stories[name].tag],
                "gone": {},
                "status": dict(self.status),
                "gaps": [[gap.start, gap.end, gap.kind, gap.dropped, gap.detail] for gap in self.gap_list],
            }

    def detail(self, journey_id: str, now: int) -> dict[str, Any] | None:
        """The journey's document."""
        with self.lock:
            story = self.stories.get(journey_id)
            return story.document(now) if story else None

    def gaps(self, _now: int) -> list[Gap]:
        """Gaps, oldest first."""
        return list(self.gap_list)

    def operations(self, now: int) -> dict[str, Any]:
        """The operations view's document. Ingest reports all the time, unless it is silent since a moment."""
        status = self.ingest
        if status is not None:
            status = msgspec.structs.replace(status, written_at=self.silent_since or now)
        return operations(status, self.problem, self.gap_list, self.changes, self.unusable, now)

    def tell(self, **changes: Any) -> None:
        """Ingest reports otherwise from now on."""
        assert self.ingest is not None
        self.ingest = msgspec.structs.replace(self.ingest, **changes)


def reported(now: int) -> IngestStatus:
    """What an ingest side says that has run well for an hour."""
    source = SourceReport(
        name="eventstreams",
        state="OPEN",
        since=now - 47 * MINUTE,
        token_obtained_at=now - 10 * MINUTE,
        token_renewal_at=now + 15 * MINUTE,
        token_expires_at=now + 20 * MINUTE,
        subscription_id="sub-4f0c2b7e-9a31",
        connection_id="conn-77b1d5",
        max_events_per_second=50,
        configured_events_per_second=50,
        last_frame_at=now - 400,
        last_heard_at=now - 400,
        reconnects=2,
        received=128_410,
        throttled=0,
        dropped=0,
    )
    return IngestStatus(
        written_at=now,
        started_at=now - 60 * MINUTE,
        source=source.name,
        state="OPEN",
        since=source.since,
        last_event_at=now - 400,
        lag_ms=120,
        counts=EventCounts(received=128_410, events=127_902, late=214, duplicate=96, conflicting=1, expired=0),
        journeys=48_211,
        open_journeys=534,
        hot_journeys=2_310,
        store_bytes=212_400_000,
        journal_bytes=61_300_000,
        journal_lag_bytes=38_200,
        flush_ms=4.2,
        sources=[source],
        events_per_second=36.4,
        waiting_bytes=0,
        disk_free_bytes=84_000_000_000,
        journal_oldest_at=now - 26 * 60 * MINUTE,
        release="0.1.0",
    )
