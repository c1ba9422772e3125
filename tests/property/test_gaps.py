"""The gaps say of all the time in which nobody listened that nobody did, over any history of outages, stops and crashes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from journeymap.model.status import Gap, IngestStatus, SourceReport
from journeymap.model.time import DAY, HOUR, SECOND
from journeymap.runtime.gaps import FIRST_CONNECTION, GapLog
from journeymap.source.base import ConnectionState, SourceStatus, StateChange, followed

START = 1_700_000_000_000
TICK = SECOND
OPEN, CLOSED, CONNECTING = ConnectionState.OPEN, ConnectionState.DISCONNECTED, ConnectionState.CONNECTING

Span = tuple[int, int]

steps = st.lists(
    st.tuples(
        st.sampled_from(["open", "lose", "connecting", "hear", "kill", "stop", "drop", "full", "room", "wait"]),
        st.integers(0, 30),  # how many tenths of a second go by before it
        st.integers(0, 40),  # for how many the source has been silent when it is lost; how many events were dropped
    ),
    max_size=40,
)


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time in as few spans as possible."""
    joined: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def minus(spans: list[Span], others: list[Span]) -> int:
    """How much of the time of `spans` is not in `others`."""
    both = union([*spans, *others])
    return sum(end - start for start, end in both) - sum(end - start for start, end in others)


class World:
    """A source and an ingest process that come and go, and what is true of them."""

    def __init__(self) -> None:
        self.now = START
        self.kept: list[Gap] = []
        self.told: IngestStatus | None = None
        self.deaf: list[Span] = []  # the truth: when nobody listened although somebody had
        self.slack = 0  # how much more may be said: what came after the last status before a crash
        self.dropped = 0
        self.heard_at: int | None = None
        self.begin()

    def begin(self) -> None:
        """A process starts."""
        self.log = GapLog(self.kept, self.told)
        self.status = SourceStatus(since=self.now)
        self.seen = 0
        self.reading_stopped: str | None = None
        self.listening = False
        self.look()

    def look(self, *, ended: bool = False) -> None:
        """What happens at every tick: the documents are written."""
        new = self.status.change_count - self.seen
        changes: tuple[StateChange, ...] = self.status.changes[-new:] if new else ()
        self.seen = self.status.change_count
        report = SourceReport(
            name="s",
            state=self.status.state,
            since=self.status.since,
            last_heard_at=self.heard_at,
            dropped=self.status.dropped,
        )
        self.log.look(self.now, [report], {"s": changes}, self.reading_stopped)
        if ended:
            self.log.stop(self.now)
        self.kept = self.log.gaps()
        self.told = IngestStatus(written_at=self.now, sources=[report])
        self.told_heard_at = self.heard_at

    def enter(self, state: ConnectionState) -> None:
        after = replace(self.status, state=state, since=self.now)
        self.status = followed(self.status, after, self.heard_at)

    def pass_time(self, tenths: int) -> None:
        """Time goes by, with a tick every second."""
        end = self.now + tenths * 100
        while self.now < end:
            self.now = min(end, (self.now // TICK + 1) * TICK)
            if self.now % TICK == 0:
                self.look()

    def step(self, what: str, number: int) -> None:
        if what == "open" and not self.listening:
            self.enter(OPEN)
            if self.heard_at is not None:
                self.deaf.append((self.heard_at, self.now))
            self.listening, self.heard_at = True, self.now
        elif what == "hear" and self.listening:
            self.heard_at = self.now
        elif what == "lose" and self.listening:
            self.listening = False
            self.enter(CLOSED)
        elif what == "connecting" and not self.listening:
            self.enter(CONNECTING)
        elif what == "drop":
            self.status = replace(self.status, dropped=self.status.dropped + number)
            self.dropped += number
        elif what == "full":
            self.reading_stopped = "the disk is nearly full"
        elif what == "room":
            self.reading_stopped = None
        elif what == "stop":
            self.log.stop_begins()
            self.enter(CLOSED)
            self.look(ended=True)
            self.now += number * 100
            self.begin()
        elif what == "kill":
            # What came since the last status is in the journal, but nobody said so.
            if self.listening and self.heard_at is not None:
                self.slack += self.heard_at - max(self.told_heard_at or 0, min(self.told.written_at, self.status.since))  # type: ignore[union-attr]
            self.dropped -= self.status.dropped - self.told.sources[0].dropped  # type: ignore[union-attr]
            self.now += number * 100
            self.begin()


@settings(max_examples=300)
@given(steps)
def test_all_time_in_which_nobody_listened_is_in_a_gap(history: list[tuple[str, int, int]]) -> None:
    world = World()
    for what, tenths, number in history:
        world.pass_time(tenths)
        world.step(what, number)
    world.look()
    deaf = list(world.deaf)
    if not world.listening and world.heard_at is not None:
        deaf.append((world.heard_at, world.now))
    gaps = world.log.gaps()
    said = union((gap.start, gap.end or world.now) for gap in gaps if gap.kind in ("disconnected", "stopped"))
    true = union(deaf)
    assert minus(true, said) == 0, "all of it is told"
    if true:
        early = [(start, min(end, true[0][0])) for start, end in said if start < true[0][0]]
        assert minus(said, union([*true, *early])) <= world.slack, "and no more than must be"
    assert sum(gap.dropped for gap in gaps) == world.dropped
    for kind in ("disconnected", "stopped", "dropped", "disk"):
        same = [gap for gap in gaps if gap.kind == kind]
        assert all(gap.end is None or gap.start < gap.end <= world.now + 1 for gap in same)
        assert all(one.end is not None and one.end <= other.start for one, other in pairwise(same)), (
            "they do not overlap"
        )
    lasting = {gap.kind for gap in gaps if gap.end is None}
    assert not (world.listening and lasting & {"disconnected", "stopped"})
    assert ("disk" in lasting) == (world.reading_stopped is not None)


@settings(max_examples=50)
@given(st.integers(1, 700), st.integers(1, 40))
def test_they_are_bounded_in_number_and_age(outages: int, days: int) -> None:
    log = GapLog(retention=20 * DAY)
    now = START
    status = SourceStatus(since=now)
    seen = 0
    for _ in range(outages):
        for state in (OPEN, CLOSED):
            now += days * DAY // 40
            status = followed(status, replace(status, state=state, since=now))
            report = SourceReport(name="s", state=state, since=now)
            log.look(now, [report], {"s": status.changes[seen - status.change_count :]})
            seen = status.change_count
    gaps = log.gaps()
    assert len(gaps) <= 501
    assert all(gap.end is None or gap.end >= now - 20 * DAY for gap in gaps)
    assert gaps[-1].end is None


def report(state: ConnectionState, since: int, **fields: object) -> SourceReport:
    return SourceReport(name="s", state=state, since=since, **fields)  # type: ignore[arg-type]


def test_a_first_connection_that_comes_soon_is_no_gap_and_a_late_one_is() -> None:
    for wait, expected in (
        (FIRST_CONNECTION, []),
        (FIRST_CONNECTION + SECOND, [(START, START + FIRST_CONNECTION + SECOND)]),
    ):
        log = GapLog()
        log.look(START, [report(CLOSED, START)], {})
        log.look(START + wait - 1, [report(CONNECTING, START + 1)], {})
        log.look(START + wait, [report(OPEN, START + wait)], {})
        assert [(gap.start, gap.end) for gap in log.gaps()] == expected


def test_a_blink_between_two_looks_is_seen_through_the_changes() -> None:
    log = GapLog()
    log.look(START, [report(OPEN, START)], {})
    changes = [
        StateChange(START + 500, CLOSED, "lost", START + 300),
        StateChange(START + 600, CONNECTING),
        StateChange(START + 800, OPEN),
    ]
    log.look(START + SECOND, [report(OPEN, START + 800)], {"s": changes})
    assert log.gaps() == [Gap("s", "disconnected", START + 300, START + 800, detail="lost")]


def test_a_move_to_another_socket_without_leaving_open_is_none() -> None:
    log = GapLog()
    log.look(START, [report(OPEN, START)], {})
    log.look(START + SECOND, [report(OPEN, START, reconnects=1, connection_id="other")], {})
    assert log.gaps() == []


def test_what_is_dropped_in_a_row_is_one_gap() -> None:
    log = GapLog()
    for second, dropped in enumerate((0, 5, 9, 9, 9, 10)):
        log.look(START + second * SECOND, [report(OPEN, START, dropped=dropped)], {})
    assert [(gap.kind, gap.start - START, gap.end - START, gap.dropped) for gap in log.gaps() if gap.end] == [
        ("dropped", 0, 2_000, 9),
        ("dropped", 4_000, 5_000, 1),
    ]


def test_totals_say_what_has_ended_and_what_lasts() -> None:
    log = GapLog()
    log.look(START, [report(OPEN, START)], {})
    assert [(row.kind, row.ended, row.open) for row in log.totals()] == [
        (kind, 0, False) for kind in ("disconnected", "disk", "dropped", "stopped")
    ]
    log.look(START + SECOND, [report(CLOSED, START + SECOND, dropped=3)], {}, "the disk is nearly full")
    log.look(START + 4 * SECOND, [report(OPEN, START + 3 * SECOND, dropped=5)], {})
    log.look(START + 9 * SECOND, [report(CLOSED, START + 9 * SECOND, dropped=5)], {})
    assert [(row.kind, row.ended, row.ended_ms, row.open) for row in log.totals()] == [
        ("disconnected", 1, 2_000, True),
        ("disk", 1, 3_000, False),
        ("dropped", 1, 4_000, False),
        ("stopped", 0, 0, False),
    ]


def test_a_source_that_waits_misses_nothing() -> None:
    log = GapLog()
    for at, state in ((0, OPEN), (1, CLOSED), (60, CLOSED)):
        log.look(START + at * SECOND, [report(state, START, live=False)], {})
    log.stop(START + DAY)
    told = IngestStatus(
        written_at=START + DAY, sources=[report(OPEN, START, live=False), report(CLOSED, 0, finished=True)]
    )
    again = GapLog(log.gaps(), told)
    again.look(START + 2 * DAY, [report(OPEN, START, live=False)], {})
    assert again.gaps() == []


def patient(state: ConnectionState, since: int, **changes: object) -> SourceReport:
    """A source whose platform keeps for a day what it could not deliver."""
    return report(state, since, live=False, waits_ms=DAY, **changes)


def test_an_outage_that_the_platform_waits_through_is_no_gap() -> None:
    log = GapLog()
    log.look(START, [patient(OPEN, START)], {})
    log.look(START + HOUR, [patient(CLOSED, START + HOUR)], {})
    assert log.gaps() == []
    log.look(START + 20 * HOUR, [patient(OPEN, START + 20 * HOUR)], {})
    log.stop(START + 21 * HOUR)
    told = IngestStatus(written_at=START + 21 * HOUR, sources=[patient(OPEN, START + 20 * HOUR)])
    again = GapLog(log.gaps(), told)
    again.look(START + 2 * DAY - 4 * HOUR, [patient(OPEN, START + 2 * DAY - 4 * HOUR)], {})
    assert again.gaps() == []
    assert again.totals() == []


def test_what_the_platform_did_not_wait_for_is_a_gap() -> None:
    told = IngestStatus(written_at=START, sources=[patient(OPEN, START - HOUR)])
    log = GapLog([], told)
    log.look(START + 30 * HOUR, [patient(CLOSED, START + 30 * HOUR)], {})
    assert log.gaps() == []
    log.look(START + 30 * HOUR + SECOND, [patient(OPEN, START + 30 * HOUR)], {})
    assert log.gaps() == [Gap("s", "stopped", START, START + 6 * HOUR)]
    log.look(START + 31 * HOUR, [patient(CLOSED, START + 31 * HOUR, last_frame_at=START)], {})
    log.look(START + 56 * HOUR, [patient(CLOSED, START + 31 * HOUR, last_frame_at=START)], {})
    assert [row.open for row in log.totals()] == [False]
    log.look(START + 57 * HOUR, [patient(OPEN, START + 57 * HOUR)], {})
    assert log.gaps()[1:] == [Gap("s", "disconnected", START + 31 * HOUR, START + 33 * HOUR)]
    assert [(row.kind, row.ended, row.unfilled) for row in log.totals()] == [("disconnected", 1, 1), ("stopped", 1, 1)]


def test_an_outage_that_goes_on_over_a_stop_is_one() -> None:
    log = GapLog()
    log.look(START, [patient(OPEN, START)], {})
    log.look(START + HOUR, [patient(CLOSED, START + HOUR)], {})
    log.stop(START + 20 * HOUR)
    last = patient(CLOSED, START + HOUR, down_since=START + HOUR)
    again = GapLog(log.gaps(), IngestStatus(written_at=START + 20 * HOUR, sources=[last]))
    again.look(START + 28 * HOUR, [patient(OPEN, START + 28 * HOUR)], {})
    assert again.gaps() == [Gap("s", "stopped", START + HOUR, START + 4 * HOUR)]


def test_gaps_of_a_source_that_is_not_used_any_more_end() -> None:
    log = GapLog(
        [Gap("old", "disconnected", START)], IngestStatus(written_at=START + 5, sources=[SourceReport(name="old")])
    )
    log.look(START + SECOND, [report(OPEN, START)], {})
    assert log.gaps() == [
        Gap("old", "disconnected", START, START + 5),
        Gap("old", "stopped", START + 5, START + SECOND),
    ]


def test_a_clock_that_was_put_back_between_two_processes() -> None:
    log = GapLog([], IngestStatus(written_at=START + DAY, sources=[report(OPEN, START, last_heard_at=START + DAY)]))
    log.look(START, [report(CLOSED, START)], {})
    log.look(START + SECOND, [report(OPEN, START + SECOND)], {})
    assert log.gaps() == [Gap("s", "stopped", START, START + SECOND)]


def test_a_stop_is_no_disconnection_and_lasts_over_a_start_that_comes_to_nothing() -> None:
    log = GapLog()
    log.look(START, [report(OPEN, START)], {})
    log.stop_begins()
    log.look(START + 9_000, [report(CLOSED, START + 9_000, last_heard_at=START + 8_000)], {})
    log.stop(START + 9_500)
    assert log.gaps() == [Gap("s", "stopped", START + 8_000)]
    told = IngestStatus(written_at=START + 9_500, sources=[report(CLOSED, START + 9_000)])
    again = GapLog(log.gaps(), told)
    again.look(START + DAY, [report(CONNECTING, START + DAY)], {})
    killed = IngestStatus(written_at=START + DAY, sources=[report(CONNECTING, START + DAY)])
    third = GapLog(again.gaps(), killed)
    third.look(START + 2 * DAY, [report(CLOSED, START + 2 * DAY)], {})
    third.look(START + 2 * DAY + SECOND, [report(OPEN, START + 2 * DAY + SECOND)], {})
    assert third.gaps() == [Gap("s", "stopped", START + 8_000, START + 2 * DAY + SECOND)]


def test_a_start_that_does_not_connect_is_not_called_stopped() -> None:
    log = GapLog([], IngestStatus(written_at=START, sources=[report(OPEN, START - 5, last_heard_at=START - 1)]))
    log.look(START + DAY, [report(CLOSED, START + DAY)], {})
    assert log.gaps() == [Gap("s", "stopped", START - 1)]
    later = START + DAY + FIRST_CONNECTION + 1
    log.look(later, [report(CLOSED, START + DAY, error="no route")], {})
    assert log.gaps() == [
        Gap("s", "stopped", START - 1, START + DAY),
        Gap("s", "disconnected", START + DAY, detail="no route"),
    ]
